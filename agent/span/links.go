package span

import (
	"cmp"
	"slices"
	"time"

	"go.opentelemetry.io/otel/trace"

	"github.com/evenkeel/evenkeel/signal"
)

// MaxLinks bounds the requests that a window's span names: what OpenTelemetry's
// SDKs allow a span to have.
const MaxLinks = 128

// maxModels bounds the model versions whose requests are remembered for links; an
// answer may claim any version.
const maxModels = 64

// links remember the requests that have a span until their window closes.
type links map[signal.ModelRef][]link

type link struct {
	to      trace.SpanContext
	slow    bool
	place   uint64
	counted time.Time
}

// add remembers a request that was chosen.
func (l links) add(c *candidate) {
	if c.counted.IsZero() {
		return
	}
	if _, known := l[c.model]; !known && len(l) >= maxModels {
		return
	}
	all := append(l[c.model], link{c.span.Context, c.choice == slow, c.place, c.counted})
	if len(all) >= 2*MaxLinks {
		all = best(all)
	}
	l[c.model] = all
}

// best keeps the slow ones and then those with the lowest places, which are
// spread over the whole window.
func best(all []link) []link {
	slices.SortStableFunc(all, func(a, b link) int {
		if a.slow != b.slow {
			if a.slow {
				return -1
			}
			return 1
		}
		return cmp.Compare(a.place, b.place)
	})
	return slices.Clip(all[:min(len(all), MaxLinks)])
}

// take gives the requests that a window counted, which are those since the one
// before it, and forgets them. (The first window of a version begins with its first
// request, a moment after that was added.)
func (l links) take(m signal.ModelRef, end time.Time) []trace.SpanContext {
	var in, later []link
	for _, one := range l[m] {
		if one.counted.Before(end) {
			in = append(in, one)
		} else {
			later = append(later, one)
		}
	}
	if l[m] = later; len(later) == 0 {
		delete(l, m)
	}
	in = best(in)
	slices.SortStableFunc(in, func(a, b link) int { return a.counted.Compare(b.counted) })
	out := make([]trace.SpanContext, len(in))
	for i := range in {
		out[i] = in[i].to
	}
	return out
}
