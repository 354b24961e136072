package agent

import (
	agentconfig "github.com/evenkeel/evenkeel/agent/config"
	"github.com/evenkeel/evenkeel/agent/detect"
	"github.com/evenkeel/evenkeel/agent/wire"
	"github.com/evenkeel/evenkeel/internal/config"
)

// newDecoder makes the decoder of all models.
func newDecoder(c *agentconfig.Config, models []monitored) (*wire.Decoders, error) {
	o := wire.Options{Models: newSelection(models).wireModels(), MaxInflated: int(c.Tap.MaxBody), Refused: detect.Refused}
	return wire.NewDecoders(o)
}

// wireModel is what the decoders need to know of a model.
func wireModel(m *agentconfig.Model) wire.Model {
	return wire.Model{
		Protocol: wire.Protocol(m.Protocol),
		Path:     m.Path,
		Inputs:   wireSide(m.Inputs),
		Outputs:  wireSide(m.Outputs),
	}
}

func wireSide(s agentconfig.Side) wire.Side {
	return wire.Side{Columns: s.Columns, At: s.At, Form: wire.Form(s.Form)}
}

// checkProtocols reports every way in which the models cannot be decoded, each
// with its path.
func checkProtocols(models []agentconfig.Model, f *config.Faults) {
	for i := range models {
		at := f.Index(i)
		m := wireModel(&models[i])
		for _, fault := range m.Faults() {
			setting := at
			for _, key := range fault.At {
				setting = setting.At(key)
			}
			setting.Add("%s", fault.Text)
		}
	}
}
