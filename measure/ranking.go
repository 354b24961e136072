package measure

import (
	"fmt"
	"math"
)

// Conventions of the area under the ROC curve.
const (
	ConventionAUC       = "auc/newcombe5@1"
	ConventionAUCBinned = "auc/binned_newcombe5@1"
)

// AUC is the area under the ROC curve: the probability that a positive row has
// a higher score than a negative one, a tie counting half. The cells hold one
// score each, as DistinctScores makes them. Scores may be on any scale, since
// only their order matters.
//
// The interval is Newcombe's method 5 (Statistics in Medicine 25, 2006, part 2):
// the areas t with |area - t| <= z sqrt(V(t)), where with k = (m+n)/2 - 1
//
//	V(t) = t (1-t) (1 + k (1-t)/(2-t) + k t/(1+t)) / (m n)
//
// for m positives and n negatives; it exists also where both are separated
// perfectly. Samples counts all rows. Undefined where one class is missing.
func AUC(cells []ScoreCell, confidence float64) (Estimate, error) {
	a, err := areaOf(cells)
	if err != nil {
		return Estimate{}, err
	}
	return a.estimate(a.tied, a.tied, confidence, ConventionAUC)
}

// BinnedAUC is AUC where a cell holds more than one score, so that the order
// within a cell is not known. It counts pairs in one cell as half; the true area
// of these rows lies between the bounds that AUCBounds gives. The interval
// starts from those bounds instead of the value and is so much wider.
func BinnedAUC(cells []ScoreCell, confidence float64) (Estimate, error) {
	a, err := areaOf(cells)
	if err != nil {
		return Estimate{}, err
	}
	return a.estimate(a.least, a.greatest, confidence, ConventionAUCBinned)
}

// AUCBounds are the areas if all pairs within a cell were in the wrong and in
// the right order. Undefined where BinnedAUC is.
func AUCBounds(cells []ScoreCell) (least, greatest float64, err error) {
	a, err := areaOf(cells)
	return a.least, a.greatest, err
}

// rocArea is the area under the ROC curve with pairs in one cell counted as half,
// not, and fully, and the rows of both classes behind it.
type rocArea struct {
	tied, least, greatest float64
	positives, negatives  float64
	rows                  uint64
}

func areaOf(cells []ScoreCell) (rocArea, error) {
	rows, positives, err := checkCells(cells)
	if err != nil {
		return rocArea{}, fmt.Errorf("auc: %w", err)
	}
	if positives == 0 || positives == rows {
		return rocArea{}, fmt.Errorf("auc: %d positives among %d rows: %w", positives, rows, ErrUndefined)
	}
	a := rocArea{positives: float64(positives), negatives: float64(rows - positives), rows: rows}
	var below, ordered, within float64 // negatives below; pairs in order; pairs in one cell
	for _, c := range cells {
		p, n := float64(c.Positives), float64(c.Rows-c.Positives)
		ordered += float64(p * below)
		within += float64(p * n)
		below += n
	}
	pairs := a.positives * a.negatives
	a.least = min(1, ordered/pairs)
	a.tied = min(1, (ordered+within/2)/pairs)
	a.greatest = min(1, (ordered+within)/pairs)
	return a, nil
}

func (a rocArea) estimate(least, greatest, confidence float64, convention string) (Estimate, error) {
	z, err := criticalValue(confidence)
	if err != nil {
		return Estimate{}, fmt.Errorf("auc: %w", err)
	}
	lower := a.limit(least, 0, z)
	upper := a.limit(greatest, 1, z)
	return Estimate{Value: a.tied, Lower: &lower, Upper: &upper, Samples: a.rows, Convention: convention}, nil
}

// limit is the area farthest from value towards end that the data do not
// reject, by bisection: at value the distance is 0 and within, and it grows
// faster than the root of the variance from there on.
func (a rocArea) limit(value, end, z float64) float64 {
	k := (a.positives+a.negatives)/2 - 1
	inside, outside := value, end
	for range 100 {
		t := inside + float64((outside-inside)/2)
		spread := 1 + float64(k*(1-t))/(2-t) + float64(k*t)/(1+t)
		variance := float64(t*(1-t)) * spread / a.positives / a.negatives
		if math.Abs(value-t) <= z*math.Sqrt(variance) {
			inside = t
		} else {
			outside = t
		}
	}
	return inside
}
