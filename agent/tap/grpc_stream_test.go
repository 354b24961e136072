package tap_test

import (
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"slices"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/encoding/gzip"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/evenkeel/evenkeel/agent/tap"
	"github.com/evenkeel/evenkeel/agent/wire"
	"github.com/evenkeel/evenkeel/agent/wire/grpctest"
)

// streamHarness is a tap in front of a gRPC server with a stream of predictions,
// told apart by the decoders that the agent has.
func streamHarness(t *testing.T, serve func(grpc.ServerStream) error, change func(*tap.Options)) (*harness, grpc.ClientStream) {
	d, err := wire.NewDecoders(wire.Options{Models: map[string]wire.Model{"loans": {}}})
	if err != nil {
		t.Fatal(err)
	}
	address := grpctest.Serve(t, map[string]grpctest.Handler{grpctest.Stream: {Stream: serve}})
	h, c := callHarnessAt(t, &url.URL{Scheme: "http", Host: address}, func(o *tap.Options) {
		o.Wanted = func(r *http.Request) (string, bool) { return d.Wants(r) }
		o.Whose, o.StreamID = d.ModelOf, d.StreamID
		if change != nil {
			change(o)
		}
	})
	s, err := c.NewStream(metadata.AppendToOutgoingContext(t.Context(), "x-request-id", "R"),
		&grpc.StreamDesc{ClientStreams: true, ServerStreams: true}, grpctest.Stream, grpc.UseCompressor(gzip.Name))
	if err != nil {
		t.Fatal(err)
	}
	return h, s
}

// take receives n requests and gives their ids.
func take(s grpc.ServerStream, n int) (ids []string, err error) {
	for range n {
		in := grpctest.Empty("inference.ModelInferRequest")
		if err := s.RecvMsg(in); err != nil {
			return nil, err
		}
		ids = append(ids, in.Get(in.Descriptor().Fields().ByName("id")).String())
	}
	return ids, nil
}

func say(s grpc.ServerStream, ids ...string) error {
	for _, id := range ids {
		if err := s.SendMsg(grpctest.Message("inference.ModelStreamInferResponse", fmt.Sprintf(`{"inferResponse":{"id":%q}}`, id))); err != nil {
			return err
		}
	}
	return nil
}

// send sends requests with ids and receives until the stream ends.
func send(t *testing.T, s grpc.ClientStream, ids ...string) (answers int, end error) {
	t.Helper()
	for _, id := range ids {
		if err := s.SendMsg(idMessage(id)); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.CloseSend(); err != nil {
		t.Fatal(err)
	}
	for {
		if err := s.RecvMsg(grpctest.Empty("inference.ModelStreamInferResponse")); err != nil {
			if errors.Is(err, io.EOF) {
				err = nil
			}
			return answers, err
		}
		answers++
	}
}

// pairs drains a harness and tells each exchange's name and which id was asked.
func pairs(h *harness) (names func(n int) []string) {
	got := make(chan string, 100)
	h.drain(func(x *tap.Exchange) {
		got <- fmt.Sprintf("%s %s %d %t", x.Model, x.ID, x.Status, len(x.Request.Body) > 5 && len(x.Response.Body) > 5)
	})
	return func(n int) []string {
		var out []string
		for range n {
			out = append(out, <-got)
		}
		slices.Sort(out)
		return out
	}
}

// Each message is a request of its own, with the answer that has its id, in
// whatever order the answers come.
func TestMessagesOfAStreamArePairedByTheirIDs(t *testing.T) {
	h, s := streamHarness(t, func(s grpc.ServerStream) error {
		ids, err := take(s, 3)
		slices.Reverse(ids)
		return errors.Join(err, say(s, ids...))
	}, nil)
	names := pairs(h)
	if n, err := send(t, s, "a", "b", "c"); n != 3 || err != nil {
		t.Fatalf("%d answers, %v", n, err)
	}
	if got := names(3); !slices.Equal(got, []string{"loans a 200 true", "loans b 200 true", "loans c 200 true"}) {
		t.Error(got)
	}
	if got := h.idle(3); got.Captured != 3 || got.Dropped() != 0 {
		t.Errorf("%+v", got)
	}
}

// Without ids the answers belong to the requests in their order, which are named
// by the call's name and their number.
func TestMessagesOfAStreamArePairedInTheirOrder(t *testing.T) {
	h, s := streamHarness(t, func(s grpc.ServerStream) error {
		for range 2 {
			if _, err := take(s, 1); err != nil {
				return err
			}
			if err := say(s, ""); err != nil {
				return err
			}
		}
		_, err := take(s, 1)
		return errors.Join(err, say(s, "made up"))
	}, nil)
	names := pairs(h)
	if n, err := send(t, s, "", "", ""); n != 3 || err != nil {
		t.Fatalf("%d answers, %v", n, err)
	}
	if got := names(3); !slices.Equal(got, []string{"loans R.1 200 true", "loans R.2 200 true", "loans R.3 200 true"}) {
		t.Error(got)
	}
}

// What no message waits for, what is never answered and what is too large is
// lost, and counted; the rest of the stream is not.
func TestLossesOfAStreamAreItsMessages(t *testing.T) {
	random := make([]byte, 9000) // no compression makes it small
	_, _ = rand.NewChaCha8([32]byte{1}).Read(random)
	long := hex.EncodeToString(random)
	h, s := streamHarness(t, func(s grpc.ServerStream) error {
		_, err := take(s, 4)
		return errors.Join(err, say(s, "a", "b", long, "b"))
	}, func(o *tap.Options) { o.MaxBody = 8000 })
	names := pairs(h)
	if n, err := send(t, s, "a", "b", long, "unanswered"); n != 4 || err != nil {
		t.Fatalf("%d answers, %v", n, err)
	}
	got := h.idle(5)
	if got.Captured != 2 || got.Streamed != 1 || got.Aborted != 1 || got.TooLarge != 1 {
		t.Errorf("%+v", got)
	}
	if got := names(2); !slices.Equal(got, []string{"loans a 200 true", "loans b 200 true"}) {
		t.Error(got)
	}
}

// What waits when the call fails has failed with it.
func TestAStreamThatFails(t *testing.T) {
	h, s := streamHarness(t, func(s grpc.ServerStream) error {
		_, err := take(s, 3)
		return errors.Join(err, say(s, "b"), status.Error(codes.Unavailable, "no more"))
	}, nil)
	names := pairs(h)
	if n, err := send(t, s, "a", "b", "c"); n != 1 || err == nil {
		t.Fatalf("%d answers, %v", n, err)
	}
	if got := names(1); got[0] != "loans b 200 true" {
		t.Error(got)
	}
	if got := h.idle(3); got.Captured != 1 || got.Failed != 2 || got.Seen != 1 {
		t.Errorf("%+v", got)
	}
}

// A message of a model that nobody wants is passed over; its answer is nobody's.
func TestMessagesOfOtherModelsPassOver(t *testing.T) {
	h, s := streamHarness(t, func(s grpc.ServerStream) error {
		ids, err := take(s, 2)
		return errors.Join(err, say(s, ids...))
	}, nil)
	names := pairs(h)
	if err := s.SendMsg(grpctest.Message("inference.ModelInferRequest", `{"modelName":"cards","id":"c"}`)); err != nil {
		t.Fatal(err)
	}
	if n, err := send(t, s, "a"); n != 2 || err != nil {
		t.Fatalf("%d answers, %v", n, err)
	}
	if got := names(1); got[0] != "loans a 200 true" {
		t.Error(got)
	}
	if got := h.idle(1); got.Seen != 1 {
		t.Errorf("%+v", got)
	}
}
