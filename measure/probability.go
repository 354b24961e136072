package measure

import (
	"fmt"
	"math"
)

// Conventions of the mean losses of predicted probabilities.
const (
	ConventionLogLoss = "log_loss/clip2e-16_normal@1"
	ConventionBrier   = "brier/normal@1"
)

// clip keeps the log loss of a prediction that was certain and wrong finite: a
// probability is taken as at least 2^-52 away from 0 and 1, at most 36.04 nats.
const clip = 0x1p-52

// ProbabilityLoss sums the losses of predicted probabilities of the positive
// class. Sums of parts of the data add up; the zero value is empty and ready.
type ProbabilityLoss struct {
	Rows           uint64  `json:"rows"`
	LogLoss        float64 `json:"log_loss"`         // sum of the losses
	LogLossSquares float64 `json:"log_loss_squares"` // sum of their squares
	SquaredError   float64 `json:"squared_error"`    // sum of (p - y)^2
	SquaredErrors  float64 `json:"squared_errors"`   // sum of (p - y)^4
}

// Add counts one row: the predicted probability of the positive class, and
// whether it was positive. Undefined for what is no probability; the sums stay
// as they were then.
func (l *ProbabilityLoss) Add(probability float64, actual bool) error {
	if !(probability >= 0 && probability <= 1) {
		return fmt.Errorf("%v is not a probability: %w", probability, ErrUndefined)
	}
	given, miss := probability, 1-probability // of what happened
	if !actual {
		given, miss = miss, given
	}
	loss := -math.Log(min(1-clip, max(clip, given)))
	square := float64(miss * miss)
	l.Rows++
	l.LogLoss += loss
	l.LogLossSquares += float64(loss * loss)
	l.SquaredError += square
	l.SquaredErrors += float64(square * square)
	return nil
}

// Merge adds what another part of the data counted. The order of merging
// changes the sums by rounding only.
func (l *ProbabilityLoss) Merge(o ProbabilityLoss) {
	l.Rows += o.Rows
	l.LogLoss += o.LogLoss
	l.LogLossSquares += o.LogLossSquares
	l.SquaredError += o.SquaredError
	l.SquaredErrors += o.SquaredErrors
}

// LogLossScore is the mean of -ln(probability given to what happened), in nats,
// not negative, with a normal interval from the spread of the losses (none for
// fewer than two rows). Undefined without rows.
func (l ProbabilityLoss) LogLossScore(confidence float64) (Estimate, error) {
	e, err := meanScore("log loss", l.Rows, l.LogLoss, l.LogLossSquares, confidence)
	e.Convention = ConventionLogLoss
	return e, err
}

// Brier is the mean squared distance between the probability and what happened,
// 1 or 0, within [0, 1], with a normal interval from the spread of the squares
// (none for fewer than two rows). Undefined without rows. Brier (1950), for two
// classes, of which he summed both and had twice as much.
func (l ProbabilityLoss) Brier(confidence float64) (Estimate, error) {
	e, err := meanScore("brier", l.Rows, l.SquaredError, l.SquaredErrors, confidence)
	if e.Upper != nil {
		*e.Upper = min(1, *e.Upper)
	}
	e.Convention = ConventionBrier
	return e, err
}

// meanScore is the mean of n losses that are not negative, from their sum and
// the sum of their squares, with a normal interval where there are two rows and
// the squares did not overflow.
func meanScore(name string, n uint64, sum, squares, confidence float64) (Estimate, error) {
	z, err := criticalValue(confidence)
	if err != nil {
		return Estimate{}, fmt.Errorf("%s: %w", name, err)
	}
	rows := float64(n)
	mean := sum / rows
	if n == 0 || !(mean >= 0) || math.IsInf(mean, 0) {
		return Estimate{}, fmt.Errorf("%s: a sum of %v over %d rows: %w", name, sum, n, ErrUndefined)
	}
	e := Estimate{Value: mean, Samples: n}
	variance := max(0, squares/rows-float64(mean*mean)) / (rows - 1)
	half := float64(z * math.Sqrt(variance))
	if n < 2 || math.IsNaN(half) || math.IsInf(half, 0) {
		return e, nil
	}
	lower, upper := max(0, mean-half), mean+half
	e.Lower, e.Upper = &lower, &upper
	return e, nil
}
