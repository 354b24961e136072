package agent_test

import (
	"context"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/encoding/gzip"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/dynamicpb"

	agentconfig "github.com/evenkeel/evenkeel/agent/config"
	"github.com/evenkeel/evenkeel/agent/export/otlptest"
	"github.com/evenkeel/evenkeel/agent/wire/grpctest"
	"github.com/evenkeel/evenkeel/signal"
)

// The answers for two applicants.
const (
	inferAnswer   = `{"modelVersion":"3","outputs":[{"name":"approved","datatype":"INT64","shape":["2"],"contents":{"int64Contents":["0","1"]}}]}`
	predictAnswer = `{"modelSpec":{"version":"5"},"outputs":{"approved":{"dtype":9,"tensorShape":{"dim":[{"size":"2"}]},"int64Val":["0","1"]}}}`
)

// startCalls serves both protocols on one port. A request with an id that begins
// with "bad" is refused.
func startCalls(t testing.TB) (address string) {
	return grpctest.Serve(t, map[string]grpctest.Handler{
		grpctest.Infer: {Request: "inference.ModelInferRequest", Answer: func(_ context.Context, in *dynamicpb.Message) (*dynamicpb.Message, error) {
			if id := in.Get(in.Descriptor().Fields().ByName("id")).String(); strings.HasPrefix(id, "bad") {
				return nil, status.Error(codes.InvalidArgument, "bad")
			}
			return grpctest.Message("inference.ModelInferResponse", inferAnswer), nil
		}},
		grpctest.Predict: {Request: "tensorflow.PredictRequest", Answer: func(context.Context, *dynamicpb.Message) (*dynamicpb.Message, error) {
			return grpctest.Message("tensorflow.PredictResponse", predictAnswer), nil
		}},
		grpctest.Stream: {Stream: func(s grpc.ServerStream) error {
			for {
				in := grpctest.Empty("inference.ModelInferRequest")
				if err := s.RecvMsg(in); err != nil {
					if errors.Is(err, io.EOF) {
						return nil
					}
					return err
				}
				if err := s.SendMsg(grpctest.Message("inference.ModelStreamInferResponse", `{"inferResponse":`+inferAnswer+`}`)); err != nil {
					return err
				}
			}
		}},
	})
}

func inferMessage(model, id string) proto.Message {
	return grpctest.Message("inference.ModelInferRequest", `{"modelName":"`+model+`","id":"`+id+`","inputs":[`+
		`{"name":"income","datatype":"FP32","shape":["2"],"contents":{"fp32Contents":[1.5,3.5]}},`+
		`{"name":"gender","datatype":"BYTES","shape":["2"],"contents":{"bytesContents":["ZmVtYWxl","bWFsZQ=="]}}]}`)
}

func predictMessage(model string) proto.Message {
	return grpctest.Message("tensorflow.PredictRequest", `{"modelSpec":{"name":"`+model+`"},"inputs":{"income":{"dtype":1,"tensorShape":{"dim":[{"size":"2"}]},"floatVal":[0.5,2.5]}}}`)
}

// From gRPC to OTLP, real at both ends: two models and two protocols behind one
// port, plain and compressed messages, single calls and a stream. What is not
// monitored or refused passes as well, and counts as what it is.
func TestCallsAreCountedByTheModelInTheirMessage(t *testing.T) {
	receiver := otlptest.Start(t, nil)
	c := loanConfig(t, "http://"+startCalls(t), receiver.URL())
	c.Models[0].Protected = nil
	c.Models[0].Baseline, c.Models[0].Outcome = writeBaseline(t, loanBaseline()), agentconfig.Outcome{}
	c.Models = append(c.Models, agentconfig.Model{Name: "cards"})
	c.Window.Count = 20
	a := startAgent(t, c, nil)
	conn := grpctest.Dial(t, a.Addr())
	ctx := t.Context()
	ask := func(method string, in proto.Message, want string, options ...grpc.CallOption) {
		t.Helper()
		out := grpctest.Empty(strings.Replace(string(in.ProtoReflect().Descriptor().FullName()), "Request", "Response", 1))
		if err := conn.Invoke(ctx, method, in, out, options...); err != nil {
			t.Fatal(err)
		}
		if !proto.Equal(out, grpctest.Message(string(out.Descriptor().FullName()), want)) {
			t.Errorf("%s: answered %v", method, out)
		}
	}
	bad := conn.Invoke(ctx, grpctest.Infer, inferMessage("loans", "bad-1"), grpctest.Empty("inference.ModelInferResponse"))
	if status.Code(bad) != codes.InvalidArgument || status.Convert(bad).Message() != "bad" {
		t.Errorf("refused: %v", bad)
	}
	s, err := conn.NewStream(ctx, &grpc.StreamDesc{ClientStreams: true, ServerStreams: true}, grpctest.Stream)
	if err != nil {
		t.Fatal(err)
	}
	for range 3 { // one by one
		if err := s.SendMsg(inferMessage("loans", "")); err != nil {
			t.Fatal(err)
		}
		if err := s.RecvMsg(grpctest.Empty("inference.ModelStreamInferResponse")); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(s.CloseSend(), s.RecvMsg(grpctest.Empty("inference.ModelStreamInferResponse"))); !errors.Is(err, io.EOF) {
		t.Fatalf("the stream ends with %v", err)
	}
	for i := range 10 {
		var options []grpc.CallOption
		if i%2 == 1 {
			options = append(options, grpc.UseCompressor(gzip.Name))
		}
		ask(grpctest.Infer, inferMessage("other", ""), inferAnswer, options...)
		if i < 7 { // and three in the stream
			ask(grpctest.Infer, inferMessage("loans", ""), inferAnswer, options...)
		}
		ask(grpctest.Predict, predictMessage("cards"), predictAnswer, options...)
	}

	otlptest.Eventually(t, "a window of each model", func() bool { return len(incomes(profiles(t, receiver))) == 2 })
	all := profiles(t, receiver)
	for _, d := range incomes(all) {
		switch d.Model {
		case signal.ModelRef{Name: "loans", Version: "3"}:
			if want := []uint64{0, 10, 0, 10}; !slices.Equal(d.Counts, want) || d.Capture.Profiled != 10 || d.Capture.Dropped != 0 || d.Capture.Seen != 10 {
				t.Errorf("loans: %v, %+v", d.Counts, d.Capture)
			}
		case signal.ModelRef{Name: "cards", Version: "5"}:
			if d.N != 20 || d.Min != 0.5 || d.Max != 2.5 || d.Capture.Seen != 10 {
				t.Errorf("cards: %d from %v to %v, %+v", d.N, d.Min, d.Max, d.Capture)
			}
		default:
			t.Errorf("a window of %s", d.Model)
		}
	}
	_, metrics := get(t, a, "/metrics")
	if want := `evenkeel_outcome="client_error"`; !strings.Contains(metrics, want) {
		t.Errorf("no %s in the metrics", want)
	}
}
