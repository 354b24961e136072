package signal

// Attribute keys of spans, beside those of windows, predictions and OpenTelemetry's
// conventions.
const (
	KeySpanChoice = "evenkeel.span.choice" // why the request is told
	KeySpanRate   = "evenkeel.span.rate"   // share of the requests that are told, of those that were chosen by it
	KeyRows       = "evenkeel.rows"        // of a request, or of a window
)

// Values of KeySpanChoice.
const (
	SpanSampled = "sampled" // by its id
	SpanSlow    = "slow"    // it took longer than nearly all before it
	SpanError   = "error"
)

// Attribute keys that windows and predictions have in events, and spans as well.
const (
	KeyPredictionID   = keyPredictionID
	KeyWindowInstance = keyWindowInstance
	KeyWindowSequence = keyWindowSequence
	KeyWindowStart    = keyWindowStart
	KeyWindowEnd      = keyWindowEnd
)
