package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/evenkeel/evenkeel/measure"
)

// fileFlags name the two files of a measurement.
type fileFlags struct {
	reference, referenceRows string
	current, currentRows     string
	format                   string
	json                     bool
}

// register adds the flags. Where the reference may be left out, what says what
// it adds.
func (f *fileFlags) register(cmd *cobra.Command, what string) {
	s := cmd.Flags()
	s.SortFlags = false
	s.StringVar(&f.reference, "reference", "", "`file` of reference data"+what)
	s.StringVar(&f.current, "current", "", "`file` of current data (required)")
	s.StringVar(&f.format, "format", "", formatUsage)
	s.StringVar(&f.referenceRows, "reference-rows", "", "of the reference only the rows `FROM:TO`, counted from 0, without TO")
	s.StringVar(&f.currentRows, "current-rows", "", "of the current data only the rows `FROM:TO`")
	s.BoolVar(&f.json, "json", false, "print JSON, with every field")
}

// inputs checks the flags. The reference has no path where it may be left out
// and was.
func (f *fileFlags) inputs(cmd *cobra.Command, needsReference bool) (reference, current input, err error) {
	reference = input{flag: "reference", path: f.reference, format: f.format}
	current = input{flag: "current", path: f.current, format: f.format}
	switch {
	case f.current == "":
		return reference, current, usage(cmd, errors.New("no current data: --current FILE is missing"))
	case needsReference && f.reference == "":
		return reference, current, usage(cmd, errors.New("no reference data: --reference FILE is missing"))
	}
	for _, in := range []struct {
		text string
		into *input
	}{{f.referenceRows, &reference}, {f.currentRows, &current}} {
		if !cmd.Flags().Changed(in.into.flag + "-rows") {
			continue
		}
		if in.into.from, in.into.to, err = parseRows(in.text); err != nil {
			return reference, current, usage(cmd, fmt.Errorf("--%s-rows: %w", in.into.flag, err))
		}
	}
	return reference, current, nil
}

// measuredFile says what was read.
type measuredFile struct {
	File string `json:"file"`
	Rows int    `json:"rows"`
}

func (f measuredFile) String() string { return fmt.Sprintf("%d rows of %s", f.Rows, f.File) }

// estimate is a measured value as it is printed. Without a value it is undefined.
type estimate struct {
	Value      *float64 `json:"value"`
	Lower      *float64 `json:"lower"`
	Upper      *float64 `json:"upper"`
	Samples    uint64   `json:"samples"`
	Convention string   `json:"convention"`
}

func printable(e measure.Estimate) estimate {
	return estimate{&e.Value, e.Lower, e.Upper, e.Samples, e.Convention}
}

// possible is an estimate, or why there is none.
type possible struct {
	estimate
	Undefined string `json:"undefined,omitempty"`
}

func orUndefined(e measure.Estimate, err error) possible {
	if err != nil {
		return possible{Undefined: err.Error()}
	}
	return possible{estimate: printable(e)}
}

// text writes the value, or that there is none.
func (p *possible) text() string {
	if p.Value == nil {
		return "undefined"
	}
	return decimals(p.Value)
}

// beforeText writes the value of the reference file, if it has one.
func beforeText(e *estimate) string {
	if e == nil {
		return "-"
	}
	return decimals(e.Value)
}

// intervalText writes [lower, upper]; an end that is open stays empty.
func (e *estimate) intervalText() string {
	if e.Lower == nil && e.Upper == nil {
		return "-"
	}
	end := func(v *float64) string {
		if v == nil {
			return ""
		}
		return decimals(v)
	}
	return "[" + end(e.Lower) + ", " + end(e.Upper) + "]"
}

// decimals writes a number for a column of a table.
func decimals(v *float64) string {
	switch {
	case v == nil:
		return "-"
	case *v != 0 && (*v < 0.001 && *v > -0.001 || *v >= 1e6 || *v <= -1e6):
		return fmt.Sprintf("%.3g", *v)
	}
	return fmt.Sprintf("%.4f", *v)
}

func printMeasured(out io.Writer, result any) error {
	e := json.NewEncoder(out)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(result)
}
