package wire

import (
	"fmt"
	"net/http"
	"strings"

	"github.com/evenkeel/evenkeel/signal"
)

// Decoders is the Decoder of every protocol: it tells by the URL, and by the
// configuration where that says so, which protocol an exchange is of.
//
// After the first exchanges have sized its memory, Decode allocates nothing for
// plain bodies. It is not safe for concurrent use; Wants is.
type Decoders struct {
	models   map[string]*modelRoute
	paths    []*modelRoute                 // the models with a path of their own, in order of name
	nameless map[*protocolForm]*modelRoute // whose model it is where the URL names none

	oip    *OIP
	reader reader
	grpc   grpcReader

	generations generations
	generated   bool // the exchange at hand was with a language model

	to      destination // of the exchange at hand
	leftOut *Fault
}

// modelRoute is a configured model, ready to be matched.
type modelRoute struct {
	Model
	name string
	form *protocolForm // of Protocol; nil: by URL
	path pathPattern
	in   sideReading
	out  sideReading
}

// protocolForm is what the decoder of a protocol consists of: how it knows its
// URLs, and how it reads the two sides. OIP has a decoder of its own and no
// readers here.
type protocolForm struct {
	protocols []Protocol
	// split reads a URL; an empty model means that the URL names none.
	split    func(path string) (model, version string, ok bool)
	request  func(*reader, *table)
	response func(*reader, *table)
}

// protocolForms lists the forms in the order in which URLs are tried. Seldon
// stands before TorchServe's shorter path.
var protocolForms = []*protocolForm{
	&oipForm, &predictForm, &invocationsForm, &seldonForm, &torchServeForm, &mappedForm,
	&oipGRPC.protocolForm, &tfGRPC.protocolForm,
	&openAIForm, &ollamaForm,
}

func formOf(p Protocol) *protocolForm {
	for _, f := range protocolForms {
		for _, q := range f.protocols {
			if p == q {
				return f
			}
		}
	}
	return nil
}

var oipForm = protocolForm{protocols: []Protocol{OpenInference}, split: splitInferPath}

// NewDecoders makes the decoder; it fails where a Model's Check does.
func NewDecoders(o Options) (*Decoders, error) {
	if o.MaxInflated == 0 {
		o.MaxInflated = defaultMaxInflated
	}
	d := &Decoders{models: map[string]*modelRoute{}, nameless: map[*protocolForm]*modelRoute{}}
	tensors := map[string]OIPModel{}
	for _, name := range sortedKeys(o.Models) {
		m := o.Models[name]
		if err := m.Check(); err != nil {
			return nil, fmt.Errorf("model %s: %w", name, err)
		}
		r := newModelRoute(name, m)
		d.models[name] = r
		if m.Path != "" {
			for _, other := range d.paths {
				if other.Path == m.Path {
					return nil, fmt.Errorf("model %s: path %s is also that of model %s", name, m.Path, other.name)
				}
			}
			d.paths = append(d.paths, r)
		}
		tensors[name] = OIPModel{Columns: m.Inputs.Columns, Outputs: m.Outputs.Columns}
	}
	d.oip = NewOIP(OIPOptions{Models: tensors, MaxInflated: o.MaxInflated})
	d.reader = newReader(o.MaxInflated)
	d.generations = newGenerations(o.MaxInflated, o.Refused)
	for _, f := range protocolForms {
		d.nameless[f] = d.onlyModelOf(f)
	}
	return d, nil
}

func newModelRoute(name string, m Model) *modelRoute {
	r := &modelRoute{Model: m, name: name, in: newSideReading(&m.Inputs), out: newSideReading(&m.Outputs)}
	if m.Protocol != "" {
		r.form = formOf(m.Protocol)
	}
	if m.Path != "" {
		r.path = newPathPattern(m.Path)
	}
	return r
}

// onlyModelOf finds the one model that URLs of a form without a model's name
// can mean: the one that states the protocol, else the one that states none.
func (d *Decoders) onlyModelOf(f *protocolForm) *modelRoute {
	var stated, open []*modelRoute
	for _, name := range sortedKeys(d.models) {
		switch m := d.models[name]; {
		case m.Shared && m.form == f:
			return m
		case m.Shared, m.Path != "":
		case m.form == f:
			stated = append(stated, m)
		case m.form == nil:
			open = append(open, m)
		}
	}
	switch {
	case len(stated) == 1:
		return stated[0]
	case len(stated) == 0 && len(open) == 1:
		return open[0]
	}
	return nil
}

// Wants says whether r asks a configured model for a prediction.
func (d *Decoders) Wants(r *http.Request) (model string, ok bool) {
	if r.Method != http.MethodPost {
		return "", false
	}
	if isGRPC(r) {
		return d.wantsGRPC(r.URL.Path)
	}
	to, ok := d.route(r.URL.Path)
	return to.model, ok && grpcFormOf(to.form) == nil
}

// destination is what a URL leads to.
type destination struct {
	form    *protocolForm
	model   string
	version string      // empty: the URL does not tell
	options *modelRoute // nil: all models are decoded
}

// route finds the model and the protocol of a URL.
func (d *Decoders) route(path string) (destination, bool) {
	for _, m := range d.paths {
		if version, ok := m.path.match(path); ok {
			return destination{m.form, m.name, version, m}, true
		}
	}
	for _, f := range protocolForms {
		if f.split == nil {
			continue
		}
		name, version, ok := f.split(path)
		if !ok {
			continue
		}
		m := d.models[name]
		if name == "" {
			m = d.nameless[f]
		}
		switch {
		case m == nil && (name == "" || len(d.models) > 0):
			return destination{}, false
		case m == nil:
			return destination{form: f, model: name, version: version}, true
		case m.Path != "" || m.form != nil && m.form != f:
			return destination{}, false
		}
		return destination{f, m.name, version, m}, true
	}
	return destination{}, false
}

// Decode reads one exchange; see Decoder.
func (d *Decoders) Decode(x *Exchange) (*signal.Observation, error) {
	d.leftOut, d.generated = nil, false
	if to, form, ok := d.routeGRPC(x.Path); ok {
		return d.decodeGRPC(x, to, form)
	}
	to, ok := d.destination(x)
	if !ok {
		return nil, fault(NotInference, "no path of a configured model")
	}
	if to.form == &oipForm {
		obs, err := d.oip.Decode(asOIP(x, to))
		d.leftOut = d.oip.LeftOut()
		return obs, err
	}
	d.to = to
	if isGeneration(to.form) {
		return d.decodeGeneration(x)
	}
	if err := d.reader.read(x, &d.to); err != nil {
		return nil, err
	}
	d.leftOut = d.reader.leftOut
	return &d.reader.observed, nil
}

// LeftOut says what the observation of the last Decode lacks though its
// exchange could be decoded; nil: nothing.
func (d *Decoders) LeftOut() *Fault { return d.leftOut }

// asOIP gives an exchange under the path of the protocol's own.
func asOIP(x *Exchange, to destination) *Exchange {
	if x.Path != "" && (to.options == nil || to.options.Path == "") {
		return x
	}
	y := *x
	y.Path = "/v2/models/" + to.model + "/infer"
	if to.version != "" {
		y.Path = strings.TrimSuffix(y.Path, "infer") + "versions/" + to.version + "/infer"
	}
	return &y
}
