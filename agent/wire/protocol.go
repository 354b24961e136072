package wire

import (
	"fmt"
	"slices"
	"strings"

	"github.com/evenkeel/evenkeel/signal"
)

// Protocol names a way to ask a server for predictions.
type Protocol string

// The protocols.
const (
	OpenInference Protocol = "oip"        // Open Inference Protocol V2: KServe, Triton, MLServer, OpenVINO
	KServeV1      Protocol = "kserve_v1"  // /v1/models/NAME:predict
	TFServing     Protocol = "tfserving"  // the same, with versions, labels and the column form
	MLflow        Protocol = "mlflow"     // /invocations
	SageMaker     Protocol = "sagemaker"  // /invocations, of containers that are not MLflow's
	TorchServe    Protocol = "torchserve" // /predictions/NAME
	Seldon        Protocol = "seldon"     // Seldon V1: .../api/v1.0/predictions
	Mapped        Protocol = "mapped"     // JSON of any other server, as the configuration says
	OpenAI        Protocol = "openai"     // language models: OpenAI's chat, completions, responses and embeddings
	Ollama        Protocol = "ollama"     // language models: Ollama's own API
)

// Protocols lists all protocols.
func Protocols() []Protocol {
	return []Protocol{
		OpenInference, OpenInferenceGRPC, KServeV1, TFServing, TFServingGRPC, MLflow, SageMaker, TorchServe, Seldon, Mapped,
		OpenAI, Ollama,
	}
}

// Options configure Decoders.
type Options struct {
	// Models are the models to decode, by name. Empty: all that a URL names.
	Models map[string]Model
	// MaxInflated bounds a decompressed body, in bytes. 0: 16 MiB.
	MaxInflated int
	// Refused says whether a language model's answer declines what was asked, by
	// its text. nil: only what the server calls a refusal is one.
	Refused func(text string) bool
}

// Model says how the exchanges of one model are told and read.
type Model struct {
	// Protocol is the only one that is decoded. Empty: the one that the URL is
	// of. Where the URL names no model, as /invocations does, it is the one
	// model whose protocol fits.
	Protocol Protocol
	// Path is where the model is asked, in place of the protocol's own URL:
	// segments that must be equal, * for any one, {version} for the version.
	// Required for Mapped, and Protocol is required with it.
	Path string
	// Shared makes it the one that the protocol's URLs without a model's name are
	// of, whatever other models there are.
	Shared bool
	// Inputs and Outputs say how the two sides are read.
	Inputs, Outputs Side
}

// Side says where the values of a request or an answer stand, and what they
// are called.
type Side struct {
	// Columns names the columns of a tensor, list or table: the features of a
	// tensor of shape [n, f] in order. The name of a table whose columns have no
	// names is DefaultInput, or DefaultOutput in an answer.
	Columns map[string][]signal.FeatureName
	// At is the JSON pointer (RFC 6901) of the values, for Mapped. Empty: the
	// whole body.
	At string
	// Form is how the values are laid out, for Mapped.
	Form Form
}

// The names of tables whose columns have none of their own: their columns are
// input.0, input.1 and so on, a single one is input.
const (
	DefaultInput  = "input"
	DefaultOutput = "prediction"
)

// Form is a layout of rows in JSON.
type Form string

// The forms. Without one, an array is rows, an object with an array as a direct
// member is columns, and all else is one row.
const (
	AnyForm     Form = ""
	RowsForm    Form = "rows"    // an array of rows: numbers, lists, or objects
	ColumnsForm Form = "columns" // an object of arrays, each a column or a list of equal lists
	RowForm     Form = "row"     // one row
)

// CheckPath says what is wrong with a Model's Path; nil: nothing.
func CheckPath(path string) error {
	if !strings.HasPrefix(path, "/") {
		return fmt.Errorf("%q does not begin with a slash; write for example /predict", path)
	}
	versions := 0
	for segment := range strings.SplitSeq(path[1:], "/") {
		switch {
		case segment == "{version}":
			versions++
		case strings.ContainsAny(segment, "{}?#") || strings.Contains(segment, "*") && segment != "*":
			return fmt.Errorf("%q: segment %q is neither plain text nor * nor {version}", path, segment)
		}
	}
	if versions > 1 {
		return fmt.Errorf("%q has more than one {version}", path)
	}
	return nil
}

// CheckPointer says what is wrong with a Side's At; nil: nothing.
func CheckPointer(at string) error {
	_, err := parsePointer(at)
	return err
}

// ModelFault is something that is wrong with a Model: At names the setting, from
// the outside in, as the configuration does.
type ModelFault struct {
	At   []string
	Text string
}

// Error gives the setting and what is wrong with it.
func (f ModelFault) Error() string { return strings.Join(f.At, ".") + ": " + f.Text }

// Faults lists all that is wrong with a Model.
func (m *Model) Faults() []ModelFault {
	var out []ModelFault
	add := func(format string, args ...any) func(at ...string) {
		return func(at ...string) { out = append(out, ModelFault{at, fmt.Sprintf(format, args...)}) }
	}
	switch {
	case m.Protocol != "" && formOf(m.Protocol) == nil:
		add("%q is not known; the protocols are %s", m.Protocol, joined(Protocols()))("protocol")
	case m.Protocol == Mapped && m.Path == "":
		add("missing; protocol %s has no URL of its own: write for example /predict", Mapped)("path")
	case m.Path != "" && m.Protocol == "":
		add("%q needs a protocol: nothing tells how its bodies are read", m.Path)("path")
	}
	if m.Path != "" {
		if err := CheckPath(m.Path); err != nil {
			add("%v", err)("path")
		}
	}
	for _, side := range []struct {
		name string
		*Side
	}{{"inputs", &m.Inputs}, {"outputs", &m.Outputs}} {
		if m.Protocol != Mapped && side.At != "" {
			add("is for protocol %s; other protocols say themselves where the values stand", Mapped)(side.name, "at")
		} else if err := CheckPointer(side.At); err != nil {
			add("%v", err)(side.name, "at")
		}
		if m.Protocol != Mapped && side.Form != AnyForm {
			add("is for protocol %s; other protocols say themselves how the values are laid out", Mapped)(side.name, "form")
		} else if forms := []Form{RowsForm, ColumnsForm, RowForm}; side.Form != AnyForm && !slices.Contains(forms, side.Form) {
			add("%q is none of %s", side.Form, joined(forms))(side.name, "form")
		}
	}
	return out
}

func joined[T ~string](of []T) string {
	out := make([]string, len(of))
	for i, x := range of {
		out[i] = string(x)
	}
	return strings.Join(out, ", ")
}

// Check gives the first of Faults; nil: there is none.
func (m *Model) Check() error {
	if faults := m.Faults(); len(faults) > 0 {
		return faults[0]
	}
	return nil
}
