package wire

import "strings"

// torchServeForm reads POST /predictions/NAME[/VERSION]. TorchServe leaves the
// bodies to the model's handler; the usual ones wrap rows or send one row:
//
//	{"data": [row, ...]}, {"instances": [row, ...]}, [row, ...], {"x": 1, ...}
//
// Of a request that is neither an object nor an array, such as an image, only
// the answer is read.
var torchServeForm = protocolForm{
	protocols: []Protocol{TorchServe},
	split:     splitTorchServePath,
	request:   readTorchServe,
	response:  func(r *reader, t *table) { r.places(t, torchServeAnswer, (*reader).rows) },
}

var (
	torchServeRequest = []place{{"instances", (*reader).rows}, {"data", (*reader).rows}, {"inputs", (*reader).rowsOrColumns}}
	torchServeAnswer  = []place{{"predictions", (*reader).rowsOrColumns}}
)

func readTorchServe(r *reader, t *table) {
	if isJSON(r.scan.text) {
		r.places(t, torchServeRequest, (*reader).rows)
	} else {
		r.opaque(t)
	}
}

func splitTorchServePath(path string) (model, version string, ok bool) {
	rest, ok := strings.CutPrefix(path, "/predictions/")
	if !ok {
		return "", "", false
	}
	model, version, versioned := strings.Cut(rest, "/")
	return model, version, model != "" && !strings.Contains(version, "/") && versioned == (version != "")
}
