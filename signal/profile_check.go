package signal

import (
	"fmt"
	"math"
	"math/bits"
)

// check holds for every distribution that entered or left the system.
func (d *Distribution) check() error {
	switch {
	case d.Model.Name == "":
		return fmt.Errorf("%s: empty", KeyModelName)
	case d.Window.Instance == "" || d.Window.Sequence == 0:
		return fmt.Errorf("%s, %s: a window is named by its instance and a sequence from 1", keyWindowInstance, keyWindowSequence)
	case !d.Start.Before(d.End):
		return fmt.Errorf("%s: the window ends at %s, not after its start %s", keyWindowEnd, d.End, d.Start)
	}
	if err := d.checkParts(); err != nil {
		return err
	}
	if err := d.checkLineage(); err != nil {
		return err
	}
	if err := d.checkOutcomes(); err != nil {
		return err
	}
	if d.Target == TargetGroup {
		return d.checkGroups()
	}
	return d.checkCells()
}

// checkCells holds for every distribution but those of groups.
func (d *Distribution) checkCells() error {
	values, overflow := addUp(d.Counts...)
	sum, more := addUp(values, d.Missing, d.Other, d.New, d.Invalid)
	switch {
	case overflow || more:
		return fmt.Errorf("%s: the cells add up to more than 64 bits", keyCounts)
	case sum != d.N:
		return fmt.Errorf("%s: %d, but the cells add up to %d", keyN, d.N, sum)
	case d.OutOfRange > values:
		return fmt.Errorf("%s: %d of %d values", keyOutOfRange, d.OutOfRange, values)
	case d.Kind == Sums && len(d.Counts) != 1:
		return fmt.Errorf("%s: %d cells, but a distribution of sums has one, its rows", keyCounts, len(d.Counts))
	}
	return nil
}

// checkParts holds for what only some distributions have.
func (d *Distribution) checkParts() error {
	switch e := d.Estimated; {
	case !(d.Rate >= 0 && d.Rate <= 1):
		return fmt.Errorf("%s: %v is no share", keyRate, d.Rate)
	case max(d.Capture.OverCeiling, d.Capture.Unread) > d.Capture.SampledOut:
		return fmt.Errorf("%s, %s: more than the %d of %s", keyOver, keyUnread, d.Capture.SampledOut, keyCaptureSampled)
	case e == nil:
		return nil
	case len(e.Positives) != len(e.Negatives) || len(e.Positives) > maxElements:
		return fmt.Errorf("%s: %d cells of positives and %d of negatives", keyEstimated, len(e.Positives), len(e.Negatives))
	case !notNegative(e.TruePositive, e.FalsePositive, e.TrueNegative, e.FalseNegative) || !notNegative(e.Positives...) || !notNegative(e.Negatives...):
		return fmt.Errorf("%s: a number of rows is negative or not finite", keyEstimated)
	}
	return nil
}

// notNegative says that all numbers are finite and not negative.
func notNegative(numbers ...float64) bool {
	for _, x := range numbers {
		if !(x >= 0) || math.IsInf(x, 0) {
			return false
		}
	}
	return true
}

func addUp(counts ...uint64) (sum uint64, overflow bool) {
	for _, c := range counts {
		var carry uint64
		sum, carry = bits.Add64(sum, c, 0)
		overflow = overflow || carry != 0
	}
	return sum, overflow
}

func (d *Distribution) checkGroups() error {
	if err := checkGroups(d.Groups); err != nil {
		return fmt.Errorf("%s: %w", keyGroups, err)
	}
	return nil
}

// checkGroups holds for every table of groups, of a window or of a baseline: no
// group has more favourable rows than rows, and names ascend, so that each is
// there once.
func checkGroups(groups []GroupCount) error {
	for i, g := range groups {
		if g.Favourable > g.Total {
			return fmt.Errorf("group %q has %d favourable of %d", g.Group, g.Favourable, g.Total)
		}
		if err := checkRequests(g); err != nil {
			return fmt.Errorf("group %q: %w", g.Group, err)
		}
		if i > 0 && groups[i-1].Group >= g.Group {
			return fmt.Errorf("group %q is out of order or twice", g.Group)
		}
	}
	return nil
}

// requestsSlack is by how much the sums over requests may differ from the rows
// they sum: they are floating point.
const requestsSlack = 1e-6

// checkRequests holds for the sums over the requests of a group's rows.
func checkRequests(g GroupCount) error {
	r := g.Requests
	if r == nil {
		return nil
	}
	near := func(x float64, n uint64) bool { return math.Abs(x-float64(n)) <= requestsSlack*max(1, float64(n)) }
	if !notNegative(r.Rows, r.Favourable, r.RowsSquared, r.RowsFavourable, r.FavourableSquare) ||
		!near(r.Rows, g.Total) || !near(r.Favourable, g.Favourable) {
		return fmt.Errorf("requests: %v favourable of %v rows, and the table has %d of %d", r.Favourable, r.Rows, g.Favourable, g.Total)
	}
	return nil
}
