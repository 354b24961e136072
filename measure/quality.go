package measure

import "fmt"

// Conventions of the data quality measures: shares with Wilson intervals, each
// over the values that could have had the fault.
const (
	ConventionMissingShare     = "missing_share/wilson@1"
	ConventionTypeFaultShare   = "type_fault_share/wilson@1"
	ConventionOutOfRangeShare  = "out_of_range_share/wilson@1"
	ConventionNewCategoryShare = "new_category_share/wilson@1"
)

// QualityCounts are what one window counted about one column, replicas and
// windows being added up. Each value has at most one fault, found in this order:
// it is missing, else of a type that does not fit (text where a number belongs,
// or infinite), else outside the range or of a category that the baseline has not.
type QualityCounts struct {
	Rows       uint64
	Missing    uint64
	TypeFault  uint64
	OutOfRange uint64 // numeric columns only
	New        uint64 // categorical columns only
}

// MissingShare is the share of the rows that have no value, with its Wilson
// interval at the given confidence.
//
// This and the other shares are undefined where no value could have had the
// fault, for counts that do not fit each other, and for a confidence outside
// (0, 1).
func (q QualityCounts) MissingShare(confidence float64) (Estimate, error) {
	return q.share(q.Missing, q.Rows, confidence, ConventionMissingShare)
}

// TypeFaultShare is the share of the values that are there whose type does not
// fit.
func (q QualityCounts) TypeFaultShare(confidence float64) (Estimate, error) {
	return q.share(q.TypeFault, q.Rows-q.Missing, confidence, ConventionTypeFaultShare)
}

// OutOfRangeShare is the share of the numbers that lie outside the range, which
// is declared, or the baseline's own with a margin.
func (q QualityCounts) OutOfRangeShare(confidence float64) (Estimate, error) {
	return q.share(q.OutOfRange, q.Rows-q.Missing-q.TypeFault, confidence, ConventionOutOfRangeShare)
}

// NewCategoryShare is the share of the categories that the baseline has not
// seen.
func (q QualityCounts) NewCategoryShare(confidence float64) (Estimate, error) {
	return q.share(q.New, q.Rows-q.Missing-q.TypeFault, confidence, ConventionNewCategoryShare)
}

func (q QualityCounts) share(faults, values uint64, confidence float64, convention string) (Estimate, error) {
	all, ok := sum([]uint64{q.Missing, q.TypeFault, q.OutOfRange, q.New})
	if !ok || all > q.Rows {
		return Estimate{}, fmt.Errorf("%s: more faults than rows in %+v: %w", convention, q, ErrUndefined)
	}
	p := Proportion{Favourable: faults, Total: values}
	lower, upper, err := Wilson(p, confidence)
	if err != nil {
		return Estimate{}, fmt.Errorf("%s: %w", convention, err)
	}
	return Estimate{Value: p.share(), Lower: &lower, Upper: &upper, Samples: values, Convention: convention}, nil
}

// ConstantNumbers says whether all numbers of a column were the same one: a
// sensor that hangs, a default that replaced the value.
//
// Undefined for fewer than two numbers. How surprising it is depends on the
// baseline: where one value holds a share s, n rows are all that one with s^n.
func ConstantNumbers(m Moments) (bool, error) {
	if m.N < 2 || !(m.Min <= m.Max) {
		return false, fmt.Errorf("constant column: %d numbers from %v to %v: %w", m.N, m.Min, m.Max, ErrUndefined)
	}
	return m.Min == m.Max, nil
}

// ConstantCategories says the same of a column of categories, from the counts
// of each and the number of values that are in cells of several categories, such
// as (other) and (new).
//
// Undefined for fewer than two values, and where all are in cells of several
// categories, which may be one or many.
func ConstantCategories(counts []uint64, folded uint64) (bool, error) {
	n, ok := sum(append([]uint64{folded}, counts...))
	if !ok || n < 2 || folded == n {
		return false, fmt.Errorf("constant column: %d values, %d of them in cells of several categories: %w", n, folded, ErrUndefined)
	}
	used := 0
	for _, c := range counts {
		if c > 0 {
			used++
		}
	}
	return used == 1 && folded == 0, nil
}
