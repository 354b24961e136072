package genai

import (
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
)

// histogram is an instrument of the conventions, with the buckets that they
// advise.
type histogram struct {
	name, unit, about string
	bounds            []float64
}

// The instruments, as OpenTelemetry's semantic conventions for generative AI name
// them.
var (
	tokenUsage = histogram{
		"gen_ai.client.token.usage", "{token}", "Tokens of the request and of the answer, as the model server counted them.",
		[]float64{1, 4, 16, 64, 256, 1024, 4096, 16384, 65536, 262144, 1048576, 4194304, 16777216, 67108864},
	}
	requestDuration = histogram{
		"gen_ai.server.request.duration", "s", "Time from the request's arrival at the agent to the end of the answer.",
		[]float64{.01, .02, .04, .08, .16, .32, .64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92},
	}
	timeToFirstToken = histogram{
		"gen_ai.server.time_to_first_token", "s", "Time from the request's arrival at the agent to the first byte of a streamed answer.",
		[]float64{.001, .005, .01, .02, .04, .06, .08, .1, .25, .5, .75, 1, 2.5, 5, 7.5, 10},
	}
	timePerOutputToken = histogram{
		"gen_ai.server.time_per_output_token", "s", "Mean time of an output token behind the first, of streamed answers.",
		[]float64{.01, .025, .05, .075, .1, .15, .2, .3, .4, .5, .75, 1, 2.5},
	}
)

// The attributes of the conventions.
const (
	keyOperation     = attribute.Key("gen_ai.operation.name")
	keyProvider      = attribute.Key("gen_ai.provider.name")
	keyRequestModel  = attribute.Key("gen_ai.request.model")
	keyResponseModel = attribute.Key("gen_ai.response.model")
	keyTokenType     = attribute.Key("gen_ai.token.type")
	keyErrorType     = attribute.Key("error.type")
)

// Attributes of the conventions that only spans have.
const (
	keyInputTokens   = "gen_ai.usage.input_tokens"
	keyOutputTokens  = "gen_ai.usage.output_tokens"
	keyFinishReasons = "gen_ai.response.finish_reasons"
	keyFirstChunk    = "gen_ai.response.time_to_first_chunk" // s
)

// Values of keyTokenType.
const (
	tokensIn  = "input"
	tokensOut = "output"
)

// Names lists the instruments of the conventions, for the documentation's test.
func Names() []string {
	return []string{tokenUsage.name, requestDuration.name, timeToFirstToken.name, timePerOutputToken.name}
}

func (h *histogram) integers(m metric.Meter) (metric.Int64Histogram, error) {
	return m.Int64Histogram(h.name, metric.WithUnit(h.unit), metric.WithDescription(h.about), metric.WithExplicitBucketBoundaries(h.bounds...))
}

func (h *histogram) seconds(m metric.Meter) (metric.Float64Histogram, error) {
	return m.Float64Histogram(h.name, metric.WithUnit(h.unit), metric.WithDescription(h.about), metric.WithExplicitBucketBoundaries(h.bounds...))
}
