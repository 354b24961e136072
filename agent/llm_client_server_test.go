package agent_test

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
)

// languageModel is a server for the clients that people use: it speaks OpenAI's
// protocol and Ollama's, whole and streamed, and keeps account of what it said.
// Its model says the same to everybody, and knows the tokens of it.
type languageModel struct {
	URL string

	mu   sync.Mutex
	said map[string]int // see account
}

// account names what is counted: tokens as "OPERATION input" and "OPERATION
// output", exchanges as "OPERATION" and "refused", streams as "OPERATION stream".
func (m *languageModel) account() map[string]int {
	m.mu.Lock()
	defer m.mu.Unlock()
	said := m.said
	m.said = map[string]int{}
	return said
}

func (m *languageModel) count(operation string, input, output int, stream bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.said[operation]++
	m.said[operation+" input"] += input
	m.said[operation+" output"] += output
	if stream {
		m.said[operation+" stream"]++
	}
}

// pieces is the answer, a token each.
var pieces = []string{"A ", "small ", "answer ✓ ", "\"quoted\"."}

// vector is the embedding of everything.
var vector = []float32{0.25, -1, 3}

func startLanguageModel(t testing.TB) *languageModel {
	t.Helper()
	m := &languageModel{said: map[string]int{}}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /v1/models", func(w http.ResponseWriter, _ *http.Request) {
		writeTo(w, `{"object":"list","data":[{"id":"small","object":"model","created":1,"owned_by":"tests"}]}`)
	})
	for pattern, serve := range map[string]func(answerTo){
		"POST /v1/chat/completions": m.chat,
		"POST /v1/completions":      m.completion,
		"POST /v1/embeddings":       m.embedding,
		"POST /v1/responses":        m.response,
		"POST /api/chat":            m.ollamaChat,
		"POST /api/generate":        m.ollamaGenerate,
		"POST /api/embed":           m.ollamaEmbed,
	} {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) { m.serve(w, r, serve) })
	}
	s := httptest.NewServer(mux)
	t.Cleanup(s.Close)
	m.URL = s.URL
	return m
}

// answerTo is a request and where its answer goes.
type answerTo struct {
	w    http.ResponseWriter
	body struct {
		Stream  *bool `json:"stream"`
		N       int   `json:"n"`
		Tools   []any `json:"tools"`
		Options struct {
			Usage bool `json:"include_usage"`
		} `json:"stream_options"`
		Encoding string `json:"encoding_format"`
	}
}

func (a *answerTo) streamed() bool { return a.body.Stream != nil && *a.body.Stream }

func (m *languageModel) serve(w http.ResponseWriter, r *http.Request, answer func(answerTo)) {
	raw, err := io.ReadAll(r.Body)
	a := answerTo{w: w}
	if err == nil {
		err = json.Unmarshal(raw, &a.body)
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	if strings.Contains(string(raw), "too many") {
		m.mu.Lock()
		m.said["refused"]++
		m.mu.Unlock()
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusTooManyRequests)
		_, _ = io.WriteString(w, `{"error":{"message":"slow down","type":"rate_limit","code":"rate_limit"}}`)
		return
	}
	answer(a)
}

func writeTo(w http.ResponseWriter, format string, args ...any) {
	w.Header().Set("Content-Type", "application/json")
	_, _ = fmt.Fprintf(w, format, args...)
}

// events sends server-sent events, each as soon as it is there.
func (a *answerTo) events(all ...string) {
	a.w.Header().Set("Content-Type", "text/event-stream")
	for _, e := range all {
		_, _ = io.WriteString(a.w, e+"\n\n")
		_ = http.NewResponseController(a.w).Flush()
	}
}

func quoted(s string) string {
	raw, _ := json.Marshal(s) // a string always can be
	return string(raw)
}

func (m *languageModel) chat(a answerTo) {
	answers, output := max(1, a.body.N), len(pieces)*max(1, a.body.N)
	usage := fmt.Sprintf(`{"prompt_tokens":9,"completion_tokens":%d,"total_tokens":%d}`, output, 9+output)
	if a.streamed() {
		var all []string
		chunk := func(choices, usage string) {
			all = append(all, fmt.Sprintf(`data: {"id":"c-1","object":"chat.completion.chunk","created":1,"model":"small-2","choices":%s,"usage":%s}`, choices, usage))
		}
		for _, p := range pieces {
			chunk(`[{"index":0,"delta":{"role":"assistant","content":`+quoted(p)+`},"finish_reason":null}]`, "null")
		}
		chunk(`[{"index":0,"delta":{},"finish_reason":"stop"}]`, "null")
		if a.body.Options.Usage {
			chunk("[]", usage)
		}
		m.count("chat", 9, output, true)
		a.events(append(all, "data: [DONE]")...)
		return
	}
	message, finish := `{"role":"assistant","content":`+quoted(strings.Join(pieces, ""))+`}`, "stop"
	if len(a.body.Tools) > 0 {
		message = `{"role":"assistant","content":null,"tool_calls":[{"id":"t-1","type":"function","function":{"name":"lend","arguments":"{\"sum\":10}"}}]}`
		finish = "tool_calls"
	}
	choices := make([]string, answers)
	for i := range choices {
		choices[i] = fmt.Sprintf(`{"index":%d,"message":%s,"finish_reason":%q,"logprobs":null}`, i, message, finish)
	}
	m.count("chat", 9, output, false)
	writeTo(a.w, `{"id":"c-2","object":"chat.completion","created":1,"model":"small-2","choices":[%s],"usage":%s}`, strings.Join(choices, ","), usage)
}

