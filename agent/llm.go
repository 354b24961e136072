package agent

import (
	"context"
	"slices"

	"github.com/evenkeel/evenkeel/agent/detect"
	"github.com/evenkeel/evenkeel/agent/genai"
	"github.com/evenkeel/evenkeel/agent/wire"
	"github.com/evenkeel/evenkeel/signal"
)

// openGenAI makes the metrics of language models.
func (a *Agent) openGenAI(context.Context) (err error) {
	a.genai, err = genai.New(a.exporter.Meter())
	return err
}

// newDetectors chooses what is looked for in a model's texts.
func newDetectors(m *monitored) *detect.Set {
	set, err := detect.NewSet(m.LLM.Detectors())
	if err != nil { // the configuration's check has refused it
		return &detect.Set{}
	}
	return set
}

// tellFailed measures an exchange with a language model that has no answer.
func (a *Agent) tellFailed(p *plan, name string, x *wire.Exchange) {
	_, _ = p.decoder.Decode(x) // says again that nothing was predicted
	if model := p.byName[name]; model != nil {
		a.tellGeneration(model, p.decoder.Generation())
	}
}

// tellGeneration measures an exchange with a language model, nil where it was
// with none, and counts what stands in its texts. All that could be read are
// looked at, sampled or not: a leak is rare.
func (a *Agent) tellGeneration(model *served, g *wire.Generation) {
	if g == nil {
		return
	}
	a.genai.Record(model.Name, g)
	ref := signal.ModelRef{Name: model.Name, Version: model.Version}
	if ref.Version == "" && g.ResponseModel != model.asked {
		ref.Version = g.ResponseModel
	}
	if g.Operation != wire.Embeddings && len(g.FinishReasons) > 0 {
		a.genai.Detect(ref, signal.TextAnswer, model.detectors, g.Answers)
	}
	if model.LLM.Prompts {
		a.genai.Detect(ref, signal.TextPrompt, model.detectors, g.Prompts)
	}
}

// withoutContent takes what people and language models wrote out of an
// observation: what comes behind the windows tells single values.
func withoutContent(obs *signal.Observation) {
	obs.Columns = slices.DeleteFunc(obs.Columns, func(c signal.Column) bool { return wire.IsContent(string(c.Name)) })
}
