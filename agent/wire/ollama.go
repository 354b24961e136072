package wire

import "github.com/evenkeel/evenkeel/signal"

// ollamaForm is Ollama's own API:
//
//	POST /api/chat, /api/generate, /api/embed, /api/embeddings
//
// Answers are one JSON object, or, as is the default, one a line.
var ollamaForm = protocolForm{protocols: []Protocol{Ollama}, split: splitOllamaPath}

// ollamaPaths are its URLs.
var ollamaPaths = []struct {
	path      string
	operation Operation
}{
	{"/api/chat", Chat},
	{"/api/generate", TextCompletion},
	{"/api/embed", Embeddings},
	{"/api/embeddings", Embeddings},
}

func splitOllamaPath(path string) (model, version string, ok bool) {
	for _, p := range ollamaPaths {
		if path == p.path {
			return "", "", true
		}
	}
	return "", "", false
}

// isGeneration says that exchanges of this form are with a language model.
func isGeneration(f *protocolForm) bool { return f == &openAIForm || f == &ollamaForm }

// decodeGeneration reads the exchange at hand, which is with a language model.
func (d *Decoders) decodeGeneration(x *Exchange) (*signal.Observation, error) {
	d.generated = true
	obs, err := d.generations.decode(x, &d.to)
	d.leftOut = d.generations.leftOut
	if err != nil {
		return nil, err
	}
	return obs, nil
}

// Generation gives what is known of the last Decode's exchange with a language
// model beside the observation, also where that could not be made; nil where it
// was with none. It is valid until the next Decode.
func (d *Decoders) Generation() *Generation {
	if !d.generated {
		return nil
	}
	return &d.generations.last
}
