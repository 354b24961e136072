package wire

import (
	"net/http"
	"strings"

	"github.com/evenkeel/evenkeel/signal"
)

// OIP decodes the Open Inference Protocol V2 over REST, as KServe, Triton,
// MLServer and OpenVINO speak it: POST /v2/models/NAME[/versions/V]/infer.
//
// Inputs become features and outputs predictions. A tensor of shape [n] or
// [n, 1] is one column under its own name; one of shape [n, f] is f columns,
// under the names that OIPModel gives or else NAME.0, NAME.1 and so on. More
// dimensions count as columns too, up to maxColumns; a wider tensor, such as an
// image, is not profiled, which LeftOut tells. Integers beyond 2^53 are rounded,
// as JSON numbers are.
//
// A request is named by the id in its body, else by its headers.
//
// After the first exchanges have sized its memory, Decode allocates nothing for
// plain bodies. It is not safe for concurrent use; Wants is.
type OIP struct {
	models      map[string]OIPModel
	maxInflated int

	scan     scanner
	inflate  inflater
	tensors  []tensor
	numbers  []float64 // values of numeric tensors, in the order of arrival
	texts    []string  // values of BOOL and BYTES tensors
	missing  []bool    // for texts
	turned   []float64 // columns of [n, f] tensors
	turnedS  []string
	turnedM  []bool
	names    names
	behind   []byte // tensors behind the JSON that are not read yet
	version  string // of the answer
	id       string // in the request's body
	leftOut  *Fault // of the last exchange; nil: nothing
	observed signal.Observation
}

// OIPOptions configure an OIP decoder.
type OIPOptions struct {
	// Models are the models to decode, by the name in the URL. Empty: all.
	Models map[string]OIPModel
	// MaxInflated bounds a decompressed body, in bytes. 0: 16 MiB.
	MaxInflated int
}

// OIPModel says how one model's tensors are read.
type OIPModel struct {
	// Columns names the columns of input tensors of shape [n, f], Outputs those
	// of output tensors.
	Columns, Outputs map[string][]signal.FeatureName
}

const defaultMaxInflated = 16 << 20

// NewOIP makes a decoder.
func NewOIP(o OIPOptions) *OIP {
	if o.MaxInflated == 0 {
		o.MaxInflated = defaultMaxInflated
	}
	return &OIP{models: o.Models, maxInflated: o.MaxInflated, names: newNames()}
}

// Wants says whether r asks a configured model for an inference.
func (d *OIP) Wants(r *http.Request) (model string, ok bool) {
	if r.Method != http.MethodPost {
		return "", false
	}
	model, _, ok = splitInferPath(r.URL.Path)
	return model, ok && d.knows(model)
}

func (d *OIP) knows(model string) bool {
	if len(d.models) == 0 {
		return true
	}
	_, ok := d.models[model]
	return ok
}

// splitInferPath reads /v2/models/NAME[/versions/V]/infer.
func splitInferPath(path string) (model, version string, ok bool) {
	rest, ok := strings.CutPrefix(path, "/v2/models/")
	if !ok {
		return "", "", false
	}
	rest, ok = strings.CutSuffix(rest, "/infer")
	if !ok {
		return "", "", false
	}
	model, version, versioned := strings.Cut(rest, "/versions/")
	if model == "" || strings.Contains(model, "/") || strings.Contains(version, "/") || versioned && version == "" {
		return "", "", false
	}
	return model, version, true
}

// Decode reads one exchange; see Decoder.
func (d *OIP) Decode(x *Exchange) (*signal.Observation, error) {
	if err := d.decode(x); err != nil {
		return nil, err
	}
	return &d.observed, nil
}

// LeftOut says what the observation of the last Decode lacks though its
// exchange could be decoded; nil: nothing.
func (d *OIP) LeftOut() *Fault { return d.leftOut }

func (d *OIP) decode(x *Exchange) *Fault {
	d.leftOut = nil
	model, version, ok := splitInferPath(x.Path)
	switch {
	case !ok || !d.knows(model):
		return fault(NotInference, "no path of a configured model")
	case x.Status < 200 || x.Status > 299:
		return fault(ErrorStatus, "status %d", x.Status)
	}
	d.clear()
	if err := d.read(&x.Request, 0, "inputs"); err != nil {
		err.Side = "request"
		return err
	}
	inputs := len(d.tensors)
	if err := d.read(&x.Response, 1, "outputs"); err != nil {
		err.Side = "response"
		return err
	}
	if inputs == 0 || inputs == len(d.tensors) {
		return fault(NotInference, "%d inputs and %d outputs", inputs, len(d.tensors)-inputs)
	}
	if d.version != "" {
		version = d.version
	}
	d.observed = signal.Observation{
		Model:   signal.ModelRef{Name: d.names.keep(model), Version: d.names.keep(version)},
		Time:    x.End,
		Rows:    d.tensors[0].rows,
		Columns: d.observed.Columns[:0],
		Request: named(d.id, x.ID),
		TraceID: traceID(x.Trace),
	}
	return d.columns(inputs, d.models[model])
}

func (d *OIP) clear() {
	d.scan.unquote = d.scan.unquote[:0]
	d.tensors = d.tensors[:0]
	d.numbers, d.texts, d.missing = d.numbers[:0], d.texts[:0], d.missing[:0]
	d.turned, d.turnedS, d.turnedM = d.turned[:0], d.turnedS[:0], d.turnedM[:0]
	d.version, d.id = "", ""
}

// read takes the tensors of one side; side chooses the memory to inflate into.
func (d *OIP) read(m *Message, side int, list string) *Fault {
	body, err := d.inflate.body(m, side, d.maxInflated)
	if err != nil {
		return err
	}
	text, raw, err := splitBinary(body, m.JSONLength)
	if err != nil {
		return err
	}
	d.behind = raw
	if err := d.message(text, list); err != nil {
		return err
	}
	if len(d.behind) > 0 {
		return fault(Binary, "%d bytes behind the JSON belong to no tensor", len(d.behind))
	}
	return nil
}
