package wire

import (
	"strings"

	"github.com/evenkeel/evenkeel/signal"
)

// named gives the first id that names a request; empty where none does. One
// that is too long to be sent with a prediction names nothing.
func named(ids ...string) string {
	for _, id := range ids {
		if id != "" && len(id) <= signal.MaxPredictionID {
			return id
		}
	}
	return ""
}

// traceID takes the trace's id from a W3C traceparent, 32 hexadecimal digits in
// lower case: 00-TRACE-PARENT-FLAGS, with more behind it in later versions.
// Empty where the header is not of that form, or the id is the invalid one.
func traceID(header string) string {
	const (
		version = 2
		trace   = version + 1 + 32
		parent  = trace + 1 + 16
		whole   = parent + 1 + 2
	)
	header = strings.TrimSpace(header)
	switch {
	case len(header) < whole || header[version] != '-' || header[trace] != '-' || header[parent] != '-':
		return ""
	case len(header) > whole && (header[:version] == "00" || header[whole] != '-'):
		return ""
	case header[:version] == "ff" || !isHex(header[:version]) || !isHex(header[trace+1:parent]) || !isHex(header[parent+1:whole]):
		return ""
	}
	id := header[version+1 : trace]
	if !isHex(id) || strings.Count(id, "0") == len(id) || strings.Count(header[trace+1:parent], "0") == 16 {
		return ""
	}
	return id
}

func isHex(s string) bool {
	for i := range len(s) {
		if c := s[i]; (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return true
}
