package ingest

import (
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"mime"
	"net/http"
	"strconv"

	"github.com/go-chi/chi/v5"
	"github.com/klauspost/compress/zstd"
	spb "google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	"github.com/evenkeel/evenkeel/collector/spool"
	"github.com/evenkeel/evenkeel/internal/errs"
)

const (
	typeProto = "application/x-protobuf"
	typeJSON  = "application/json"
)

func newHTTP(o ServerOptions, in *intake) *http.Server {
	router := chi.NewRouter()
	for path, kind := range map[string]spool.Kind{"/v1/logs": spool.Logs, "/v1/metrics": spool.Metrics, "/v1/traces": spool.Traces} {
		h := &exportHandler{in: in, kind: kind, limit: o.MaxRequest}
		router.Method(http.MethodPost, path, o.Tokens.Guard(h, func(w http.ResponseWriter, r *http.Request) {
			fail(w, contentType(r), http.StatusUnauthorized, codes.Unauthenticated, "no token, or one that is not known: send Authorization: Bearer TOKEN")
		}))
	}
	return &http.Server{
		Handler:           router,
		TLSConfig:         o.TLS,
		ReadHeaderTimeout: o.ReadTimeout,
		ReadTimeout:       o.ReadTimeout,
		IdleTimeout:       o.IdleTimeout,
		MaxHeaderBytes:    64 << 10,
	}
}

// exportHandler serves one signal's path.
type exportHandler struct {
	in    *intake
	kind  spool.Kind
	limit int64
}

// ServeHTTP answers as OTLP/HTTP says: in the type of the request, with a
// google.rpc.Status for errors.
func (h *exportHandler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	kind := contentType(r)
	if kind != typeProto && kind != typeJSON {
		fail(w, typeProto, http.StatusUnsupportedMediaType, codes.InvalidArgument,
			fmt.Sprintf("Content-Type %q: send %s or %s", r.Header.Get("Content-Type"), typeProto, typeJSON))
		return
	}
	room, err := h.in.inflight.enter(r.Context(), h.atMost(r))
	if err != nil {
		h.in.count(h.kind, "http", err)
		failWith(w, kind, err)
		return
	}
	defer room.leave()
	body, err := h.read(w, r)
	room.shrink(int64(len(body)))
	if err == nil && kind == typeJSON {
		body, err = fromJSON(h.kind, body)
	}
	var refused Refused
	if err == nil {
		refused, err = h.in.take(r.Context(), "http", h.kind, body, r.Header.Get(BatchHeader))
	} else {
		h.in.count(h.kind, "http", err)
	}
	if err != nil {
		failWith(w, kind, err)
		return
	}
	answer(w, kind, response(h.kind, &refused))
}

// atMost is how large a request can be once it is read.
func (h *exportHandler) atMost(r *http.Request) int64 {
	if plain(r) && r.ContentLength >= 0 {
		return min(r.ContentLength, h.limit)
	}
	return h.limit
}

// plain says that a request is not compressed.
func plain(r *http.Request) bool {
	encoding := r.Header.Get("Content-Encoding")
	return encoding == "" || encoding == "identity"
}

func contentType(r *http.Request) string {
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil {
		return ""
	}
	return kind
}

var (
	errTooLarge = errors.New("the request is larger than otlp.max_request")
	errEncoding = errors.New("Content-Encoding: only gzip, zstd and identity are known")
)

// read gives the body, decompressed; its size is bounded before and after.
func (h *exportHandler) read(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	var body io.Reader = http.MaxBytesReader(w, r.Body, h.limit)
	switch encoding := r.Header.Get("Content-Encoding"); {
	case plain(r):
	case encoding == "gzip":
		unzip, err := gzip.NewReader(body)
		if err != nil {
			return nil, readError(err)
		}
		body = unzip
	case encoding == "zstd":
		unzip, err := newZstd(body, h.limit)
		if err != nil {
			return nil, readError(err)
		}
		defer unzip.Close()
		body = unzip
	default:
		return nil, errs.E("read request", errs.Invalid, errEncoding, "")
	}
	raw, err := io.ReadAll(io.LimitReader(body, h.limit+1))
	if err != nil {
		return nil, readError(err)
	}
	if int64(len(raw)) > h.limit {
		return nil, readError(errTooLarge)
	}
	return raw, nil
}

func readError(err error) error {
	var tooLarge *http.MaxBytesError
	if errors.As(err, &tooLarge) || errors.Is(err, zstd.ErrDecoderSizeExceeded) {
		err = errTooLarge
	}
	return errs.E("read request", errs.Invalid, err, "")
}

// fromJSON translates an OTLP/JSON request to protobuf, which is what the
// spool holds.
func fromJSON(kind spool.Kind, body []byte) ([]byte, error) {
	if err := checkNestingJSON(kind, body); err != nil {
		return nil, err
	}
	r, err := newRequest(kind)
	if err != nil {
		return nil, err
	}
	if err := r.UnmarshalJSON(body); err != nil {
		return nil, errs.E("decode "+kind.String()+" from JSON", errs.Invalid, err, "")
	}
	return r.MarshalProto()
}

func answer(w http.ResponseWriter, kind string, r exportResponse) {
	encode := r.MarshalProto
	if kind == typeJSON {
		encode = r.MarshalJSON
	}
	body, err := encode()
	if err != nil {
		fail(w, kind, http.StatusInternalServerError, codes.Internal, "encode the response: "+err.Error())
		return
	}
	w.Header().Set("Content-Type", kind)
	_, _ = w.Write(body) // a sender that went away will ask again
}

// failWith chooses the status that tells a sender whether to try again.
func failWith(w http.ResponseWriter, kind string, err error) {
	switch {
	case errors.Is(err, errTooLarge):
		fail(w, kind, http.StatusRequestEntityTooLarge, codes.InvalidArgument, err.Error())
	case errors.Is(err, errEncoding):
		fail(w, kind, http.StatusUnsupportedMediaType, codes.InvalidArgument, err.Error())
	case errs.KindOf(err) == errs.Invalid:
		fail(w, kind, http.StatusBadRequest, codes.InvalidArgument, err.Error())
	case errs.KindOf(err) == errs.Exhausted:
		later(w, err)
		fail(w, kind, http.StatusTooManyRequests, codes.ResourceExhausted, err.Error())
	case errors.Is(err, context.Canceled):
		fail(w, kind, http.StatusServiceUnavailable, codes.Canceled, "the sender went away")
	default:
		later(w, err)
		fail(w, kind, http.StatusServiceUnavailable, codes.Unavailable, err.Error())
	}
}

func later(w http.ResponseWriter, err error) {
	w.Header().Set("Retry-After", strconv.Itoa(int(math.Ceil(retryAfter(err).Seconds()))))
}

func fail(w http.ResponseWriter, kind string, code int, grpcCode codes.Code, message string) {
	st := &spb.Status{Code: int32(grpcCode), Message: message}
	encode := proto.Marshal
	if kind == typeJSON {
		encode = protojson.Marshal
	} else {
		kind = typeProto
	}
	body, _ := encode(st) // two plain fields: cannot fail but for text that is not UTF-8
	w.Header().Set("Content-Type", kind)
	w.WriteHeader(code)
	_, _ = w.Write(body)
}
