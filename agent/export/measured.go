package export

import "github.com/evenkeel/evenkeel/signal"

// Measured is a score that another part of the agent has found by itself, not
// from a window.
type Measured struct {
	Model    signal.ModelRef
	Quantity signal.Quantity
}

// Measure shows what read gives, among the scores of windows, at every export and
// scrape; it must not block. It is called once, before or after Start.
func (e *Exporter) Measure(read func() []Measured) { e.views.measured.Store(&read) }

// beside gives the scores that come from no window.
func (v *views) beside() []score {
	read := v.measured.Load()
	if read == nil {
		return nil
	}
	found := (*read)()
	out := make([]score, len(found))
	for i := range found {
		out[i] = newScore(found[i].Model, &found[i].Quantity)
	}
	return out
}
