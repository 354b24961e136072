package genai

import (
	"github.com/evenkeel/evenkeel/agent/wire"
	"github.com/evenkeel/evenkeel/signal"
)

// Told gives what a span says about an exchange with a language model: what was
// asked of whom and what it cost, and no text.
func Told(g *wire.Generation) []signal.Attr {
	out := []signal.Attr{{Key: string(keyProvider), Value: string(g.Provider)}}
	for _, a := range []signal.Attr{
		{Key: string(keyOperation), Value: string(g.Operation)},
		{Key: string(keyRequestModel), Value: g.RequestModel},
		{Key: string(keyResponseModel), Value: g.ResponseModel},
	} {
		if a.Value != "" {
			out = append(out, a)
		}
	}
	if g.InputTokens >= 0 {
		out = append(out, signal.Attr{Key: keyInputTokens, Value: g.InputTokens})
	}
	if g.OutputTokens >= 0 {
		out = append(out, signal.Attr{Key: keyOutputTokens, Value: g.OutputTokens})
	}
	if len(g.FinishReasons) > 0 {
		out = append(out, signal.Attr{Key: keyFinishReasons, Value: g.FinishReasons})
	}
	if g.FirstToken > 0 {
		out = append(out, signal.Attr{Key: keyFirstChunk, Value: g.FirstToken.Seconds()})
	}
	return out
}
