package measure

import (
	"fmt"
	"math"
)

// ConventionDriftEvidence names the construction of DriftEvidence: a ball of
// Kullback-Leibler radius as the null, and a mixture of two Dirichlet-multinomial
// distributions against it.
const ConventionDriftEvidence = "drift_evidence/kl_ball_dm2@1"

// DriftOptions say which changes the anytime-valid process is to ignore, and
// how far it trusts the baseline.
type DriftOptions struct {
	// Tolerance is the divergence KL(baseline || window), in nats, up to which
	// a window is no drift. 0.005 is about a PSI of 0.01; at 0 only the
	// uncertainty of the baseline itself is allowed for.
	Tolerance float64
	// Miss is the probability, once in a baseline's life, that the baseline's
	// own sample lies so far from the truth that the promise does not hold.
	Miss float64
	// Deflation is phi >= 1, the factor by which dependence between rows makes
	// counts vary more than independent rows would: see Deflation. 1 takes the
	// rows as independent.
	Deflation float64
}

// DefaultDriftOptions are a tolerance of 0.005 nats, a miss of 0.001, and rows
// that are independent.
func DefaultDriftOptions() DriftOptions {
	return DriftOptions{Tolerance: 0.005, Miss: 0.001, Deflation: 1}
}

// DriftProcess collects evidence, window by window, that a feature has left its
// baseline, and may be looked at after every window without paying for it. It
// holds what one baseline says about one feature and never changes; what was
// seen is the caller's DriftEvidence.
//
// The null hypothesis is, for every window w: given all that was recorded
// before, the rows are independent draws from some shares p_w with
//
//	KL(r || p_w) <= rho = max(Tolerance, Deflation k / n)
//
// where r are the baseline's shares of its n rows. Under it
//
//	P(evidence ever reaches K/alpha for one of K features) <= alpha + K Miss
//
// exactly where Deflation is 1 and the rows are independent. Dividing the
// counts by a Deflation above 1 is a heuristic against autocorrelation:
// simulated, not proven.
type DriftProcess struct {
	shares    []float64
	radius    float64
	deflation float64
}

// NewDriftProcess prepares the process for one feature from the baseline's
// counts, in the same cells as the windows to come.
//
// Undefined for fewer than two cells, for an empty baseline, and for options
// outside their range: Tolerance >= 0, 0 < Miss < 1, Deflation >= 1, all finite.
func NewDriftProcess(reference []uint64, o DriftOptions) (*DriftProcess, error) {
	n, ok := sum(reference)
	if len(reference) < 2 || !ok || n == 0 {
		return nil, fmt.Errorf("drift process: a baseline of %d rows in %d cells: %w", n, len(reference), ErrUndefined)
	}
	if !(o.Tolerance >= 0 && o.Miss > 0 && o.Miss < 1 && o.Deflation >= 1) || math.IsInf(o.Tolerance, 0) || math.IsInf(o.Deflation, 0) {
		return nil, fmt.Errorf("drift process: options %+v out of range: %w", o, ErrUndefined)
	}
	p := &DriftProcess{deflation: o.Deflation, shares: make([]float64, len(reference))}
	for i, c := range reference {
		p.shares[i] = float64(c) / float64(n)
	}
	p.radius = max(o.Tolerance, o.Deflation*baselineRadius(len(reference), o.Miss)/float64(n))
	return p, nil
}

// Radius is rho: the divergence from the baseline, in nats, that is not drift.
func (p *DriftProcess) Radius() float64 { return p.radius }

// DriftEvidence is what a DriftProcess has seen: a small value that is stored
// as JSON, read back and continued with the same result to the last bit. The
// zero value has seen nothing.
type DriftEvidence struct {
	Windows uint64 `json:"windows"` // with at least one row
	Rows    uint64 `json:"rows"`    // of all these windows
	// LogStarted is the natural logarithm of R_w, the evidence for a drift that
	// started in one of the windows seen. It means nothing while Windows is 0.
	LogStarted float64 `json:"log_started"`
	// Earlier are the counts seen, deflated, each window weighing 0.9 of its
	// successor: what the next window is bet to look like.
	Earlier []float64 `json:"earlier,omitempty"`
}

const (
	// earlierWeight is what a window's counts lose to each later window.
	earlierWeight = 0.9
	// maxSequentialRows bounds a window: beyond it, the rounding of logarithms
	// of probabilities would be seen in the evidence.
	maxSequentialRows = 1 << 40
)

