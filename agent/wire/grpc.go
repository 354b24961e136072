package wire

import (
	"encoding/binary"
	"net/http"
	"strings"

	"github.com/evenkeel/evenkeel/signal"
)

// The protocols over gRPC. A call names its model in the message, not in the
// URL.
const (
	OpenInferenceGRPC Protocol = "oip_grpc"       // inference.GRPCInferenceService: KServe, Triton, MLServer, OpenVINO
	TFServingGRPC     Protocol = "tfserving_grpc" // tensorflow.serving.PredictionService
)

// BadProtobuf is the reason for a body that is not one message of its protocol.
const BadProtobuf Reason = "bad_protobuf"

// grpcForm is what the decoder of a protocol over gRPC consists of.
type grpcForm struct {
	protocolForm
	methods []string // paths
	// request and response read a message into the tensors of g.oip.
	request  func(g *grpcReader, message []byte) *Fault
	response func(g *grpcReader, message []byte) *Fault
	// modelOf finds the model's name in the beginning of a request.
	modelOf func(beginning []byte) string
}

var grpcForms = []*grpcForm{&oipGRPC, &tfGRPC}

func grpcFormOf(f *protocolForm) *grpcForm {
	for _, g := range grpcForms {
		if f == &g.protocolForm {
			return g
		}
	}
	return nil
}

// grpcReader decodes one message asked and one answered: a unary call, or a
// pair out of a stream.
//
//	body -> frame -> message -> protoFields -> tensors of OIP -> columns
type grpcReader struct {
	oip *OIP // whose memory and columns are used

	model    string   // as the request names it
	asked    string   // the version that it asks for
	raws     [][]byte // tensors that stand apart from their description
	hidden   *Fault   // a tensor whose values did not travel; nil: none
	stream   bool     // the call could have had more messages
	number   [20]byte // a version, while it is written
	spec     specVersion
	scalars  []int // tensors without dimensions, of oip.tensors
	repeated int   // values that were added because a tensor lacks them
}

// maxTensors bounds the tensors of one message.
const maxTensors = maxColumns

// isGRPC says whether a request is a gRPC call with protobuf messages.
func isGRPC(r *http.Request) bool {
	switch r.Header.Get("Content-Type") {
	case "application/grpc", "application/grpc+proto":
		return true
	}
	return false
}

// wantsGRPC says whether a call asks for a prediction. The model is empty where
// only the message names it; ModelOf finds it there.
func (d *Decoders) wantsGRPC(path string) (model string, ok bool) {
	to, form, ok := d.routeGRPC(path)
	switch {
	case !ok || to.model != "" || len(d.models) == 0:
		return to.model, ok
	}
	for _, m := range d.models {
		if m.takes(form) {
			return "", true
		}
	}
	return "", false
}

// takes says whether a model is decoded in a form whose calls name the model.
func (r *modelRoute) takes(form *grpcForm) bool {
	return r.Path == "" && (r.form == nil || r.form == &form.protocolForm)
}

// routeGRPC finds the form of a call, and its model where the path is
// configured as that model's.
func (d *Decoders) routeGRPC(path string) (destination, *grpcForm, bool) {
	for _, m := range d.paths {
		form := grpcFormOf(m.form)
		if form == nil {
			continue
		}
		if version, ok := m.path.match(path); ok {
			return destination{m.form, m.name, version, m}, form, true
		}
	}
	for _, form := range grpcForms {
		for _, method := range form.methods {
			if method == path {
				return destination{form: &form.protocolForm}, form, true
			}
		}
	}
	return destination{}, nil, false
}

// grpcModel finds the configured model of a name; nil where all are decoded. A
// message without a name asks the only model that it can mean.
func (d *Decoders) grpcModel(form *grpcForm, name string) (*modelRoute, bool) {
	if len(d.models) == 0 {
		return nil, name != ""
	}
	m := d.models[name]
	if name == "" {
		m = d.nameless[&form.protocolForm]
	}
	return m, m != nil && m.takes(form)
}

// decodeGRPC reads one call.
func (d *Decoders) decodeGRPC(x *Exchange, to destination, form *grpcForm) (*signal.Observation, error) {
	if err := d.readGRPC(x, to, form); err != nil {
		return nil, err
	}
	d.leftOut = d.oip.LeftOut()
	return &d.oip.observed, nil
}

