package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strconv"
	"strings"

	"github.com/evenkeel/evenkeel/internal/errs"
	"github.com/evenkeel/evenkeel/internal/tabular"
)

// input is a file of rows as it was asked for.
type input struct {
	flag     string // which names it, for hints
	path     string
	format   string // empty: by the extension
	from, to int    // rows [from, to) of the file; to 0: to the end
}

// inputFile is an open file of rows, to be read in passes.
type inputFile struct {
	input
	kind tabular.Format
	file *os.File
	bar  *progress
}

// openInput opens a file. The caller closes it.
func openInput(ctx context.Context, in input, terminal io.Writer) (*inputFile, error) {
	const reading = "read data"
	f, err := os.Open(in.path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, errs.E(reading, errs.NotFound, err, "check --"+in.flag)
	case errors.Is(err, fs.ErrPermission):
		return nil, errs.E(reading, errs.Denied, err, "")
	case err != nil:
		return nil, fmt.Errorf("%s: %w", reading, err)
	}
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = errs.E(reading, errs.Invalid, fmt.Errorf("%s is not a regular file", in.path), "it is read twice, so a folder or a pipe will not do: write it to a file first")
	}
	var kind tabular.Format
	if err == nil {
		kind, err = tabular.FormatOf(in.path, in.format)
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return &inputFile{input: in, kind: kind, file: f, bar: newProgress(ctx, terminal, f)}, nil
}

func (f *inputFile) close() {
	f.bar.clear()
	_ = f.file.Close() // only read
}

// pass reads the chosen rows of the file from its start once.
func pass[T any](f *inputFile, read func(*tabular.Reader, tabular.Progress) (T, error)) (result T, err error) {
	f.bar.passes++
	r, err := tabular.Open(f.path, f.kind, f.file)
	if err != nil {
		return result, err
	}
	defer func() { err = cmp.Or(err, r.Close()) }()
	r.Slice(f.from, f.to)
	return read(r, f.bar.at)
}

// survey is the first pass. It fails where there are no rows.
func (f *inputFile) survey() (*tabular.Survey, error) {
	s, err := pass(f, tabular.Examine)
	if err == nil && s.Rows == 0 {
		err = errs.E("read data", errs.Invalid, fmt.Errorf("%s holds no rows", f.path), "there must be some below the header, and within the rows that were asked for")
	}
	return s, err
}

// parseRows reads FROM:TO, FROM: or :TO; rows are counted from 0 without the
// header, and TO is the first row that is left out.
func parseRows(s string) (from, to int, err error) {
	first, last, found := strings.Cut(s, ":")
	number := func(text string) int {
		if text == "" {
			return 0
		}
		n, e := strconv.Atoi(text)
		if e != nil || n < 0 {
			err = fmt.Errorf("%q is not a number of rows", text)
		}
		return n
	}
	from, to = number(first), number(last)
	switch {
	case !found || s == ":":
		err = fmt.Errorf("%q; write FROM:TO, for example 0:1000 for the first thousand", s)
	case err == nil && last != "" && to <= from:
		err = fmt.Errorf("%q holds no row: %d is not after %d", s, to, from)
	}
	return from, to, err
}
