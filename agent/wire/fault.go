package wire

import "fmt"

// Reason says why an exchange gave no observation.
type Reason string

// The reasons.
const (
	BadJSON             Reason = "bad_json"
	BadCSV              Reason = "bad_csv"
	ShapeMismatch       Reason = "shape_mismatch"       // data and shape do not agree
	RowsMismatch        Reason = "rows_mismatch"        // tensors disagree on the number of rows
	UnsupportedDatatype Reason = "unsupported_datatype" // no V2 datatype that is profiled
	UnsupportedEncoding Reason = "unsupported_encoding" // a Content-Encoding other than gzip, deflate, zstd and br
	Binary              Reason = "binary"               // raw tensors after the JSON that do not fit what it says of them
	NotInference        Reason = "not_inference"        // not an inference of a known model, or without tensors
	ErrorStatus         Reason = "error_status"         // the answer was no 2xx, or tells of an error though it was
	Truncated           Reason = "truncated"            // a compressed body ends too soon
	InflatedTooLarge    Reason = "inflated_too_large"   // a compressed body is larger than the cap

	// TooWide is a part of an exchange only: a tensor of more columns than are
	// taken apart, which is not profiled. The others are.
	TooWide Reason = "too_wide"
	// Opaque is a part as well: the request is no table, such as an image, and
	// only what was answered is profiled.
	Opaque Reason = "opaque"
)

// Partial says whether the rest of the exchange is profiled.
func (r Reason) Partial() bool { return r == TooWide || r == Opaque }

// Reasons lists all reasons of a decoder, so that each is counted from 0.
func Reasons() []Reason {
	return []Reason{
		BadJSON, BadCSV, BadProtobuf, ShapeMismatch, RowsMismatch, UnsupportedDatatype, UnsupportedEncoding, Binary, NotInference,
		ErrorStatus, Truncated, InflatedTooLarge, TooWide, Opaque,
	}
}

// Fault is the error of a decoder. Outline describes the payload without any
// value of it, so that it may be logged: sizes, offsets, tensor names, types.
type Fault struct {
	Reason  Reason
	Side    string // "request", "response", or empty
	Outline string
}

// Error gives reason, side and outline.
func (f *Fault) Error() string {
	if f.Side == "" {
		return fmt.Sprintf("%s: %s", f.Reason, f.Outline)
	}
	return fmt.Sprintf("%s in the %s: %s", f.Reason, f.Side, f.Outline)
}

func fault(r Reason, format string, args ...any) *Fault {
	return &Fault{Reason: r, Outline: fmt.Sprintf(format, args...)}
}
