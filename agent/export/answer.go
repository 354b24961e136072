package export

import (
	collogs "go.opentelemetry.io/proto/otlp/collector/logs/v1"
	colmetrics "go.opentelemetry.io/proto/otlp/collector/metrics/v1"
	"google.golang.org/protobuf/proto"
)

// rejected reads OTLP's partial success from an answer of 200: how many
// records of the request were dropped, and why. An answer that is not OTLP
// tells nothing.
func rejected(k Kind, answer []byte) (records int64, why string) {
	if k == Logs {
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