// Next adds one sealed window's counts and gives the new evidence:
//
//	e_w = q(c) / max over the null of prod p_i^c_i     (c the counts / Deflation)
//	R_w = e_w (R_{w-1} + 1/(w (w+1)))
//
// q is half a Dirichlet-multinomial with weights 1/2, for a drift of any shape,
// and half one with weights 1/2 + Earlier, for a drift that has been seen before.
// The factors 1/(w (w+1)) spread one unit of stake over all windows in which the
// drift may start.
//
// Windows must come in order and each only once: rows that come later are to be
// counted elsewhere and not added. A window without rows says nothing and leaves
// the evidence as it is. The caller's evidence is never written to.
//
// Undefined for counts in other cells than the baseline's, for more than 2^40
// rows, and for evidence that no process wrote.
func (p *DriftProcess) Next(e DriftEvidence, counts []uint64) (DriftEvidence, error) {
	rows, ok := sum(counts)
	if len(counts) != len(p.shares) || !ok || rows > maxSequentialRows {
		return e, fmt.Errorf("drift process: a window of %d rows in %d cells, the baseline has %d cells: %w", rows, len(counts), len(p.shares), ErrUndefined)
	}
	if err := p.check(e); err != nil {
		return e, err
	}
	if rows == 0 {
		return e, nil
	}
	current := make([]float64, len(counts))
	for i, c := range counts {
		current[i] = float64(c) / p.deflation
	}
	earlier := make([]float64, len(counts))
	copy(earlier, e.Earlier)

	w := float64(e.Windows + 1)
	stake := -math.Log(w) - math.Log1p(w)
	if e.Windows > 0 {
		stake = logSum(stake, e.LogStarted)
	}
	bet := logMixture(current, earlier) - logMaximum(current, p.shares, p.radius)
	for i, c := range current {
		earlier[i] = float64(earlierWeight*earlier[i]) + c
	}
	return DriftEvidence{Windows: e.Windows + 1, Rows: e.Rows + rows, LogStarted: stake + bet, Earlier: earlier}, nil
}

func (p *DriftProcess) check(e DriftEvidence) error {
	if e.Windows == 0 && e.Rows == 0 && len(e.Earlier) == 0 {
		return nil
	}
	if e.Windows == 0 || e.Rows > math.MaxInt64 || len(e.Earlier) != len(p.shares) || math.IsNaN(e.LogStarted) || math.IsInf(e.LogStarted, 0) {
		return fmt.Errorf("drift process: evidence %v of %d windows over %d cells, the baseline has %d: %w", e.LogStarted, e.Windows, len(e.Earlier), len(p.shares), ErrUndefined)
	}
	for i, h := range e.Earlier {
		if !(h >= 0 && h <= 16*maxSequentialRows) {
			return fmt.Errorf("drift process: earlier count %v in cell %d: %w", h, i, ErrUndefined)
		}
	}
	return nil
}

// Log is the natural logarithm of the evidence A_w = R_w + 1/(w+1): 0 before
// the first window, and finite where A_w itself is beyond floating point.
func (e DriftEvidence) Log() float64 {
	unspent := -math.Log1p(float64(e.Windows))
	if e.Windows == 0 {
		return unspent
	}
	return logSum(unspent, e.LogStarted)
}

// Estimate gives the evidence A_w itself, with the rows of all windows as its
// samples and without an interval: it is a bound of its own. What is too large
// for a floating-point number is given as the largest, which is on the safe side.
func (e DriftEvidence) Estimate() Estimate {
	value := min(math.Exp(e.Log()), math.MaxFloat64)
	return Estimate{Value: value, Samples: e.Rows, Convention: ConventionDriftEvidence}
}

// Alarm says whether the evidence has reached features/alpha: drift, with a
// probability of at most alpha + features Miss that any of the features of one
// baseline ever says so wrongly.
//
// Undefined for alpha outside (0, 1) and for no features.
func (e DriftEvidence) Alarm(alpha float64, features int) (bool, error) {
	if !(alpha > 0 && alpha < 1) || features < 1 {
		return false, fmt.Errorf("drift alarm: alpha %v over %d features: %w", alpha, features, ErrUndefined)
	}
	return e.exceeds(float64(features) / alpha), nil
}

func (e DriftEvidence) exceeds(limit float64) bool { return e.Log() >= math.Log(limit) }
