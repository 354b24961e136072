package labels

import (
	"errors"
	"io"

	"github.com/evenkeel/evenkeel/internal/errs"
	"github.com/evenkeel/evenkeel/signal"
)

// What is handed on at once, and how much of what was refused is told.
const (
	atOnce      = 5000
	bytesAtOnce = 1 << 20
	faultsTold  = 100
)

// Answer says what became of the items of a request. What can be taken is taken,
// also where reading ended early; sending all of it again does no harm.
type Answer struct {
	Accepted int     `json:"accepted"` // durable
	Refused  int     `json:"refused"`
	Errors   []Fault `json:"errors,omitempty"` // of the first hundred refused
}

// Fault says what is wrong with one item.
type Fault struct {
	At      string `json:"at"` // line or item, from 1
	Message string `json:"message"`
	Hint    string `json:"hint,omitempty"`
}

// Read gives every item that is a label to take, many at a time, until the end or
// an error that nothing can be read behind; take keeps nothing of the slice, and
// on nil has taken all of it. The answer is there with an error too.
func Read(source Source, rules *Rules, take func([]signal.Label) error) (*Answer, error) {
	answer := &Answer{}
	var waiting []signal.Label
	size := 0
	flush := func() error {
		err := take(waiting)
		if err == nil {
			answer.Accepted += len(waiting)
		}
		waiting, size = waiting[:0], 0
		return err
	}
	for {
		item, err := source.Next()
		var label signal.Label
		if err == nil {
			label, err = rules.Label(&item)
		}
		var fault *ItemError
		switch {
		case errors.As(err, &fault):
			answer.refuse(source.At(), fault)
		case errors.Is(err, io.EOF):
			return answer, flush()
		case err != nil:
			if failed := flush(); failed != nil {
				return answer, failed
			}
			return answer, errs.E("read labels: "+source.At(), errs.Invalid, err, "")
		default:
			waiting, size = append(waiting, label), size+len(label.System)+len(label.ID)+len(label.Value)+len(label.Source)
			if len(waiting) < atOnce && size < bytesAtOnce {
				continue
			}
			if err := flush(); err != nil {
				return answer, err
			}
		}
	}
}

func (a *Answer) refuse(at string, fault *ItemError) {
	a.Refused++
	if len(a.Errors) < faultsTold {
		a.Errors = append(a.Errors, Fault{at, fault.Message, fault.Hint})
	}
}
