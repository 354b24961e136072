package wire

import "strings"

// predictForm reads POST /v1/models/NAME:predict of KServe V1 and TensorFlow
// Serving. They differ little, and one reading serves both:
//
//	{"instances": [row, ...]}            -> {"predictions": [row, ...]}
//	{"inputs": {"x": [value, ...], ...}} -> {"outputs": ...}
//
// A row is a number, a list, or an object; see rows and columnsForm.
var predictForm = protocolForm{
	protocols: []Protocol{KServeV1, TFServing},
	split:     splitPredictPath,
	request:   func(r *reader, t *table) { r.places(t, predictRequest, nil) },
	response:  func(r *reader, t *table) { r.places(t, predictResponse, nil) },
}

var (
	predictRequest  = []place{{"instances", (*reader).rows}, {"inputs", (*reader).columnsForm}}
	predictResponse = []place{{"predictions", (*reader).rowsOrColumns}, {"outputs", (*reader).columnsForm}}
)

// rowsOrColumns reads answers of servers that wrap what a model gave, which may
// be an object of columns.
func (r *reader) rowsOrColumns(t *table) {
	if r.scan.next() == '{' {
		r.anyForm(t)
	} else {
		r.rows(t)
	}
}

// splitPredictPath reads /v1/models/NAME[/versions/V|/labels/L]:predict. A label
// stands for the version that it is of today, and is passed on as one.
func splitPredictPath(path string) (model, version string, ok bool) {
	rest, ok := strings.CutPrefix(path, "/v1/models/")
	if !ok {
		return "", "", false
	}
	rest, ok = strings.CutSuffix(rest, ":predict")
	if !ok {
		return "", "", false
	}
	model, rest, more := strings.Cut(rest, "/")
	if !more {
		return model, "", model != ""
	}
	kind, version, _ := strings.Cut(rest, "/")
	ok = model != "" && version != "" && !strings.Contains(version, "/") && (kind == "versions" || kind == "labels")
	return model, version, ok
}
