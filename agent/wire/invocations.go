package wire

import (
	"bytes"
	"unicode/utf8"
)

// invocationsForm reads POST /invocations, the one URL of MLflow and of
// SageMaker's containers. Which of them it is shows in the body, so that one
// reading serves both: an MLflow model may run in SageMaker.
var invocationsForm = protocolForm{
	protocols: []Protocol{MLflow, SageMaker},
	split:     func(path string) (model, version string, ok bool) { return "", "", path == "/invocations" },
	request:   readInvocation,
	response:  readInvocationAnswer,
}

func readInvocation(r *reader, t *table) {
	switch {
	case isJSON(r.scan.text):
		r.places(t, invocationRequest, readJSONLines)
	case utf8.Valid(r.scan.text) && bytes.IndexByte(r.scan.text, 0) < 0:
		r.csv(t)
	default:
		r.opaque(t) // an image, or records in protocol buffers
	}
}

func readInvocationAnswer(r *reader, t *table) {
	if isJSON(r.scan.text) {
		r.places(t, invocationAnswer, readJSONLines)
	} else {
		r.csv(t)
	}
}

var invocationRequest = append(mlflowRequest, sageMakerRequest...)

var invocationAnswer = []place{{"predictions", (*reader).rowsOrColumns}}