func (m *languageModel) completion(a answerTo) {
	const form = `{"id":"c-3","object":"text_completion","created":1,"model":"small-2","choices":[{"index":0,"text":%s,"finish_reason":%s,"logprobs":null}],"usage":%s}`
	usage := fmt.Sprintf(`{"prompt_tokens":3,"completion_tokens":%d,"total_tokens":%d}`, len(pieces), 3+len(pieces))
	m.count("text_completion", 3, len(pieces), a.streamed())
	if !a.streamed() {
		writeTo(a.w, form, quoted(strings.Join(pieces, "")), `"length"`, usage)
		return
	}
	var all []string
	for i, p := range pieces {
		if i < len(pieces)-1 {
			all = append(all, "data: "+fmt.Sprintf(form, quoted(p), "null", "null"))
		} else {
			all = append(all, "data: "+fmt.Sprintf(form, quoted(p), `"length"`, usage))
		}
	}
	a.events(append(all, "data: [DONE]")...)
}

func (m *languageModel) embedding(a answerTo) {
	raw, _ := json.Marshal(vector) // finite numbers always can be
	value := string(raw)
	if a.body.Encoding == "base64" {
		var packed []byte
		for _, x := range vector {
			packed = binary.LittleEndian.AppendUint32(packed, math.Float32bits(x))
		}
		value = quoted(base64.StdEncoding.EncodeToString(packed))
	}
	m.count("embeddings", 5, 0, false)
	writeTo(a.w, `{"object":"list","model":"vec-1","data":[{"object":"embedding","index":0,"embedding":%s}],"usage":{"prompt_tokens":5,"total_tokens":5}}`, value)
}

func (m *languageModel) response(a answerTo) {
	const form = `{"id":"r-1","object":"response","created_at":1,"status":%q,"model":"small-2","output":[%s],"usage":%s,"error":null,"incomplete_details":null,"parallel_tool_calls":true,"tool_choice":"auto","tools":[]}`
	usage := fmt.Sprintf(`{"input_tokens":7,"output_tokens":%d,"total_tokens":%d,"input_tokens_details":{"cached_tokens":0},"output_tokens_details":{"reasoning_tokens":0}}`, len(pieces), 7+len(pieces))
	item := `{"id":"m-1","type":"message","status":"completed","role":"assistant","content":[{"type":"output_text","annotations":[],"text":` + quoted(strings.Join(pieces, "")) + `}]}`
	whole := fmt.Sprintf(form, "completed", item, usage)
	m.count("chat", 7, len(pieces), a.streamed())
	if !a.streamed() {
		writeTo(a.w, "%s", whole)
		return
	}
	all := []string{`event: response.created` + "\n" + `data: {"type":"response.created","sequence_number":0,"response":` + fmt.Sprintf(form, "in_progress", "", "null") + `}`}
	for i, p := range pieces {
		all = append(all, fmt.Sprintf("event: response.output_text.delta\ndata: {\"type\":\"response.output_text.delta\",\"sequence_number\":%d,\"item_id\":\"m-1\",\"output_index\":0,\"content_index\":0,\"delta\":%s,\"logprobs\":[]}", 1+i, quoted(p)))
	}
	all = append(all, fmt.Sprintf("event: response.completed\ndata: {\"type\":\"response.completed\",\"sequence_number\":%d,\"response\":%s}", 1+len(pieces), whole))
	a.events(all...)
}

// lines sends an object a line, or all of it as one where nothing is streamed.
func (a *answerTo) lines(stream bool, piece func(text string) string, whole string) {
	if !stream {
		writeTo(a.w, "%s", fmt.Sprintf(whole, piece(strings.Join(pieces, ""))))
		return
	}
	a.w.Header().Set("Content-Type", "application/x-ndjson")
	for _, p := range pieces {
		_, _ = fmt.Fprintf(a.w, `{"model":"tiny","created_at":"2020-01-01T00:00:00Z",%s,"done":false}`+"\n", piece(p))
		_ = http.NewResponseController(a.w).Flush()
	}
	_, _ = fmt.Fprintf(a.w, whole+"\n", piece(""))
}

// ollamaEnd is the last line of an answer, or the only one.
const ollamaEnd = `{"model":"tiny","created_at":"2020-01-01T00:00:00Z",%%s,"done":true,"done_reason":"stop","prompt_eval_count":%d,"eval_count":%d}`

func (m *languageModel) ollamaChat(a answerTo) {
	stream := a.body.Stream == nil || *a.body.Stream // Ollama's default
	m.count("chat", 11, len(pieces), stream)
	a.lines(stream, func(text string) string { return `"message":{"role":"assistant","content":` + quoted(text) + `}` }, fmt.Sprintf(ollamaEnd, 11, len(pieces)))
}

func (m *languageModel) ollamaGenerate(a answerTo) {
	stream := a.body.Stream == nil || *a.body.Stream
	m.count("text_completion", 2, len(pieces), stream)
	a.lines(stream, func(text string) string { return `"response":` + quoted(text) }, fmt.Sprintf(ollamaEnd, 2, len(pieces)))
}

func (m *languageModel) ollamaEmbed(a answerTo) {
	raw, _ := json.Marshal(vector) // finite numbers always can be
	m.count("embeddings", 6, 0, false)
	writeTo(a.w, `{"model":"tiny","embeddings":[%s],"prompt_eval_count":6}`, raw)
}
