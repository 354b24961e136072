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
)

// Protocols lists all protocols.
func Protocols() []Protocol {
	return []Protocol{OpenInference, KServeV1, TFServing, MLflow, SageMaker, TorchServe, Seldon, Mapped}
}

// Options configure Decoders.
type Options struct {
	// Models are the models to decode, by name. Empty: all that a URL names.
	Models map[string]Model
	// MaxInflated bounds a decompressed body, in bytes. 0: 16 MiB.
	MaxInflated int
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

// Check says what is wrong with a Model; nil: nothing.
func (m *Model) Check() error {
	switch {
	case m.Protocol != "" && !slices.Contains(Protocols(), m.Protocol):
		return fmt.Errorf("protocol %q is not known; the protocols are %v", m.Protocol, Protocols())
	case m.Protocol == Mapped && m.Path == "":
		return fmt.Errorf("protocol %s needs a path; write for example /predict", Mapped)
	case m.Path != "" && m.Protocol == "":
		return fmt.Errorf("path %q needs a protocol: nothing tells how its bodies are read", m.Path)
	}
	if m.Path != "" {
		if err := CheckPath(m.Path); err != nil {
			return fmt.Errorf("path: %w", err)
		}
	}
	for name, side := range map[string]*Side{"inputs": &m.Inputs, "outputs": &m.Outputs} {
		if err := side.check(m.Protocol); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}

func (s *Side) check(p Protocol) error {
	if p != Mapped && (s.At != "" || s.Form != AnyForm) {
		return fmt.Errorf("at and form are for protocol %s", Mapped)
	}
	if !slices.Contains([]Form{AnyForm, RowsForm, ColumnsForm, RowForm}, s.Form) {
		return fmt.Errorf("form %q is none of %s, %s, %s", s.Form, RowsForm, ColumnsForm, RowForm)
	}
	if err := CheckPointer(s.At); err != nil {
		return fmt.Errorf("at: %w", err)
	}
	return nil
}
