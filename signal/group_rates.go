package signal

import (
	"strconv"

	"github.com/evenkeel/evenkeel/measure"
)

// conventionHeld is that of the rows of groups that are too small to be told.
const conventionHeld = "held_rows@1"

// SelectionRates gives the favourable share of each group of a table, and how
// many rows are held back because their group is too small to be told yet.
//
// Rows that came in requests of several count for less: the interval is Wilson's
// at the rows over the design effect, where that is known. The siblings least and
// greatest say what the share can have been if every lost row had been one of
// this group, none or all of them favourable.
func SelectionRates(d *Distribution, o FairnessOptions) []Quantity {
	if d.Target != TargetGroup {
		return nil
	}
	rows, all := d.rows(), weightOf(d.Groups)
	var out []Quantity
	for _, g := range d.Groups {
		e, err := g.selection(o.Confidence)
		if err != nil {
			continue
		}
		q := Quantity{Metric: MetricSelectionRate, Dimensions: []Dimension{
			{KeyProtected, string(d.Feature)},
			{KeyGroup, g.Group},
			{KeyGroupJudged, strconv.FormatBool(o.judges(g, all))},
		}, Estimate: e}
		lost := d.lostRows(all * (float64(g.Total) / g.standsFor())) // the table's rows, as rows of this group count
		if least, greatest, err := measure.LossBounds(measure.Proportion{Favourable: g.Favourable, Total: g.Total}, lost); err == nil {
			q.Beside = []Sibling{{SuffixLeast, least}, {SuffixGreatest, greatest}}
		}
		out = append(out, q)
	}
	return append(out, Quantity{
		Metric: MetricFairnessHeld, Dimensions: []Dimension{{KeyProtected, string(d.Feature)}},
		Estimate: measure.Estimate{Value: float64(d.Held), Samples: rows, Convention: conventionHeld},
	})
}

// selection is the favourable share, at the effective number of rows.
func (g *GroupCount) selection(confidence float64) (measure.Estimate, error) {
	effect := 1.0
	if g.Requests != nil {
		if known, err := g.Requests.DesignEffect(); err == nil {
			effect = known
		}
	}
	n := float64(g.Total)
	return measure.WeightedProportion(float64(g.Favourable), measure.Weights{Sum: n, Squares: n}, effect, confidence)
}
