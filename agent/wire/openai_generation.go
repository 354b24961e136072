package wire

import (
	"strings"
	"time"
)

// Generation is what is known of one exchange with a language model beside the
// observation. It belongs to the decoder, and its texts alias the exchange's
// bodies: it is valid until the next call of Decode.
type Generation struct {
	Provider  Protocol  // whose API it is: openai or ollama
	Operation Operation // what was asked

	RequestModel  string // as the client named it; empty: not known
	ResponseModel string // as the server did

	InputTokens  int64 // as the server counted them; -1: it did not say
	OutputTokens int64 // likewise

	FinishReasons []string // of each answer; empty where the server did not say
	Refused       int      // answers that decline
	Streamed      bool     // the answer came piece by piece
	Truncated     bool     // the stream broke off

	// Error says why there is no answer, or no whole one: a status such as 429, or
	// what the server calls it. Empty: none.
	Error string

	Duration time.Duration // from the request's arrival to the end of the answer; 0: not known
	// FirstToken is from the request's arrival to the first byte of a streamed
	// answer, which servers send with the first token. 0: not streamed, or not
	// known.
	FirstToken time.Duration

	Prompts []string // the texts that were asked
	Answers []string // the texts that were answered; empty ones are left out
}

// Operation is what a language model is asked to do, as OpenTelemetry's
// conventions name it.
type Operation string

// The operations.
const (
	Chat           Operation = "chat"
	TextCompletion Operation = "text_completion"
	Embeddings     Operation = "embeddings"
)

// PerOutputToken gives the mean time of an output token behind the first; 0 where
// that cannot be known.
func (g *Generation) PerOutputToken() time.Duration {
	if g.FirstToken <= 0 || g.Duration <= g.FirstToken || g.OutputTokens < 2 || g.Error != "" || g.Truncated {
		return 0
	}
	return (g.Duration - g.FirstToken) / time.Duration(g.OutputTokens-1)
}

func (g *Generation) begin(provider Protocol, operation Operation) {
	*g = Generation{
		Provider: provider, Operation: operation, InputTokens: -1, OutputTokens: -1,
		FinishReasons: g.FinishReasons[:0], Prompts: g.Prompts[:0], Answers: g.Answers[:0],
	}
}

// time takes over when the exchange happened.
func (g *Generation) time(x *Exchange) {
	if x.Start.IsZero() {
		return
	}
	g.Duration = x.End.Sub(x.Start)
	if g.Streamed && !x.FirstByte.IsZero() {
		g.FirstToken = x.FirstByte.Sub(x.Start)
	}
}

// The names of the columns of exchanges with language models.
const (
	ColumnPrompt       = "prompt"
	ColumnAnswer       = "answer"
	ColumnFinishReason = "finish_reason"
	ColumnRefused      = "refused"    // yes, no
	ColumnToolCalls    = "tool_calls" // how many the answer has
	ColumnEmbedding    = "embedding"  // embedding.0, embedding.1, ...
)

// IsContent says that a column of an exchange with a language model holds what
// people or the model wrote: it may be described, and never told.
func IsContent(column string) bool { return column == ColumnPrompt || column == ColumnAnswer }

const (
	unknownError = "_OTHER" // as the conventions call one without a name of few
	maxErrorName = 40
)

// errorName gives a name that is fit to be an attribute: short, of small letters,
// digits, dots, dashes and underscores. A server may put anything there.
func errorName(s string) string {
	if s == "" || len(s) > maxErrorName || strings.ContainsFunc(s, func(c rune) bool {
		return (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '_' && c != '.' && c != '-'
	}) {
		return unknownError
	}
	return s
}
