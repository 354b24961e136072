package fleet

import (
	"context"
	"strings"

	"github.com/evenkeel/evenkeel/internal/errs"
	"github.com/evenkeel/evenkeel/signal"
)

// keptBaselines bounds what is held in memory; beyond it they are read again.
const keptBaselines = 256

// reference is a baseline with what is worked out of it once.
type reference struct {
	*signal.Baseline
	bounds   map[part]signal.Digest // of its columns, kernels and estimated performance
	followed int                    // columns with a drift process
	meant    bool                   // it says what a prediction means
}

// part names what an agent counts under a baseline.
type part struct {
	target  signal.Target
	feature signal.FeatureName
}

// baseline gives a baseline by digest, nil where it was never declared.
// Baselines never change, so those that were found are kept.
func (f *Fleet) baseline(ctx context.Context, digest signal.Digest) (*reference, error) {
	if digest == "" {
		return nil, nil
	}
	if r := f.baselines[digest]; r != nil {
		return r, nil
	}
	b, err := f.options.Store.Baseline(ctx, digest)
	if errs.KindOf(err) == errs.NotFound {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	r, err := newReference(b, digest)
	if err != nil {
		return nil, err
	}
	if len(f.baselines) >= keptBaselines {
		clear(f.baselines)
	}
	f.baselines[digest] = r
	return r, nil
}

func newReference(b *signal.Baseline, digest signal.Digest) (*reference, error) {
	r := &reference{Baseline: b, bounds: map[part]signal.Digest{}}
	var err error
	for i := range b.Features {
		c := &b.Features[i]
		if r.bounds[part{c.Target, c.Name}], err = c.Bounds(); err != nil {
			return nil, err
		}
		if followed(c.Target, c.Name) {
			r.followed++
		}
	}
	for i := range b.Joint {
		j := &b.Joint[i]
		if j.Kernel == nil {
			continue
		}
		if r.bounds[part{j.Target, j.Name}], err = j.KernelBounds(); err != nil {
			return nil, err
		}
	}
	if b.Outcome != nil && b.Outcome.Calibrator != nil {
		if r.bounds[part{signal.TargetPerformance, b.Outcome.Output}], err = b.Outcome.EstimateBounds(); err != nil {
			return nil, err
		}
	}
	_, err = signal.NewCohort(b, digest)
	r.meant = err == nil
	return r, nil
}

// followed says that a column has a drift process of its own. Slices of joint
// sets have none, since a set is judged as a whole, nor have trigrams: those of
// one text depend on each other.
func followed(target signal.Target, name signal.FeatureName) bool {
	switch target {
	case signal.TargetFeature, signal.TargetPrediction:
		return true
	case signal.TargetText:
		return !strings.HasSuffix(string(name), "."+signal.TextTrigrams)
	}
	return false
}

// content is the baseline itself; nil of none.
func (r *reference) content() *signal.Baseline {
	if r == nil {
		return nil
	}
	return r.Baseline
}

// has says that a column was counted in the cells of this baseline; no baseline
// has any.
func (r *reference) has(c column) bool {
	if r == nil {
		return false
	}
	bounds, known := r.bounds[part{c.target, c.feature}]
	return known && bounds == c.bounds
}

// column finds the baseline's column with the same cells; nil where there is
// none, also in no baseline.
func (r *reference) column(c column) *signal.FeatureBaseline {
	if !r.has(c) {
		return nil
	}
	return r.Feature(c.target, c.feature)
}
