package probe

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/evenkeel/evenkeel/internal/canonical"
	"github.com/evenkeel/evenkeel/signal"
)

// Bounds of a file of cases.
const (
	maxCases = 10_000
	maxFile  = 64 << 20 // bytes
)

// Case is one known case: what is asked, and what is to be answered.
type Case struct {
	ID     string // for the log; the line's number where the file names none
	Body   []byte // of the request, JSON
	Expect []Expectation
}

// Expectation is what one output is to be, row by row.
type Expectation struct {
	Output signal.FeatureName
	Values []Value
}

// Set is the cases of one file.
type Set struct {
	Cases  []Case
	Digest signal.Digest // of the file
}

// Reading says how a file of cases is read.
type Reading struct {
	Output   signal.FeatureName // that an expectation without a name is about; empty: each must name its own
	Protocol string             // in which rows are written; empty: the Open Inference Protocol
}

// line is one line of the file.
type line struct {
	ID      string              `json:"id"`
	Request json.RawMessage     `json:"request"`
	Rows    []map[string]scalar `json:"rows"`
	Expect  json.RawMessage     `json:"expect"`
}

// ReadFile reads the cases of a file: JSON lines, each with the body of a request
// or with rows, and what is expected of the answer. The error names the line.
func ReadFile(path string, how Reading) (*Set, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("read the cases: %w", err)
	}
	defer func() { _ = f.Close() }() // it was only read
	raw, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil {
		return nil, fmt.Errorf("read the cases: %w", err)
	}
	if len(raw) > maxFile {
		return nil, fmt.Errorf("%s: longer than %d bytes; keep fewer cases", path, maxFile)
	}
	set, err := Read(raw, how)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return set, nil
}

// Read is ReadFile of what is in memory already. Empty lines do not count.
func Read(raw []byte, how Reading) (*Set, error) {
	set := &Set{Digest: signal.Digest(canonical.Sum(raw))}
	scan := bufio.NewScanner(bytes.NewReader(raw))
	scan.Buffer(nil, len(raw)+1)
	for number := 1; scan.Scan(); number++ {
		if len(bytes.TrimSpace(scan.Bytes())) == 0 {
			continue
		}
		c, err := how.parse(scan.Bytes(), number)
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", number, err)
		}
		if set.Cases = append(set.Cases, *c); len(set.Cases) > maxCases {
			return nil, fmt.Errorf("more than %d cases; keep fewer", maxCases)
		}
	}
	if err := scan.Err(); err != nil {
		return nil, fmt.Errorf("read the lines: %w", err)
	}
	if len(set.Cases) == 0 {
		return nil, errors.New("holds no case; write one JSON object a line, with request and expect")
	}
	return set, nil
}

func (how *Reading) parse(raw []byte, number int) (*Case, error) {
	var l line
	d := json.NewDecoder(bytes.NewReader(raw))
	d.DisallowUnknownFields()
	if err := d.Decode(&l); err != nil {
		return nil, fmt.Errorf("is no case: %w", err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("more than one object; write one a line")
	}
	c := &Case{ID: l.ID, Body: l.Request}
	if c.ID == "" {
		c.ID = fmt.Sprintf("line %d", number)
	}
	switch {
	case string(l.Request) == "null":
		return nil, errors.New("request: null is no body")
	case (l.Request != nil) == (l.Rows != nil):
		return nil, errors.New("needs either request, a body, or rows, one of the two")
	case l.Rows != nil:
		var err error
		if c.Body, err = how.write(l.Rows); err != nil {
			return nil, err
		}
	}
	if len(l.Expect) == 0 {
		return nil, errors.New("expect: missing; write what the model is to answer")
	}
	var err error
	c.Expect, err = how.expectations(l.Expect)
	return c, err
}
