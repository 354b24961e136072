package main

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/evenkeel/evenkeel/internal/errs"
	"github.com/evenkeel/evenkeel/measure"
)

// Metrics beside measure.DisparityMeasures.
const (
	metricImpactRatio = "impact_ratio_min_max"
	metricCalibration = "calibration_error"
)

// calibrationSeed makes the simulation behind a calibration error repeatable.
const calibrationSeed = 1

// maxGroups bounds the groups of an attribute, as a baseline does.
const maxGroups = 100

type fairnessOptions struct {
	confidence, minShare float64
	intersect            bool
	reference            map[string]string // by attribute
	outcome, favourable  string            // for people
}

// fairnessResult is what evenkeel measure fairness prints.
type fairnessResult struct {
	Reference  *measuredFile `json:"reference"` // null where there is none
	Current    measuredFile  `json:"current"`
	Attributes []fairness    `json:"attributes"`
}

// fairness is what was measured by one protected attribute.
type fairness struct {
	Attribute      string          `json:"attribute"`
	ReferenceGroup string          `json:"reference_group"`
	Declared       bool            `json:"declared"` // false: the largest group was taken
	Groups         []fairnessGroup `json:"groups"`
	Disparities    []disparity     `json:"disparities"`

	labels bool
}

type fairnessGroup struct {
	Group      string `json:"group"`
	Rows       uint64 `json:"rows"`
	Favourable uint64 `json:"favourable"`
	Labels     uint64 `json:"labels"` // rows whose label is known
	Judged     bool   `json:"judged"`
}

// disparity is one measure of one group. Without a group it is about all judged
// groups at once.
type disparity struct {
	Metric string `json:"metric"`
	Group  string `json:"group"`
	Judged bool   `json:"judged"`
	possible
	P      *float64  `json:"p"`      // of equal shares, adjusted for all judged groups
	Before *estimate `json:"before"` // in the reference file
}

func measureFairness(p *decisions, r roles, o fairnessOptions) (*fairnessResult, error) {
	tables, err := p.count(r, o.intersect)
	if err != nil {
		return nil, err
	}
	result := &fairnessResult{Current: p.measuredFile, Attributes: []fairness{}}
	for i := range tables {
		t := &tables[i]
		if len(t.groups) > maxGroups {
			return nil, errs.E("compare groups", errs.Invalid, fmt.Errorf("%s has %d groups, more than %d", t.attribute, len(t.groups), maxGroups), "is it an identifier? make ranges of numbers such as an age")
		}
		if err := t.settle(o.reference[t.attribute]); err != nil {
			return nil, err
		}
		result.Attributes = append(result.Attributes, t.measure(p.label != nil, p.score != nil, o))
	}
	return result, nil
}

// measure compares the groups of one attribute.
func (t *table) measure(labels, scores bool, o fairnessOptions) fairness {
	f := fairness{Attribute: t.attribute, ReferenceGroup: t.reference, Declared: t.declared, labels: labels}
	all := t.rows()
	var judged []measure.Proportion
	comparisons := 0
	for _, name := range slices.Sorted(maps.Keys(t.groups)) {
		g := t.groups[name]
		in := fairnessGroup{
			Group: name, Rows: g.outcomes.Total, Favourable: g.outcomes.Favourable, Labels: g.labelled.Accuracy().Total,
			Judged: float64(g.outcomes.Total) >= o.minShare*float64(all),
		}
		if in.Judged {
			judged = append(judged, g.outcomes)
		}
		if in.Judged && name != t.reference {
			comparisons++
		}
		f.Groups = append(f.Groups, in)
	}
	confidence := measure.Bonferroni(o.confidence, comparisons)
	for _, m := range measure.DisparityMeasures() {
		if m.Labels && !labels {
			continue
		}
		for _, g := range f.Groups {
			if g.Group == t.reference {
				continue
			}
			e, err := m.Of(t.groups[g.Group].table(m.Labels), t.groups[t.reference].table(m.Labels), confidence)
			f.add(m.Name, g.Group, g.Judged, e, err)
		}
	}
	e, err := measure.ImpactRatio(judged, o.confidence)
	f.add(metricImpactRatio, "", true, e, err)
	if labels && scores {
		t.calibration(&f, o.confidence)
	}
	f.explain(t)
	return f
}

