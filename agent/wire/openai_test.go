package wire

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/evenkeel/evenkeel/signal"
)

// Beside its observation each exchange with a language model gives a Generation,
// which stands in the same file.
func TestGenerations(t *testing.T) {
	for _, p := range []Protocol{OpenAI, Ollama} {
		files, err := filepath.Glob(filepath.Join("testdata", string(p), "*.txt"))
		if err != nil || len(files) < 5 {
			t.Fatalf("%s: %d files, %v", p, len(files), err)
		}
		for _, file := range files {
			t.Run(string(p)+"/"+strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) { generates(t, file) })
		}
	}
}

func generates(t *testing.T, file string) {
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	archive := txtar.Parse(raw)
	d, err := NewDecoders(Options{Models: modelsIn(t, archive)})
	if err != nil {
		t.Fatal(err)
	}
	x := exchangeIn(t, section(archive, "request"), section(archive, "response"))
	x.Start, x.FirstByte = x.End.Add(-5*time.Second), x.End.Add(-4*time.Second)
	for range 2 { // the memory is reused
		_, _ = d.Decode(x) // TestConformance says what it gives
		var got bytes.Buffer
		enc := json.NewEncoder(&got)
		enc.SetIndent("", "  ")
		if err := enc.Encode(d.Generation()); err != nil {
			t.Fatal(err)
		}
		if *update {
			setSection(archive, "generation", got.Bytes())
			if err := os.WriteFile(file, txtar.Format(archive), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		if want := section(archive, "generation"); !bytes.Equal(got.Bytes(), want) {
			t.Errorf("got\n%swant\n%s", got.Bytes(), want)
		}
	}
}

// The Generation of another protocol's exchange is not the last one's.
func TestNoGenerationOfOtherProtocols(t *testing.T) {
	d, err := NewDecoders(Options{Models: map[string]Model{"m": {}}})
	if err != nil {
		t.Fatal(err)
	}
	chat := chatExchange(`{"choices":[{"index":0,"message":{"content":"x"}}]}`)
	if _, err := d.Decode(chat); err != nil || d.Generation() == nil {
		t.Fatal(err, d.Generation())
	}
	table := &Exchange{Path: "/predictions/m", Status: 200, Request: Message{Body: []byte(`[[1]]`)}, Response: Message{Body: []byte(`[1]`)}}
	if _, err := d.Decode(table); err != nil || d.Generation() != nil {
		t.Fatal(err, d.Generation())
	}
}

func chatExchange(answer string) *Exchange {
	return &Exchange{
		Path: "/v1/chat/completions", Status: 200, End: answered,
		Request:  Message{Body: []byte(`{"model":"m1","messages":[{"role":"user","content":"Go"}]}`)},
		Response: Message{Body: []byte(answer)},
	}
}

// The words of a refusal count where the decoder is given a judge of them.
func TestRefusedByWords(t *testing.T) {
	d, err := NewDecoders(Options{Models: map[string]Model{"m": {}}, Refused: func(text string) bool { return text == "no way" }})
	if err != nil {
		t.Fatal(err)
	}
	obs, err := d.Decode(chatExchange(`{"choices":[{"index":0,"message":{"content":"no way"}},{"index":1,"message":{"content":"yes"}}]}`))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range obs.Columns {
		if c.Name == ColumnRefused && (c.Strings[0] != "yes" || c.Strings[1] != "no") {
			t.Errorf("%q", c.Strings)
		}
	}
	if d.Generation().Refused != 1 {
		t.Errorf("%+v", d.Generation())
	}
}

// A server numbers its answers as it likes: memory is bounded all the same.
func TestAnswersAreBounded(t *testing.T) {
	d, err := NewDecoders(Options{Models: map[string]Model{"m": {}}})
	if err != nil {
		t.Fatal(err)
	}
	obs, err := d.Decode(chatExchange(`{"choices":[{"index":4000000000,"message":{"content":"far"}},{"index":0,"message":{"content":"near"}}]}`))
	if err != nil || obs.Rows != 1 || d.LeftOut() == nil || d.LeftOut().Reason != TooWide {
		t.Errorf("%v, %v, %v", obs, err, d.LeftOut())
	}
}

func TestTimesOfAGeneration(t *testing.T) {
	g := Generation{Duration: 5 * time.Second, FirstToken: time.Second, OutputTokens: 9, InputTokens: 3}
	if got := g.PerOutputToken(); got != 500*time.Millisecond {
		t.Errorf("%v", got)
	}
	for name, change := range map[string]func(*Generation){
		"one token":         func(g *Generation) { g.OutputTokens = 1 },
		"tokens not known":  func(g *Generation) { g.OutputTokens = -1 },
		"not streamed":      func(g *Generation) { g.FirstToken = 0 },
		"failed":            func(g *Generation) { g.Error = "500" },
		"cut off":           func(g *Generation) { g.Truncated = true },
		"all at the end":    func(g *Generation) { g.FirstToken = g.Duration },
		"no time at all":    func(g *Generation) { g.Duration = 0 },
		"clocks that leapt": func(g *Generation) { g.FirstToken = -1 },
	} {
		h := g
		change(&h)
		if got := h.PerOutputToken(); got != 0 {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func TestErrorNames(t *testing.T) {
	for name, want := range map[string]string{
		"rate_limit_exceeded": "rate_limit_exceeded", "429": "429", "": unknownError, "No such model: jane": unknownError,
		strings.Repeat("a", 41): unknownError, "a-b.c": "a-b.c",
	} {
		if got := errorName(name); got != want {
			t.Errorf("%q: %q, want %q", name, got, want)
		}
	}
}

// After the first exchanges a decode allocates nothing but what a name costs that
// was not seen before.
func TestGenerationAllocatesNothing(t *testing.T) {
	for _, name := range []string{"openai/chat", "openai/stream", "openai/embeddings", "openai/responses_stream", "ollama/chat_stream"} {
		d, x := generationFixture(t, name)
		if n := testing.AllocsPerRun(20, func() {
			if _, err := d.Decode(x); err != nil {
				t.Fatal(err)
			}
		}); n > 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
}

func generationFixture(t testing.TB, name string) (*Decoders, *Exchange) {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join("testdata", filepath.FromSlash(name)+".txt"))
	if err != nil {
		t.Fatal(err)
	}
	archive := txtar.Parse(raw)
	d, err := NewDecoders(Options{Models: map[string]Model{"assistant": {}}})
	if err != nil {
		t.Fatal(err)
	}
	head, request := cutHead(section(archive, "request"))
	_, response := cutHead(section(archive, "response"))
	path := strings.Fields(string(head))[1]
	return d, &Exchange{Path: path, Status: 200, End: answered, Request: Message{Body: request}, Response: Message{Body: response}}
}

// Whatever a server sends, the decoder ends, and what it gives is whole.
func FuzzGeneration(f *testing.F) {
	for _, p := range []Protocol{OpenAI, Ollama} {
		files, _ := filepath.Glob(filepath.Join("testdata", string(p), "*.txt"))
		for _, file := range files {
			raw, err := os.ReadFile(file)
			if err != nil {
				f.Fatal(err)
			}
			archive := txtar.Parse(raw)
			head, request := cutHead(section(archive, "request"))
			_, response := cutHead(section(archive, "response"))
			f.Add(strings.Fields(string(head))[1], request, response)
		}
	}
	d, err := NewDecoders(Options{Models: map[string]Model{"assistant": {}}})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, path string, request, response []byte) {
		obs, err := d.Decode(&Exchange{Path: path, Status: 200, End: answered, Request: Message{Body: request}, Response: Message{Body: response}})
		if (obs == nil) != (err != nil) {
			t.Fatal(obs, err)
		}
		if obs == nil || d.Generation() == nil {
			return
		}
		names := map[signal.FeatureName]bool{}
		for _, c := range obs.Columns {
			if len(c.Numbers)+len(c.Strings) != obs.Rows || c.Missing != nil && len(c.Missing) != obs.Rows || names[c.Name] {
				t.Fatalf("%s: %d rows, %+v", c.Name, obs.Rows, c)
			}
			names[c.Name] = true
		}
		if g := d.Generation(); len(g.Answers) > obs.Rows || len(g.FinishReasons) > obs.Rows || g.Refused > obs.Rows {
			t.Fatalf("%+v", g)
		}
	})
}

func BenchmarkGeneration(b *testing.B) {
	long := strings.Repeat(`data: {"id":"c","object":"chat.completion.chunk","created":1,"model":"m1","choices":[{"index":0,"delta":{"content":" word"},"finish_reason":null}]}`+"\n\n", 500) + "data: [DONE]\n\n"
	b.Run("stream of 500 chunks", func(b *testing.B) {
		d, err := NewDecoders(Options{Models: map[string]Model{"m": {}}})
		if err != nil {
			b.Fatal(err)
		}
		x := chatExchange(long)
		b.SetBytes(int64(len(long)))
		b.ReportAllocs()
		for b.Loop() {
			if _, err := d.Decode(x); err != nil {
				b.Fatal(err)
			}
		}
	})
}
