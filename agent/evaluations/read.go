package evaluations

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/evenkeel/evenkeel/internal/errs"
	"github.com/evenkeel/evenkeel/internal/labels"
)

// How many results are taken at once, and how many faults are told.
const (
	atOnce     = 500
	faultsTold = 100
)

// Read reads results from JSON: one object, several behind each other or one a
// line, or an array. Those that are right are given to take, many at a time; take
// keeps nothing of the slice, and on nil has taken all of it. The answer says what
// became of each, and is there with an error too; then nothing behind it was read.
func Read(body io.Reader, rules *Rules, take func([]Result) error) (*labels.Answer, error) {
	answer := &labels.Answer{}
	items, err := open(body)
	if err != nil {
		return answer, errs.E("read evaluations", errs.Invalid, err, "send JSON objects, one a line, or an array of them")
	}
	waiting := make([]Result, 0, 16)
	flush := func() error {
		if len(waiting) == 0 {
			return nil
		}
		err := take(waiting)
		if err == nil {
			answer.Accepted += len(waiting)
		}
		waiting = waiting[:0]
		return err
	}
	for item := 1; ; item++ {
		raw, err := items.next()
		if errors.Is(err, io.EOF) {
			return answer, flush()
		}
		if err != nil {
			return answer, errors.Join(flush(), errs.E(fmt.Sprintf("read evaluations: item %d", item), errs.Invalid, err, ""))
		}
		result, err := rules.result(raw)
		if err != nil {
			answer.Refused++
			if len(answer.Errors) < faultsTold {
				answer.Errors = append(answer.Errors, labels.Fault{At: fmt.Sprintf("item %d", item), Message: err.Error()})
			}
			continue
		}
		if waiting = append(waiting, *result); len(waiting) < atOnce {
			continue
		}
		if err := flush(); err != nil {
			return answer, err
		}
	}
}

// result decodes one object, strictly.
func (r *Rules) result(raw []byte) (*Result, error) {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.DisallowUnknownFields()
	x := new(Result)
	if err := d.Decode(x); err != nil {
		return nil, err
	}
	return x, r.fit(x)
}

// items are the objects of a body.
type items struct {
	decoder *json.Decoder
	array   bool
}

func open(body io.Reader) (*items, error) {
	buffered := bufio.NewReader(body)
	for {
		first, err := buffered.ReadByte()
		switch {
		case errors.Is(err, io.EOF):
			return nil, errors.New("the body is empty")
		case err != nil:
			return nil, err
		case first == ' ' || first == '\t' || first == '\r' || first == '\n':
			continue
		}
		if err := buffered.UnreadByte(); err != nil {
			return nil, err
		}
		i := &items{decoder: json.NewDecoder(buffered), array: first == '['}
		if i.array {
			_, err = i.decoder.Token()
		}
		return i, err
	}
}

// next gives the next object; io.EOF behind the last.
func (i *items) next() ([]byte, error) {
	if i.array && !i.decoder.More() {
		if _, err := i.decoder.Token(); err != nil {
			return nil, notEnd(err)
		}
		i.array = false
	}
	var raw json.RawMessage
	err := i.decoder.Decode(&raw)
	if i.array {
		err = notEnd(err)
	}
	return raw, err
}

// notEnd says that a body ended within its array.
func notEnd(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}
