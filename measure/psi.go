package measure

// Placeholder signatures; the helper that owns this package replaces them.

// PSI is the population stability index.
func PSI(reference, current []uint64) (Estimate, error) { return Estimate{}, ErrUndefined }

// ParityDifference is the statistical parity difference.
func ParityDifference(group, reference Proportion, confidence float64) (Estimate, error) {
	return Estimate{}, ErrUndefined
}

// DisparateImpact is the ratio of the two proportions.
func DisparateImpact(group, reference Proportion, confidence float64) (Estimate, error) {
	return Estimate{}, ErrUndefined
}