func (d *Decoders) readGRPC(x *Exchange, to destination, form *grpcForm) *Fault {
	g := &d.grpc
	g.begin(d.oip)
	o := g.oip
	if x.Status < 200 || x.Status > 299 {
		return fault(ErrorStatus, "status %d", x.Status)
	}
	g.stream = strings.HasSuffix(x.Path, methodStreamInfer)
	if err := g.side(&x.Request, 0, form.request); err != nil {
		err.Side = "request"
		return err
	}
	inputs := len(o.tensors)
	if err := g.side(&x.Response, 1, form.response); err != nil {
		err.Side = "response"
		return err
	}
	if len(o.tensors) == inputs || inputs == 0 && g.hidden == nil {
		return fault(NotInference, "%d inputs and %d outputs", inputs, len(o.tensors)-inputs)
	}
	m := to.options
	if m == nil {
		var ok bool
		if m, ok = d.grpcModel(form, g.model); !ok {
			return fault(NotInference, "no configured model, by a name of %d bytes", len(g.model))
		}
	}
	if err := g.spread(); err != nil {
		return err
	}
	return g.observe(x, m, to.version, inputs)
}

// observe turns the tensors into the observation.
func (g *grpcReader) observe(x *Exchange, m *modelRoute, version string, inputs int) *Fault {
	o, name := g.oip, g.model
	var columns OIPModel
	if m != nil {
		name = m.name
		columns = OIPModel{Columns: m.Inputs.Columns, Outputs: m.Outputs.Columns}
	}
	for _, v := range []string{g.asked, o.version} {
		if v != "" {
			version = v
		}
	}
	o.leftOut = g.hidden
	o.observed = signal.Observation{
		Model:   signal.ModelRef{Name: o.names.keep(name), Version: o.names.keep(version)},
		Time:    x.End,
		Rows:    o.tensors[0].rows,
		Columns: o.observed.Columns[:0],
		Request: named(o.id, x.ID),
		TraceID: traceID(x.Trace),
	}
	return o.columns(inputs, columns)
}

func (g *grpcReader) begin(o *OIP) {
	g.oip = o
	o.clear()
	o.leftOut, g.hidden = nil, nil
	g.model, g.asked, g.spec = "", "", specVersion{}
	g.scalars, g.repeated = g.scalars[:0], 0
}

// side reads the one message of a body.
func (g *grpcReader) side(m *Message, side int, read func(*grpcReader, []byte) *Fault) *Fault {
	message, err := g.frame(m, side)
	if err != nil {
		return err
	}
	return read(g, message)
}

// grpcPrefix is the length of what stands before a message: whether it is
// compressed, and its length.
const grpcPrefix = 5

// frame takes the message out of a body and inflates it where it says so.
func (g *grpcReader) frame(m *Message, side int) ([]byte, *Fault) {
	b := m.Body
	if len(b) < grpcPrefix || b[0] > 1 {
		return nil, fault(BadProtobuf, "a body of %d bytes is no message", len(b))
	}
	n := int64(binary.BigEndian.Uint32(b[1:]))
	compressed := b[0] == 1
	b = b[grpcPrefix:]
	if n != int64(len(b)) {
		return nil, fault(BadProtobuf, "a message of %d bytes in %d", n, len(b))
	}
	if !compressed {
		return b, nil
	}
	inner := Message{Body: b, ContentEncoding: m.ContentEncoding}
	if m.ContentEncoding == "" || m.ContentEncoding == "identity" {
		return nil, fault(UnsupportedEncoding, "a compressed message, and no header says how")
	}
	out, err := g.oip.inflate.body(&inner, side, g.oip.maxInflated)
	if err != nil && err.Reason == BadJSON {
		err.Reason = BadProtobuf
	}
	return out, err
}

// hide notes a tensor that is described but whose values did not travel.
func (g *grpcReader) hide(format string, args ...any) {
	if g.hidden == nil {
		g.hidden = fault(Opaque, format, args...)
	}
}

// add adds a tensor that was read.
func (g *grpcReader) add(t *tensor, first int) *Fault {
	if len(g.oip.tensors)-first >= maxTensors {
		return fault(ShapeMismatch, "more than %d tensors", maxTensors)
	}
	g.oip.scan.err = nil // of an exchange before, in another form
	return g.oip.keep(t)
}

// broken makes a fault of a message whose fields are broken.
func broken(message []byte) *Fault {
	return fault(BadProtobuf, "a message of %d bytes has fields that are none", len(message))
}
