package genai

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/evenkeel/evenkeel/agent/detect"
	"github.com/evenkeel/evenkeel/agent/wire"
	"github.com/evenkeel/evenkeel/signal"
)

// Metrics are the instruments. One goroutine at a time may use them.
type Metrics struct {
	tokens                        metric.Int64Histogram
	duration, firstToken, perNext metric.Float64Histogram
	found, flagged, texts         metric.Int64Counter

	models, errors words
	series         map[series]measured
	looked         map[sight][]metric.MeasurementOption
}

// series is what tells apart what is measured of generations.
type series struct {
	model             string
	provider          wire.Protocol
	operation         wire.Operation
	request, response string
	failed            string
}

// measured are the options of a series, made once.
type measured struct{ all, in, out metric.MeasurementOption }

// sight is whose texts are looked at.
type sight struct {
	model signal.ModelRef
	side  string
	set   *detect.Set
}

// Bounds on what clients and servers can make the agent remember, by the names
// that they choose.
const (
	maxModels = 64
	maxErrors = 32
	maxSeries = 1024
)

// other stands for names beyond the bounds.
const other = "_OTHER"

// words are the names that have been seen, up to a bound.
type words struct {
	max  int
	seen map[string]bool
}

// limit gives a name, or other where there are too many.
func (w *words) limit(name string) string {
	switch {
	case name == "" || w.seen[name]:
		return name
	case len(w.seen) >= w.max:
		return other
	}
	w.seen[name] = true
	return name
}

// New makes the instruments.
func New(meter metric.Meter) (*Metrics, error) {
	m := &Metrics{
		models: words{maxModels, map[string]bool{}}, errors: words{maxErrors, map[string]bool{}},
		series: map[series]measured{}, looked: map[sight][]metric.MeasurementOption{},
	}
	var errs [7]error
	m.tokens, errs[0] = tokenUsage.integers(meter)
	m.duration, errs[1] = requestDuration.seconds(meter)
	m.firstToken, errs[2] = timeToFirstToken.seconds(meter)
	m.perNext, errs[3] = timePerOutputToken.seconds(meter)
	m.found, errs[4] = meter.Int64Counter(signal.MetricDetection, metric.WithUnit("{finding}"),
		metric.WithDescription("What detectors found in texts, by detector."))
	m.flagged, errs[5] = meter.Int64Counter(signal.MetricFlagged, metric.WithUnit("{text}"),
		metric.WithDescription("Texts in which a detector found something, by detector."))
	m.texts, errs[6] = meter.Int64Counter(signal.MetricTexts, metric.WithUnit("{text}"),
		metric.WithDescription("Texts that a detector looked at, by detector."))
	if err := errors.Join(errs[:]...); err != nil {
		return nil, fmt.Errorf("make the instruments of language models: %w", err)
	}
	return m, nil
}

// Record measures one exchange with a language model, which the configuration
// calls model. What is not known is not recorded: tokens that the server did not
// count, times of answers that did not come piece by piece.
func (m *Metrics) Record(model string, g *wire.Generation) {
	ctx, of := context.Background(), m.of(model, g)
	if g.Duration > 0 {
		m.duration.Record(ctx, g.Duration.Seconds(), of.all)
	}
	if g.InputTokens >= 0 {
		m.tokens.Record(ctx, g.InputTokens, of.in)
	}
	if g.OutputTokens >= 0 {
		m.tokens.Record(ctx, g.OutputTokens, of.out)
	}
	if g.FirstToken > 0 && g.Error == "" {
		m.firstToken.Record(ctx, g.FirstToken.Seconds(), of.all)
	}
	if t := g.PerOutputToken(); t > 0 {
		m.perNext.Record(ctx, t.Seconds(), of.all)
	}
}

// of finds or makes the options of a series.
func (m *Metrics) of(model string, g *wire.Generation) measured {
	key := series{
		model: model, provider: g.Provider, operation: g.Operation,
		request: m.models.limit(g.RequestModel), response: m.models.limit(g.ResponseModel), failed: m.errors.limit(g.Error),
	}
	if kept, ok := m.series[key]; ok {
		return kept
	}
	attrs := []attribute.KeyValue{
		attribute.String(signal.KeyModelName, model),
		keyProvider.String(string(g.Provider)),
	}
	for _, a := range []struct {
		key   attribute.Key
		value string
	}{{keyOperation, string(key.operation)}, {keyRequestModel, key.request}, {keyResponseModel, key.response}, {keyErrorType, key.failed}} {
		if a.value != "" {
			attrs = append(attrs, a.key.String(a.value))
		}
	}
	with := func(extra ...attribute.KeyValue) metric.MeasurementOption {
		return metric.WithAttributeSet(attribute.NewSet(append(slices.Clone(attrs), extra...)...))
	}
	made := measured{with(), with(keyTokenType.String(tokensIn)), with(keyTokenType.String(tokensOut))}
	if len(m.series) < maxSeries {
		m.series[key] = made
	}
	return made
}

// Detect counts what the detectors of a set find in some texts of one side,
// signal.TextAnswer or signal.TextPrompt. Every detector of the set is counted
// from 0, so that a first finding is seen as a change.
func (m *Metrics) Detect(model signal.ModelRef, side string, set *detect.Set, texts []string) {
	if len(set.Detectors()) == 0 {
		return
	}
	model.Version = m.models.limit(model.Version)
	var found, flagged detect.Counts
	for _, text := range texts {
		var one detect.Counts
		set.Scan(text, &one)
		for i, n := range one {
			found[i] += n
			flagged[i] += min(n, 1)
		}
	}
	ctx := context.Background()
	for i, option := range m.options(model, side, set) {
		d := set.Detectors()[i]
		m.texts.Add(ctx, int64(len(texts)), option)
		m.flagged.Add(ctx, int64(flagged.Of(d)), option)
		m.found.Add(ctx, int64(found.Of(d)), option)
	}
}

// options gives those of each detector of the set.
func (m *Metrics) options(model signal.ModelRef, side string, set *detect.Set) []metric.MeasurementOption {
	key := sight{model, side, set}
	kept, ok := m.looked[key]
	if ok {
		return kept
	}
	for _, d := range set.Detectors() {
		kept = append(kept, metric.WithAttributeSet(attribute.NewSet(
			attribute.String(signal.KeyModelName, model.Name),
			attribute.String(signal.KeyModelVersion, model.Version),
			attribute.String(signal.KeyDetector, string(d)),
			attribute.String(signal.KeyTextSide, side))))
	}
	if len(m.looked) < maxSeries {
		m.looked[key] = kept
	}
	return kept
}
