package measure

// MaxMagnitude bounds the numbers that are counted: the squares of 10^28
// values of this size still add up to a finite sum. Larger ones are to be
// treated as invalid, as infinities are.
const MaxMagnitude = 1e140

// Moments are the running sums of numeric values: enough for mean, variance
// and range, and mergeable. The zero value is empty and ready to use; Min and
// Max mean nothing while N is 0.
type Moments struct {
	N                         uint64
	Sum, SumSquares, Min, Max float64
}

// Add counts one value, which must be finite and within MaxMagnitude.
func (m *Moments) Add(x float64) {
	if m.N == 0 || x < m.Min {
		m.Min = x
	}
	if m.N == 0 || x > m.Max {
		m.Max = x
	}
	m.N++
	m.Sum += x
	m.SumSquares += float64(x * x)
}

// Merge adds what another part of the data counted. The order of merging
// changes the sums by rounding only.
func (m *Moments) Merge(o Moments) {
	if o.N == 0 {
		return
	}
	if m.N == 0 {
		*m = o
		return
	}
	m.N += o.N
	m.Sum += o.Sum
	m.SumSquares += o.SumSquares
	m.Min = min(m.Min, o.Min)
	m.Max = max(m.Max, o.Max)
}
