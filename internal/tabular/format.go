package tabular

import (
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"

	"github.com/evenkeel/evenkeel/internal/errs"
	"github.com/evenkeel/evenkeel/internal/nearest"
)

// Format is how rows are stored in a file.
type Format string

// The formats.
const (
	CSV       Format = "csv"     // RFC 4180 in UTF-8, with a header
	JSONLines Format = "jsonl"   // one JSON object a line, in UTF-8
	Parquet   Format = "parquet" // Apache Parquet
)

// Formats lists the formats, for help texts.
var Formats = []string{string(CSV), string(JSONLines), string(Parquet)}

var extensions = map[string]Format{
	".csv":     CSV,
	".jsonl":   JSONLines,
	".ndjson":  JSONLines,
	".parquet": Parquet,
	".pq":      Parquet,
}

// FormatOf settles the format of a file: the one that is named, or that of the
// path's extension where the name is empty.
func FormatOf(path, named string) (Format, error) {
	if named != "" {
		if slices.Contains(Formats, named) {
			return Format(named), nil
		}
		cure := "it is one of " + strings.Join(Formats, ", ")
		if near := nearest.Name(named, Formats); near != "" {
			cure = fmt.Sprintf("did you mean %q?", near)
		}
		return "", errs.E("choose format", errs.Invalid, fmt.Errorf("%q is no format", named), cure)
	}
	extension := strings.ToLower(filepath.Ext(path))
	if f, known := extensions[extension]; known {
		return f, nil
	}
	cure := "say it with --format: " + strings.Join(Formats, ", ")
	if extension == ".json" {
		cure = "if it holds one object a line, say --format jsonl"
	}
	return "", errs.E("choose format", errs.Invalid, fmt.Errorf("the format of %s cannot be told from its name", path), cure)
}

// File is an open file of known size: an *os.File, or bytes in a test.
type File interface {
	io.ReadSeeker
	io.ReaderAt
}

// Open reads the beginning of a file, from its start, wherever it was read to
// before. The name stands for the file in errors. The caller closes the Reader
// before the file.
func Open(name string, format Format, file File) (*Reader, error) {
	size, err := file.Seek(0, io.SeekEnd)
	if err == nil {
		_, err = file.Seek(0, io.SeekStart)
	}
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", name, err)
	}
	switch format {
	case CSV:
		return NewCSV(name, file)
	case JSONLines:
		return NewJSONLines(name, file)
	case Parquet:
		return NewParquet(name, file, size)
	}
	return nil, errs.E("choose format", errs.Invalid, fmt.Errorf("%q is no format", format), "")
}