// table gives the counts that a measure is computed from: rows with a label, or
// all rows, of which only the decisions are known.
func (g *tally) table(labels bool) measure.Confusion {
	if labels {
		return g.labelled
	}
	return measure.Confusion{TruePositive: g.outcomes.Favourable, TrueNegative: g.outcomes.Total - g.outcomes.Favourable}
}

// calibration measures every group by itself, the reference group included.
func (t *table) calibration(f *fairness, confidence float64) {
	confidence = measure.Bonferroni(confidence, len(f.Groups))
	for _, g := range f.Groups {
		cells, err := measure.DistinctScores(t.groups[g.Group].scores, t.groups[g.Group].favoured)
		var e measure.Estimate
		if err == nil {
			e, err = measure.CorrectedECE(cells, confidence, calibrationSeed)
		}
		f.add(metricCalibration, g.Group, g.Judged, e, err)
	}
}

func (f *fairness) add(metric, group string, judged bool, e measure.Estimate, err error) {
	f.Disparities = append(f.Disparities, disparity{Metric: metric, Group: group, Judged: judged, possible: orUndefined(e, err)})
}

// explain adds the p-values of equal shares, adjusted over the judged groups.
func (f *fairness) explain(t *table) {
	var p []float64
	var of []*disparity
	for i := range f.Disparities {
		d := &f.Disparities[i]
		if d.Metric != measure.DisparityMeasures()[0].Name || !d.Judged {
			continue
		}
		if x, err := measure.ProportionsTest(t.groups[d.Group].outcomes, t.groups[t.reference].outcomes); err == nil {
			p, of = append(p, x), append(of, d)
		}
	}
	adjusted, err := measure.Holm(p)
	if err != nil {
		return
	}
	for i, d := range of {
		d.P = &adjusted[i]
	}
}

// standBeside fills in what the reference file had.
func (r *fairnessResult) standBeside(earlier *fairnessResult) {
	r.Reference = &earlier.Current
	for i := range r.Attributes {
		for j := range r.Attributes[i].Disparities {
			now := &r.Attributes[i].Disparities[j]
			for _, before := range earlier.Attributes[i].Disparities {
				if before.Metric == now.Metric && before.Group == now.Group && before.Value != nil && earlier.Attributes[i].ReferenceGroup == r.Attributes[i].ReferenceGroup {
					now.Before = &before.estimate
				}
			}
		}
	}
}

func (r *fairnessResult) print(out io.Writer, o fairnessOptions) error {
	var text strings.Builder
	fmt.Fprintf(&text, "Fairness of %s, favourable is %s %s", r.Current, o.outcome, o.favourable)
	if r.Reference != nil {
		fmt.Fprintf(&text, "; before: %s", r.Reference)
	}
	text.WriteByte('\n')
	for i := range r.Attributes {
		r.Attributes[i].write(&text, r.Reference != nil)
	}
	_, err := io.WriteString(out, text.String())
	return err
}

func (f *fairness) write(out io.Writer, before bool) {
	t := newTable(out)
	fmt.Fprintf(t, "\n%s\tROWS\tFAVOURABLE\tLABELS\tNOTE\n", strings.ToUpper(f.Attribute))
	for _, g := range f.Groups {
		labels, note := "-", "-"
		if f.labels {
			labels = share(g.Labels, g.Rows)
		}
		switch {
		case g.Group == f.ReferenceGroup && f.Declared:
			note = "reference group"
		case g.Group == f.ReferenceGroup:
			note = "reference group, as the largest"
		case !g.Judged:
			note = "too small to be judged"
		}
		fmt.Fprintf(t, "%s\t%d\t%s\t%s\t%s\n", g.Group, g.Rows, share(g.Favourable, g.Rows), labels, note)
	}
	_ = t.Flush() // into a strings.Builder: cannot fail
	head := "\nMETRIC\tGROUP\tVALUE\tINTERVAL\tROWS\tP"
	if before {
		head += "\tBEFORE"
	}
	fmt.Fprintln(t, head)
	for i := range f.Disparities {
		d := &f.Disparities[i]
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%d\t%s", strings.ReplaceAll(d.Metric, "_", " "), cmp.Or(d.Group, "(all judged)"), d.text(), d.intervalText(), d.Samples, decimals(d.P))
		if before {
			fmt.Fprintf(t, "\t%s", beforeText(d.Before))
		}
		fmt.Fprintln(t)
	}
	_ = t.Flush()
}
