package measure

// Thin gives a calibrator of fewer knots, at most 2/step + 2 of them, that
// nowhere differs from this one by as much as step: a fit of many distinct scores
// has thousands of knots, which say more than its rows can. Support, first and
// last knot stay as they are.
//
// Between two knots that follow each other in the thinned one, either nothing was
// left out or the probabilities rise by less than step, and both calibrators lie
// within that rise.
func (c *Calibrator) Thin(step float64) *Calibrator {
	thin := &Calibrator{Rows: c.Rows}
	last := -1 // the knot that was kept last
	keep := func(i int) {
		if i > last {
			thin.knot(c.Scores[i], c.Probabilities[i])
			last = i
		}
	}
	for i := range c.Scores {
		if i == 0 || c.Probabilities[i]-c.Probabilities[last] >= step {
			keep(i - 1)
			keep(i)
		}
	}
	keep(len(c.Scores) - 1)
	return thin
}
