package wire

import (
	"strconv"
	"strings"

	"github.com/evenkeel/evenkeel/signal"
)

// openAIForm is the API that OpenAI's server has, and vLLM, TGI, llama.cpp,
// SGLang, LiteLLM and others have likewise:
//
//	POST [PREFIX]/v1/chat/completions, /v1/completions, /v1/embeddings, /v1/responses
//	POST /openai/deployments/NAME/chat/completions, .../completions, .../embeddings
//
// Answers are one JSON object or server-sent events.
var openAIForm = protocolForm{protocols: []Protocol{OpenAI}, split: splitOpenAIPath}

// openAIPaths are the ends of its URLs.
var openAIPaths = []struct {
	path      string
	operation Operation
}{
	{"/chat/completions", Chat},
	{"/completions", TextCompletion},
	{"/embeddings", Embeddings},
	{"/responses", Chat},
}

func splitOpenAIPath(path string) (model, version string, ok bool) {
	if rest, ok := strings.CutPrefix(path, "/openai/deployments/"); ok {
		name, rest, _ := strings.Cut(rest, "/")
		for _, p := range openAIPaths[:3] {
			if name != "" && p.path[1:] == rest {
				return name, "", true
			}
		}
		return "", "", false
	}
	for _, p := range openAIPaths {
		if prefix, ok := strings.CutSuffix(path, p.path); ok {
			return "", "", strings.HasSuffix(prefix, "/v1")
		}
	}
	return "", "", false
}

// operationOf gives the operation that a URL asks for; empty where a model's own
// path does not tell.
func operationOf(form *protocolForm, path string) Operation {
	paths := openAIPaths
	if form == &ollamaForm {
		paths = ollamaPaths
	}
	for _, p := range paths {
		if strings.HasSuffix(path, p.path) {
			return p.operation
		}
	}
	return ""
}

// generations decodes exchanges with language models, of all their protocols:
// the bodies differ in their keys, which do not contradict each other.
//
//	request -> prompts
//	answer -> JSON, events or lines of JSON -> choices
//	                                        \-> Generation
type generations struct {
	maxInflated int
	refused     func(text string) bool
	inflate     inflater
	scan        scanner
	names       names
	events      events

	prompts  textList
	tokens   bool // the request holds tokens, not text
	turn     utterance
	choices  []choice
	part     choice // of one of them
	id       []byte // of the answer
	vectors  vectors
	event    eventOf
	delta    []byte // of an event
	pieces   int    // of the answer
	ended    bool   // the answer says that it is whole
	columns  generationColumns
	leftOut  *Fault
	last     Generation
	observed signal.Observation
}

const (
	// maxChoices bounds the answers, or the embeddings, of one exchange; a server
	// numbers them as it likes.
	maxChoices = 2048
	// maxIdleText bounds the memory that is kept for texts between exchanges.
	maxIdleText = 1 << 20
)

func newGenerations(maxInflated int, refused func(string) bool) generations {
	if refused == nil {
		refused = func(string) bool { return false }
	}
	return generations{maxInflated: maxInflated, refused: refused, names: newNames()}
}

// decode reads one exchange. The Generation is there also where there is no
// observation.
func (g *generations) decode(x *Exchange, to *destination) (*signal.Observation, *Fault) {
	g.clear()
	provider := OpenAI
	if to.form == &ollamaForm {
		provider = Ollama
	}
	g.last.begin(provider, operationOf(to.form, x.Path))
	if x.Status < 200 || x.Status > 299 {
		g.last.Error = strconv.Itoa(x.Status)
		g.last.time(x)
		return nil, fault(ErrorStatus, "status %d", x.Status)
	}
	if err := g.request(&x.Request); err != nil {
		err.Side = "request"
		return nil, err
	}
	if err := g.response(&x.Response); err != nil {
		err.Side = "response"
		return nil, err
	}
	g.last.time(x)
	return g.observe(x, to)
}

func (g *generations) clear() {
	g.scan.unquote = g.scan.unquote[:0]
	kept := 0
	for _, c := range g.choices[:cap(g.choices)] {
		kept += cap(c.text)
	}
	if kept > maxIdleText {
		g.choices = nil
	}
	if cap(g.scan.unquote) > maxIdleText {
		g.scan.unquote = nil
	}
	g.choices, g.id = g.choices[:0], g.id[:0]
	g.prompts.clear()
	g.vectors.clear()
	g.tokens, g.pieces, g.ended, g.leftOut = false, 0, false, nil
}

func (g *generations) leaveOut(reason Reason, format string, args ...any) {
	if g.leftOut == nil {
		g.leftOut = fault(reason, format, args...)
	}
}
