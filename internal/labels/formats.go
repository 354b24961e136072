package labels

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/evenkeel/evenkeel/internal/errs"
	"github.com/evenkeel/evenkeel/internal/nearest"
)

// maxLine bounds a line of JSON lines, in bytes: far more than a label's
// longest texts need.
const maxLine = 64 << 10

// jsonItems reads one array of objects, or objects one after the other.
type jsonItems struct {
	decoder *json.Decoder
	inArray bool
	item    int
}

func newJSONItems(body io.Reader) (*jsonItems, error) {
	buffered := bufio.NewReader(body)
	first, err := buffered.ReadByte()
	for err == nil && strings.IndexByte(" \t\r\n", first) >= 0 {
		first, err = buffered.ReadByte()
	}
	if err == nil {
		err = buffered.UnreadByte()
	}
	if errors.Is(err, io.EOF) {
		return nil, errNoLabels
	}
	s := &jsonItems{decoder: json.NewDecoder(buffered), inArray: first == '['}
	if err == nil && s.inArray {
		_, err = s.decoder.Token()
	}
	if err != nil {
		err = errs.E("read labels", errs.Invalid, err, "")
	}
	return s, err
}

var errNoLabels = errs.E("read labels", errs.Invalid, errors.New("the body is empty"), "")

func (s *jsonItems) At() string { return fmt.Sprintf("item %d", s.item) }

func (s *jsonItems) Next() (Item, error) {
	s.item++
	if s.inArray && !s.decoder.More() {
		if _, err := s.decoder.Token(); err != nil {
			return Item{}, unexpectedEnd(err)
		}
		s.inArray = false
		var more json.RawMessage
		if err := s.decoder.Decode(&more); !errors.Is(err, io.EOF) {
			return Item{}, errors.Join(errors.New("something stands behind the array"), err)
		}
		return Item{}, io.EOF
	}
	var raw json.RawMessage
	if err := s.decoder.Decode(&raw); err != nil {
		if s.inArray {
			err = unexpectedEnd(err)
		}
		return Item{}, err
	}
	return itemOfJSON(raw)
}

func unexpectedEnd(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

// lineItems reads an object of each line that is not empty.
type lineItems struct {
	lines *bufio.Reader // of maxLine bytes
	line  int
}

func (s *lineItems) At() string { return fmt.Sprintf("line %d", s.line) }

func (s *lineItems) Next() (Item, error) {
	for {
		s.line++
		line, err := s.lines.ReadSlice('\n')
		if errors.Is(err, bufio.ErrBufferFull) {
			return Item{}, s.skip()
		}
		if err != nil && !(errors.Is(err, io.EOF) && len(line) > 0) {
			return Item{}, err
		}
		if line = bytes.TrimSpace(line); len(line) > 0 {
			return itemOfJSON(line)
		}
	}
}

// skip passes over the rest of a line that is too long.
func (s *lineItems) skip() error {
	for {
		_, err := s.lines.ReadSlice('\n')
		if err == nil || errors.Is(err, io.EOF) {
			return &ItemError{fmt.Sprintf("longer than %d bytes", maxLine), "write one object a line"}
		}
		if !errors.Is(err, bufio.ErrBufferFull) {
			return err
		}
	}
}

// csvItems reads RFC 4180 with a header that names the fields.
type csvItems struct {
	rows   *csv.Reader
	fields []string
	line   int
}

func newCSVItems(body io.Reader) (*csvItems, error) {
	buffered := bufio.NewReader(body)
	if mark, err := buffered.Peek(3); err == nil && string(mark) == "\ufeff" {
		_, _ = buffered.Discard(3) // they are in the buffer
	}
	s := &csvItems{rows: csv.NewReader(buffered)}
	s.rows.ReuseRecord = true
	header, err := s.rows.Read()
	if errors.Is(err, io.EOF) {
		return nil, errNoLabels
	}
	for _, name := range header {
		name = strings.TrimSpace(name)
		if fault := knownField(name); fault != nil {
			return nil, errs.E("read labels: header", errs.Invalid, errors.New(fault.Message), fault.Hint)
		}
		if slices.Contains(s.fields, name) {
			err = errors.Join(err, fmt.Errorf("%q stands twice", name))
		}
		s.fields = append(s.fields, name)
	}
	if err != nil {
		err = errs.E("read labels: header", errs.Invalid, err, "")
	}
	return s, err
}

func (s *csvItems) At() string { return fmt.Sprintf("line %d", s.line) }

func (s *csvItems) Next() (Item, error) {
	row, err := s.rows.Read()
	var parse *csv.ParseError
	if errors.As(err, &parse) {
		s.line = parse.StartLine
		hint := "quote texts that hold commas or quotes, as RFC 4180 says"
		return Item{}, &ItemError{parse.Err.Error(), hint}
	}
	if err != nil {
		return Item{}, err
	}
	s.line, _ = s.rows.FieldPos(0)
	var item Item
	for i, name := range s.fields {
		item.set(name, strings.Clone(strings.TrimSpace(row[i])))
	}
	return item, nil
}

// knownField refuses a name that no label has.
func knownField(name string) *ItemError {
	if slices.Contains(Fields, name) {
		return nil
	}
	hint := "a label has " + strings.Join(Fields, ", ")
	if near := nearest.Name(name, Fields); near != "" {
		hint = fmt.Sprintf("did you mean %q?", near)
	}
	return &ItemError{fmt.Sprintf("unknown field %q", name), hint}
}
