package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/evenkeel/evenkeel/internal/errs"
	"github.com/evenkeel/evenkeel/internal/nearest"
	"github.com/evenkeel/evenkeel/internal/tabular"
)

// labelsInRequest is how many rows are sent at once: some hundred kilobytes.
const labelsInRequest = 5000

// labelSender sends the rows of a file as labels.
type labelSender struct {
	server  *serverFlags
	system  string
	columns []string // of each of labelFields
	file    *inputFile
	answer  labelsSent
}

// labelsSent is what became of the rows.
type labelsSent struct {
	Accepted int          `json:"accepted"`
	Refused  int          `json:"refused"`
	Errors   []labelError `json:"errors,omitempty"` // of the first hundred refused of each request
}

// labelError says why one row is no label.
type labelError struct {
	Row     int    `json:"row"` // of the file, from 1 without a header
	Message string `json:"message"`
	Hint    string `json:"hint,omitempty"`
}

// send reads the file once and sends it part by part.
func (s *labelSender) send(ctx context.Context, r *tabular.Reader, progress tabular.Progress) error {
	var items []map[string]string
	var at []int
	for row, known := 1, -1; ; row++ {
		cells, err := r.Next()
		if errors.Is(err, io.EOF) {
			return s.post(ctx, row-len(items), items)
		}
		if err != nil {
			return errors.Join(s.post(ctx, row-len(items), items), err)
		}
		if header := r.Header(); len(header) != known { // JSON lines may name more columns later
			if at = labelColumns(header, s.columns); known < 0 {
				if err := s.check(header, at); err != nil {
					return err
				}
			}
			known = len(header)
		}
		items = append(items, labelItem(cells, at))
		if len(items) < labelsInRequest {
			continue
		}
		if err := s.post(ctx, row+1-len(items), items); err != nil {
			return err
		}
		items = items[:0]
		if err := progress(r.Offset()); err != nil {
			return err
		}
	}
}

// check refuses a file without the columns that every label needs.
func (s *labelSender) check(header []string, at []int) error {
	for i, field := range labelFields {
		needed := field.name == "id" || field.name == "label"
		if at[i] >= 0 || !needed && s.columns[i] == field.name {
			continue
		}
		hint := fmt.Sprintf("name it with --%s; there are %s", field.flag, strings.Join(header, ", "))
		if near := nearest.Name(s.columns[i], header); near != "" {
			hint = fmt.Sprintf("did you mean --%s %s?", field.flag, near)
		}
		return errs.E("read labels", errs.Invalid, fmt.Errorf("%s has no column %q", s.file.path, s.columns[i]), hint)
	}
	return nil
}

// labelItem picks a label's fields out of a row; those that are empty are absent.
func labelItem(cells []string, at []int) map[string]string {
	item := make(map[string]string, len(labelFields))
	for i, field := range labelFields {
		if at[i] < 0 {
			continue
		}
		if text := strings.TrimSpace(cells[at[i]]); text != "" {
			item[field.name] = strings.Clone(text)
		}
	}
	return item
}

// post sends items of which the first is the given row of the file.
func (s *labelSender) post(ctx context.Context, first int, items []map[string]string) error {
	if len(items) == 0 {
		return nil
	}
	var answer struct {
		Accepted, Refused int
		Errors            []struct{ At, Message, Hint string }
	}
	if err := s.server.call(ctx, http.MethodPost, "/api/v1/labels?system="+url.QueryEscape(s.system), items, &answer); err != nil {
		return fmt.Errorf("rows %d to %d: %w", first, first+len(items)-1, err)
	}
	s.answer.Accepted += answer.Accepted
	s.answer.Refused += answer.Refused
	for _, e := range answer.Errors {
		var item int
		if _, err := fmt.Sscanf(e.At, "item %d", &item); err != nil {
			return errs.E("read answer", errs.Other, fmt.Errorf("%q is no item", e.At), "is the collector of another version?")
		}
		s.answer.Errors = append(s.answer.Errors, labelError{first + item - 1, e.Message, e.Hint})
	}
	return nil
}

// print says what became of the file; rows that were refused are an error.
func (s *labelSender) print(out, terminal io.Writer, asJSON bool) error {
	if asJSON {
		raw, err := json.Marshal(s.answer)
		if err == nil {
			err = printJSON(out, raw)
		}
		if err != nil {
			return err
		}
	} else {
		for _, e := range s.answer.Errors {
			_, _ = fmt.Fprintf(terminal, "%s: row %d: %s; %s\n", s.file.path, e.Row, e.Message, e.Hint) // counted below all the same
		}
		if _, err := fmt.Fprintf(out, "Labels accepted: %d, refused: %d\n", s.answer.Accepted, s.answer.Refused); err != nil {
			return err
		}
	}
	if s.answer.Refused > 0 {
		return errs.E("send labels", errs.Invalid, fmt.Errorf("%d rows of %s are no labels", s.answer.Refused, s.file.path),
			"correct them and send the file again; those that were taken do not count twice")
	}
	return nil
}
