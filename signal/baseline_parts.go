package signal

import (
	"github.com/evenkeel/evenkeel/internal/canonical"
	"github.com/evenkeel/evenkeel/measure"
)

// OutcomeBaseline says what a prediction means: which output decides, what is
// favourable, which column holds the score, and what scores promised on
// labelled rows. It is what realised and estimated performance are measured by.
//
// With Favourable the task is a decision between two outcomes, and positive is
// the favourable one. Without it a numeric Output is a regression, and a
// categorical one a choice among classes.
type OutcomeBaseline struct {
	Output     FeatureName         `json:"output"`
	Favourable *Favourable         `json:"favourable,omitempty"`
	Score      FeatureName         `json:"score,omitempty"`      // prediction column of the score of the positive outcome
	Calibrator *measure.Calibrator `json:"calibrator,omitempty"` // fitted on labelled rows that were held out
}

// EstimateBounds gives the digest of what estimated performance is counted by:
// what is decided, by which score, and what scores promise. Sums under equal
// digests may be added.
func (o *OutcomeBaseline) EstimateBounds() (Digest, error) {
	d, err := canonical.Digest(o)
	return Digest(d), err
}

// JointBaseline watches several numeric columns together: projected onto axes,
// each of which is an ordinary column of the baseline named Slice(k), and
// through a kernel. Target says whether the columns are inputs (multivariate)
// or the coordinates of one embedding. Projections.Standard makes the columns
// comparable for both: the kernel has no other. JointReader is how rows are read.
type JointBaseline struct {
	Name        FeatureName          `json:"name"`
	Target      Target               `json:"target"` // TargetMultivariate or TargetEmbedding
	Columns     []FeatureName        `json:"columns"`
	Projections *measure.Projections `json:"projections"`
	Kernel      *measure.Kernel      `json:"kernel,omitempty"`
	Limits      []JointLimit         `json:"limits,omitempty"`
}

// JointLimit is what a joint score exceeded in a share alpha of the baseline's
// own windows. It says nothing about windows of fewer rows than those had.
type JointLimit struct {
	Method  string  `json:"method"` // DriftSlicedWasserstein, DriftSlicedJS or DriftMMD
	Value   float64 `json:"value"`
	Alpha   float64 `json:"alpha"`
	Windows int     `json:"windows"` // of the baseline, that it was taken from
	Rows    uint64  `json:"rows"`    // of the smallest of them
}

// TextBaseline describes the texts of one column by measure.DescribeText. The
// descriptions are columns of the baseline with TargetText, named by the
// column, a dot and one of the Text constants.
type TextBaseline struct {
	Column   FeatureName `json:"column"`
	Trigrams int         `json:"trigrams"` // cells that hashed trigrams fall into
}

// What a text is described by. TextTrigrams counts trigrams, not rows: its cells
// are named "0", "1" and so on.
const (
	TextLength     = "length"
	TextTokens     = "tokens"
	TextNonLetters = "non_letters"
	TextScript     = "script"
	TextTrigrams   = "trigrams"
)
