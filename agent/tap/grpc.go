package tap

import (
	"encoding/binary"
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

// maxBeginning is how much of a request's body is kept to find out whose it is,
// in bytes: also of a request that is not captured.
const maxBeginning = 1 << 10

// isGRPC says whether a request is a gRPC call: all that HTTP/1.1 cannot carry.
func isGRPC(r *http.Request) bool {
	return r.ProtoMajor == 2 && isGRPCType(r.Header.Get("Content-Type"))
}

// isGRPCType tells gRPC from gRPC-Web, which is HTTP like any other.
func isGRPCType(contentType string) bool {
	rest, ok := strings.CutPrefix(contentType, "application/grpc")
	return ok && (rest == "" || rest[0] == '+' || rest[0] == ';')
}

// call is what is known of a gRPC call while it passes.
type call struct {
	request, answer frames
	response        *http.Response // nil: none yet. Its trailers come behind its body
	encoding        string         // of the request's messages
	beginning       []byte         // of the request's body, where only that names the model
	stream          *stream        // nil: one message asks, and one answers
}

// beginCall notes that the captured request is a gRPC call.
func (c *capture) beginCall(r *http.Request) {
	if !isGRPC(r) {
		return
	}
	c.call = &call{encoding: r.Header.Get("Grpc-Encoding")}
	c.x.Request.ContentEncoding = c.call.encoding
	if c.beginStream(r); c.isStream() {
		return
	}
	if c.model == "" {
		c.call.beginning = make([]byte, 0, maxBeginning)
	}
}

// frames follows the messages in a body, which may arrive in any pieces.
type frames struct {
	prefix   [5]byte // whether the message is compressed, and its length
	have     int     // bytes of the prefix
	left     uint64  // bytes of the message
	messages int     // that have begun
}

func (f *frames) pass(b []byte) {
	for len(b) > 0 {
		if f.left > 0 {
			n := min(f.left, uint64(len(b)))
			f.left -= n
			b = b[n:]
			continue
		}
		if f.have == 0 {
			f.messages++
		}
		n := copy(f.prefix[f.have:], b)
		f.have += n
		b = b[n:]
		if f.have == len(f.prefix) {
			f.have, f.left = 0, uint64(binary.BigEndian.Uint32(f.prefix[1:]))
		}
	}
}

// isWhole says that one message, and nothing else, has passed.
func (f *frames) isWhole() bool { return f.messages == 1 && f.have == 0 && f.left == 0 }

// recordFrames follows the messages in what one Read gave. Of a call that is no
// stream of predictions and has more than one message each way there is no copy:
// what belongs to what is the model server's secret. The caller holds the side's
// mu.
func (t *tee) recordFrames(b []byte) {
	c := t.capture.call
	if c == nil {
		return
	}
	s := t.to
	f := &c.answer
	if s == &t.capture.request {
		f = &c.request
		if room := cap(c.beginning) - len(c.beginning); room > 0 {
			c.beginning = append(c.beginning, b[:min(room, len(b))]...)
		}
	}
	if c.stream != nil {
		t.passStream(c.stream, b)
		return
	}
	f.pass(b)
	if f.messages > 1 && s.lost != streamed {
		s.forget(t.capture.tap.memory, streamed)
	}
	// The model server may answer a call before it has seen that no second
	// message follows the first.
	if f == &c.request && f.isWhole() {
		s.whole = true
	}
}

// belongs finds out whose the request is, where Wanted did not know. false:
// nobody wants it.
func (t *Tap) belongs(c *capture) (ok bool) {
	if c.model != "" || c.call == nil {
		return true
	}
	defer t.recovered(&ok)
	c.request.mu.Lock()
	beginning := c.call.beginning
	c.call.beginning = nil
	c.request.mu.Unlock()
	model, ok := t.o.Whose(c.x.Path, c.call.encoding, beginning)
	c.model, c.x.Model = model, model
	return ok && model != ""
}

// endCall takes the call's status for the answer's, so that a call that failed
// counts like a request that did.
func (c *capture) endCall() {
	if c.call == nil || c.call.response == nil {
		return
	}
	if r := c.call.response; r.StatusCode >= 200 && r.StatusCode <= 299 {
		c.x.Status = httpStatus(grpcStatus(r))
	}
	if c.x.Status > 299 {
		c.x.free()
	}
}

// Some of gRPC's status codes.
const (
	grpcUnknown          = 2
	grpcDeadlineExceeded = 4
	grpcUnavailable      = 14
)

// grpcStatus reads a call's status: from the trailers, or from the headers of an
// answer that has nothing else.
func grpcStatus(r *http.Response) int {
	for _, h := range []http.Header{r.Trailer, r.Header} {
		if s := h.Get("Grpc-Status"); s != "" {
			if code, err := strconv.Atoi(s); err == nil {
				return code
			}
			return grpcUnknown
		}
	}
	return grpcUnknown
}

// httpStatuses gives for each of gRPC's codes the HTTP status that is most like
// it.
var httpStatuses = [...]int{
	http.StatusOK, 499, http.StatusInternalServerError, http.StatusBadRequest, http.StatusGatewayTimeout,
	http.StatusNotFound, http.StatusConflict, http.StatusForbidden, http.StatusTooManyRequests, http.StatusBadRequest,
	http.StatusConflict, http.StatusBadRequest, http.StatusNotImplemented, http.StatusInternalServerError,
	http.StatusServiceUnavailable, http.StatusInternalServerError, http.StatusUnauthorized,
}

func httpStatus(code int) int {
	if code < 0 || code >= len(httpStatuses) {
		return http.StatusInternalServerError
	}
	return httpStatuses[code]
}

// refuseCall answers a call for a model server that did not, as gRPC has it.
func refuseCall(w http.ResponseWriter, status int, text string) {
	code := grpcUnavailable
	if status == http.StatusGatewayTimeout {
		code = grpcDeadlineExceeded
	}
	h := w.Header()
	h.Set("Content-Type", "application/grpc")
	h.Set("Grpc-Status", strconv.Itoa(code))
	h.Set("Grpc-Message", url.PathEscape(text))
	w.WriteHeader(http.StatusOK)
}
