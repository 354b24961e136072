package main

import (
	"context"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"

	"github.com/evenkeel/evenkeel/agent/window"
	"github.com/evenkeel/evenkeel/internal/category"
	"github.com/evenkeel/evenkeel/internal/tabular"
	"github.com/evenkeel/evenkeel/measure"
	"github.com/evenkeel/evenkeel/signal"
)

// comparison is a reference as the baseline that an agent would have, and the
// current rows as the one window that it would count them into.
type comparison struct {
	reference, current measuredFile
	plan               *plan
	survey             *tabular.Survey // of the current file
	baseline           *signal.Baseline
	window             *window.Closed
	violations         []window.Violations

	duplicates *measure.HyperLogLog // of the current rows; nil: not counted
}

// compare reads both files twice: to learn what their columns hold, and to count.
// What is to be counted beside the window is set before.
func (c *comparison) compare(ctx context.Context, s schema, reference, current input, terminal io.Writer) error {
	if err := c.build(ctx, s, reference, terminal); err != nil {
		return err
	}
	file, err := openInput(ctx, current, terminal)
	if err != nil {
		return err
	}
	defer file.close()
	if c.survey, err = file.survey(); err != nil {
		return err
	}
	c.current = measuredFile{current.path, c.survey.Rows}
	return c.count(file)
}

// build makes the baseline.
func (c *comparison) build(ctx context.Context, s schema, reference input, terminal io.Writer) error {
	file, err := openInput(ctx, reference, terminal)
	if err != nil {
		return err
	}
	defer file.close()
	survey, err := file.survey()
	if err != nil {
		return err
	}
	c.reference = measuredFile{reference.path, survey.Rows}
	if c.plan, err = s.plan(reference.path, survey); err != nil {
		return err
	}
	c.baseline, err = c.plan.build(s, file, survey.Rows)
	return err
}

// chunkRows is how many rows make an observation.
const chunkRows = 4096

// count counts the current rows with an agent's profiler. A column that the file
// does not have is missing in every row, as it is in a request without it.
func (c *comparison) count(file *inputFile) error {
	profiler, remove, err := c.profiler()
	if err != nil {
		return err
	}
	defer remove()
	var want []tabular.Want
	var columns []signal.Column
	for _, planned := range c.plan.columns {
		i := indexOf(c.survey, planned.Name)
		if planned.target == "" || i < 0 {
			continue
		}
		w := planned.asPlanned()
		w.Column = i
		want = append(want, w)
		columns = append(columns, signal.Column{Name: signal.FeatureName(planned.Name), Target: planned.target})
	}
	_, err = pass(file, func(r *tabular.Reader, progress tabular.Progress) (struct{}, error) {
		return struct{}{}, tabular.Chunks(r, want, chunkRows, progress, func(rows int, values []tabular.Values) error {
			for i, v := range values {
				columns[i].Strings, columns[i].Missing = v.Texts, v.Missing
			}
			profiler.Observe(&signal.Observation{Model: c.baseline.Model, Rows: rows, Columns: columns})
			c.addRows(rows, columns, want)
			return nil
		})
	})
	if err != nil {
		return err
	}
	c.violations = profiler.Violations()
	profiler.Flush()
	return nil
}

// addRows looks for rows that are there twice, by all columns that are counted.
func (c *comparison) addRows(rows int, columns []signal.Column, want []tabular.Want) {
	if c.duplicates == nil {
		return
	}
	for i := range rows {
		var row measure.RowHash
		for j := range columns {
			x, isNumber := category.Number(columns[j].Strings[i])
			switch {
			case columns[j].Missing[i]:
				row = row.Missing()
			case want[j].Numeric && isNumber:
				row = row.Number(x)
			default:
				row = row.Text(columns[j].Strings[i])
			}
		}
		c.duplicates.Add(row)
	}
}

// profiler makes a profiler whose one window ends when it is flushed. It numbers
// windows in a file, as an agent's does, in a folder that remove removes.
func (c *comparison) profiler() (p *window.Profiler, remove func(), err error) {
	folder, err := os.MkdirTemp("", "evenkeel-measure-")
	if err != nil {
		return nil, nil, fmt.Errorf("count rows: %w", err)
	}
	remove = func() { _ = os.RemoveAll(folder) } // of no use to anybody
	sequences, err := window.OpenSequences(filepath.Join(folder, "sequences.json"))
	if err == nil {
		p, err = window.New(window.Options{
			Instance: "file", Model: c.baseline.Model, Baseline: c.baseline,
			Count: math.MaxUint64, Sequences: sequences,
			Sink: func(w *window.Closed) { c.window = w },
		})
	}
	if err != nil {
		remove()
		return nil, nil, fmt.Errorf("count rows: %w", err)
	}
	return p, remove, nil
}

// distribution finds what was counted of a column.
func (c *comparison) distribution(f *signal.FeatureBaseline) *signal.Distribution {
	for _, d := range c.window.Distributions {
		if d.Target == f.Target && d.Feature == f.Name {
			return d
		}
	}
	return nil
}

// indexOf finds a column by name; -1 where there is none.
func indexOf(s *tabular.Survey, name string) int {
	for i := range s.Columns {
		if s.Columns[i].Name == name {
			return i
		}
	}
	return -1
}
