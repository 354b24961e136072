package modelserver

import "fmt"

// Model answers one request at a time; it is safe for concurrent use.
type Model interface {
	Describe() Description
	// Infer gives one value for every row in every output of the description,
	// in its order. A *Fault is the client's; any other error is the server's.
	Infer(in *Inputs) ([]Tensor, error)
}

// Description is what the metadata endpoint says about a model.
type Description struct {
	Name     string   `json:"name"`
	Versions []string `json:"versions"` // one: this server serves one version of a model
	Platform string   `json:"platform"`
	Inputs   []Field  `json:"inputs"`
	Outputs  []Field  `json:"outputs"`
}

// Field describes one tensor. A dimension of -1 is the number of rows.
type Field struct {
	Name     string `json:"name"`
	Datatype string `json:"datatype"` // FP64, INT64 or BYTES
	Shape    []int  `json:"shape"`
}

// Numeric says whether the tensor holds numbers; otherwise it holds text.
func (f Field) Numeric() bool { return f.Datatype != "BYTES" }

func column(name, datatype string) Field {
	return Field{Name: name, Datatype: datatype, Shape: []int{-1}}
}

// Inputs is a decoded request: one column for every input of the description,
// each with Rows values.
type Inputs struct {
	ID      string // the request's id; empty where it had none
	Rows    int
	Numbers map[string][]float64
	Texts   map[string][]string
}

// Fault is an error of the client's making, with its HTTP status.
type Fault struct {
	Status int
	Reason string
}

// Error gives the reason.
func (f *Fault) Error() string { return f.Reason }

func faultf(status int, format string, args ...any) error {
	return &Fault{Status: status, Reason: fmt.Sprintf(format, args...)}
}
