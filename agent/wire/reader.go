package wire

import (
	"github.com/evenkeel/evenkeel/signal"
)

// reader decodes the protocols whose bodies are tables: rows in JSON or CSV,
// one table asked and one answered, with as many rows.
//
//	body -> scanner -> table (lists of cells, by name) -> columns
type reader struct {
	maxInflated int
	inflate     inflater
	scan        scanner
	names       names
	in, out     table
	columns     columnMaker
	joined      []byte // a name, while it is put together

	bad      *Fault // the first thing that is wrong though the JSON is not broken
	id       string // in a body
	version  string // in a body
	leftOut  *Fault // of the last exchange; nil: nothing
	observed signal.Observation

	request, response []byte
	to                *destination
}

// sideReading is a Side, ready to be used.
type sideReading struct {
	columns map[string][]signal.FeatureName
	at      pointer
	form    Form
}

func newSideReading(s *Side) sideReading {
	at, _ := parsePointer(s.At) // Check has seen it
	return sideReading{columns: s.Columns, at: at, form: s.Form}
}

// noSide is for models that are not configured.
var noSide sideReading

func newReader(maxInflated int) reader {
	return reader{maxInflated: maxInflated, names: newNames()}
}

// read decodes one exchange into observed.
func (r *reader) read(x *Exchange, to *destination) *Fault {
	r.leftOut = nil
	if x.Status < 200 || x.Status > 299 {
		return fault(ErrorStatus, "status %d", x.Status)
	}
	if err := r.begin(x, to); err != nil {
		return err
	}
	// The answer comes first: how many rows it has tells whether the first line
	// of a CSV names the columns.
	if err := r.side(&r.out, r.response, to.form.response, "response"); err != nil {
		return err
	}
	if err := r.side(&r.in, r.request, to.form.request, "request"); err != nil {
		return err
	}
	if r.in.opaque {
		r.leaveOut(Opaque, "a request of %d bytes", len(r.request))
		r.in.clear()
		r.in.rows = r.out.rows
	}
	if r.in.isEmpty() || r.out.isEmpty() {
		return fault(NotInference, "%d rows asked and %d answered", r.in.rows, r.out.rows)
	}
	r.turnLine()
	if r.in.rows != r.out.rows {
		return fault(RowsMismatch, "%d rows asked, %d answered", r.in.rows, r.out.rows)
	}
	return r.observe(x)
}

// begin clears what the last exchange left and makes the bodies plain.
func (r *reader) begin(x *Exchange, to *destination) (err *Fault) {
	r.to, r.id, r.version = to, "", ""
	r.scan.unquote = r.scan.unquote[:0]
	r.columns.clear()
	in, out := &noSide, &noSide
	if to.options != nil {
		in, out = &to.options.in, &to.options.out
	}
	r.in.begin(in, DefaultInput)
	r.out.begin(out, DefaultOutput)
	if r.request, err = r.inflate.body(&x.Request, 0, r.maxInflated); err != nil {
		err.Side = "request"
		return err
	}
	if r.response, err = r.inflate.body(&x.Response, 1, r.maxInflated); err != nil {
		err.Side = "response"
	}
	return err
}

// side reads one body into its table.
func (r *reader) side(t *table, body []byte, read func(*reader, *table), name string) *Fault {
	r.bad = nil
	r.scan.begin(body)
	read(r, t)
	err := r.scan.err
	if err == nil {
		err = r.bad
	}
	if err == nil {
		err = r.settle(t)
	}
	if err != nil {
		err.Side = name
	}
	return err
}

// wrong notes the first fault that the JSON itself does not have.
func (r *reader) wrong(reason Reason, format string, args ...any) {
	if r.bad == nil {
		r.bad = fault(reason, format, args...)
	}
}

// observe turns the tables into the observation.
func (r *reader) observe(x *Exchange) *Fault {
	version := r.to.version
	if r.version != "" {
		version = r.version
	}
	r.observed = signal.Observation{
		Model:   signal.ModelRef{Name: r.names.keep(r.to.model), Version: r.names.keep(version)},
		Time:    x.End,
		Rows:    r.in.rows,
		Columns: r.observed.Columns[:0],
		Request: named(r.id, x.ID),
		TraceID: traceID(x.Trace),
	}
	if err := r.addColumns(&r.in, signal.TargetFeature); err != nil {
		err.Side = "request"
		return err
	}
	err := r.addColumns(&r.out, signal.TargetPrediction)
	if err != nil {
		err.Side = "response"
	}
	return err
}
