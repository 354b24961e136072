package export

import (
	"mime"
	"net/http"

	collogs "go.opentelemetry.io/proto/otlp/collector/logs/v1"
	colmetrics "go.opentelemetry.io/proto/otlp/collector/metrics/v1"
	coltrace "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	spb "google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
)

// forGood says which answers no repetition changes: the request itself is at
// fault, and it is an OTLP server that says so. Everything else may be cured on
// the other side, a missing token, a wrong path, a broken server, a port that
// speaks TLS or a proxy's bound included, so nothing is given up for it.
func forGood(resp *http.Response, answer []byte) bool {
	return refusesRequest(resp.StatusCode) && isStatus(resp.Header.Get("Content-Type"), answer)
}

func refusesRequest(status int) bool {
	switch status {
	case http.StatusBadRequest, http.StatusRequestEntityTooLarge, http.StatusUnsupportedMediaType, http.StatusUnprocessableEntity:
		return true
	}
	return false
}

// isStatus says whether an answer is what an OTLP server gives its reasons in:
// a google.rpc.Status. In JSON, which others speak as well, it must have one of
// gRPC's codes; in protobuf a message will do.
func isStatus(contentType string, answer []byte) bool {
	kind, _, err := mime.ParseMediaType(contentType)
	if err != nil {
		return false
	}
	var s spb.Status
	const lastCode = 16 // of gRPC: unauthenticated
	known := func() bool { return s.GetCode() >= 1 && s.GetCode() <= lastCode }
	switch kind {
	case "application/x-protobuf":
		return proto.Unmarshal(answer, &s) == nil && (known() || s.GetCode() == 0 && s.GetMessage() != "")
	case "application/json":
		return protojson.Unmarshal(answer, &s) == nil && known()
	}
	return false
}

// rejected reads OTLP's partial success from an answer of 200: how many
// records of the request were dropped, and why. An answer that is not OTLP
// tells nothing.
func rejected(k Kind, answer []byte) (records int64, why string) {
	switch k {
	case Traces:
		var r coltrace.ExportTraceServiceResponse
		if proto.Unmarshal(answer, &r) != nil {
			return 0, ""
		}
		return r.GetPartialSuccess().GetRejectedSpans(), r.GetPartialSuccess().GetErrorMessage()
	case Logs, Predictions:
		var r collogs.ExportLogsServiceResponse
		if proto.Unmarshal(answer, &r) != nil {
			return 0, ""
		}
		return r.GetPartialSuccess().GetRejectedLogRecords(), r.GetPartialSuccess().GetErrorMessage()
	}
	var r colmetrics.ExportMetricsServiceResponse
	if proto.Unmarshal(answer, &r) != nil {
		return 0, ""
	}
	return r.GetPartialSuccess().GetRejectedDataPoints(), r.GetPartialSuccess().GetErrorMessage()
}
