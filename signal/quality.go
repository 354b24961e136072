package signal

import (
	"strconv"

	"github.com/evenkeel/evenkeel/measure"
)

// requiredMissing is up to which share of missing values in the baseline an
// input is required: that much was approved as an accident, more as a habit.
const requiredMissing = 0.01

// Quality gives the shares of an input's values that are missing, of a type
// that does not fit, or of a category that the baseline has not, each with its
// Wilson interval. f is the baseline's column, nil where there is none. The
// attribute evenkeel.feature.required says whether the baseline had a value in
// at least 99% of its rows. Other columns than inputs give nothing, and neither
// do empty windows.
func Quality(f *FeatureBaseline, d *Distribution, confidence float64) []Quantity {
	if d.Target != TargetFeature {
		return nil
	}
	required := f != nil && float64(f.Missing) <= float64(requiredMissing*float64(f.N))
	counts := measure.QualityCounts{Rows: d.N, Missing: d.Missing, TypeFault: d.Invalid, New: d.New}
	var out []Quantity
	for _, m := range []struct {
		violation string
		applies   bool
		share     func(confidence float64) (measure.Estimate, error)
	}{
		{ViolationMissing, true, counts.MissingShare},
		{ViolationType, true, counts.TypeFaultShare},
		{ViolationNewCategory, d.Kind == Categorical && f != nil, counts.NewCategoryShare},
	} {
		if !m.applies {
			continue
		}
		if e, err := m.share(confidence); err == nil {
			out = append(out, Quantity{MetricQuality, []Label{
				{KeyViolation, m.violation},
				{KeyFeatureName, string(d.Feature)},
				{KeyFeatureRequired, strconv.FormatBool(required)},
				{KeyBaselineID, d.Baseline.Short()},
			}, e})
		}
	}
	return out
}
