package probe

import "github.com/evenkeel/evenkeel/signal"

// Agrees is the comparison, for tests.
func Agrees(c *Case, answer *signal.Observation, tolerance float64) bool {
	return c.agrees(answer, tolerance)
}
