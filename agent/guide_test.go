package agent_test

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/dynamicpb"

	"github.com/evenkeel/evenkeel/agent"
	agentconfig "github.com/evenkeel/evenkeel/agent/config"
	"github.com/evenkeel/evenkeel/agent/export/otlptest"
	"github.com/evenkeel/evenkeel/agent/probe"
	"github.com/evenkeel/evenkeel/agent/wire/grpctest"
	"github.com/evenkeel/evenkeel/internal/config"
	"github.com/evenkeel/evenkeel/signal"
)

// guideSection is one kind of server, or one thing that the agent does, in
// docs/guide/agent.md: a configuration with its files, an exchange, what is counted
// of it, and what /metrics shows then.
type guideSection struct {
	title, config   string
	request, answer string
	model, rows     string
	version         string
	features        []string
	predictions     []string
	told            []string          // ID#ROW VALUE
	shown           []string          // lines of /metrics: name{labels} value, the labels any of them
	files           map[string]string // beside the configuration
	call            bool              // the exchange is a gRPC call, whose messages stand as JSON
}

var (
	guideBlock   = regexp.MustCompile("(?s)```(yaml|http|grpc)\n(.*?)```")
	guideCounted = regexp.MustCompile("(?m)^Counted: (\\d+) rows of version `([^`]*)`(?: as `([^`]*)`)?; features (.*); predictions (.*); told as (.*)\\.$")
	guideShown   = regexp.MustCompile("(?m)^Shown: `([^`]+)`$")
	guideFile    = regexp.MustCompile("(?s)`([^`\n]+)`:\n\n```(?:json|text|csv)\n(.*?)```")
	guideCode    = regexp.MustCompile("`([^`]+)`")
)

func guide(t *testing.T) []guideSection {
	t.Helper()
	raw, err := os.ReadFile("../docs/guide/agent.md")
	if err != nil {
		t.Fatal(err)
	}
	var out []guideSection
	for _, text := range strings.Split(string(raw), "\n## ")[1:] {
		s := guideSection{}
		s.title, _, _ = strings.Cut(text, "\n")
		blocks := guideBlock.FindAllStringSubmatch(text, -1)
		m := guideCounted.FindStringSubmatch(text)
		if len(blocks) == 1 && blocks[0][1] == "yaml" && m == nil { // its exchanges are no text
			out = append(out, guideSection{title: s.title, config: blocks[0][2]})
			continue
		}
		if len(blocks) != 3 || blocks[0][1] != "yaml" || m == nil {
			t.Fatalf("%s: %d blocks, want a configuration, a request, an answer, and what is counted", s.title, len(blocks))
		}
		s.config, s.request, s.answer = blocks[0][2], blocks[1][2], blocks[2][2]
		s.call = blocks[1][1] == "grpc"
		s.model = regexp.MustCompile(`(?m)^system: (\S+)$`).FindStringSubmatch(s.config)[1] // the examples name both alike
		if m[3] != "" {
			s.model = m[3]
		}
		s.rows, s.version = m[1], m[2]
		s.features, s.predictions = codesOf(m[4]), codesOf(m[5])
		for _, told := range strings.Split(m[6], ", ") {
			s.told = append(s.told, strings.ReplaceAll(told, "`", ""))
		}
		s.files = map[string]string{}
		for _, f := range guideFile.FindAllStringSubmatch(text, -1) {
			s.files[f[1]] = f[2]
		}
		for _, line := range guideShown.FindAllStringSubmatch(text, -1) {
			s.shown = append(s.shown, line[1])
		}
		out = append(out, s)
	}
	return out
}

func codesOf(text string) []string {
	var out []string
	for _, m := range guideCode.FindAllStringSubmatch(text, -1) {
		out = append(out, m[1])
	}
	slices.Sort(out)
	return out
}

// loadGuide loads the section's configuration as a file, and gives it ports, a
// state folder, a model server and a collector of the test.
func (s *guideSection) loadGuide(t *testing.T, upstream, endpoint string) *agentconfig.Config {
	t.Helper()
	folder := t.TempDir()
	path := filepath.Join(folder, "agent.yaml")
	put(t, path, s.config)
	for name, content := range s.files {
		put(t, filepath.Join(folder, name), content)
	}
	c, err := agentconfig.Load(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := agent.Check(c); err != nil {
		t.Fatal(err)
	}
	c.State, c.Admin.Listen, c.Upstream, c.Export.Endpoint = t.TempDir(), "127.0.0.1:0", upstream, endpoint
	for i := range c.Scrape.Servers {
		c.Scrape.Servers[i].URL = upstream + "/metrics"
	}
	if c.Listen != "" {
		c.Listen = "127.0.0.1:0"
	}
	if c.Intake.Listen != "" {
		c.Intake.Listen = "127.0.0.1:0"
	}
	c.Window.Length, c.StopTimeout = century, config.Duration(2e9)
	return c
}

// message is an HTTP message as a page writes it: heads and body, without the
// line break that ends the block.
func cutMessage(text string) (first string, h http.Header, body string) {
	head, body, _ := strings.Cut(text, "\n\n")
	h = http.Header{}
	first, rest, _ := strings.Cut(head, "\n")
	for line := range strings.Lines(rest) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), ": ")
		h.Set(name, value)
	}
	return first, h, strings.TrimSuffix(body, "\n")
}

// recorded serves one recorded answer at one path, and keeps what it was asked.
func recorded(t *testing.T, s *guideSection, encode func(http.Header, string) []byte) (server *httptest.Server, asked func() []byte) {
	t.Helper()
	first, _, _ := cutMessage(s.request)
	path := strings.Fields(first)[1]
	_, header, body := cutMessage(s.answer)
	got := make(chan []byte, 1)
	server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if page, ok := s.files[r.URL.Path]; ok {
			_, _ = io.WriteString(w, page)
			return
		}
		b, err := io.ReadAll(r.Body)
		if err != nil || r.URL.Path != path {
			http.NotFound(w, r)
			return
		}
		for k := range header {
			w.Header().Set(k, header.Get(k))
		}
		_, _ = w.Write(encode(w.Header(), body))
		if !probe.IsMarked(r.Header) { // the agent itself asked
			got <- b
		}
	}))
	t.Cleanup(server.Close)
	return server, func() []byte { return <-got }
}

func asItIs(_ http.Header, body string) []byte { return []byte(body) }

// untouched is a client that unpacks nothing by itself.
var untouched = &http.Client{Transport: &http.Transport{DisableKeepAlives: true, DisableCompression: true}, Timeout: 20 * time.Second}

// send posts a message of the page and gives the answer's body.
func send(t *testing.T, base, text string, encode func(http.Header, string) []byte) []byte {
	t.Helper()
	first, header, body := cutMessage(text)
	r, err := http.ReadRequest(bufio.NewReader(strings.NewReader(first + "\r\nHost: models.example\r\n\r\n")))
	if err != nil {
		t.Fatal(err)
	}
	r, err = http.NewRequest(r.Method, base+r.URL.Path, bytes.NewReader(encode(header, body)))
	if err != nil {
		t.Fatal(err)
	}
	r.Header = header
	r.Host = header.Get("Host")
	resp, err := untouched.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	answer, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode/100 != 2 {
		t.Fatal(resp.Status, err)
	}
	return answer
}

// Every section of the guide, as it stands: its exchange passes byte for byte,
// and what is counted and told of it is what the page says.
func TestGuide(t *testing.T) {
	sections := guide(t)
	if len(sections) < 25 {
		t.Errorf("%d sections", len(sections))
	}
	for _, s := range sections {
		t.Run(s.title, func(t *testing.T) {
			if s.call {
				s.runCall(t)
			} else {
				s.run(t, asItIs)
			}
		})
	}
}

func (s *guideSection) run(t *testing.T, encode func(http.Header, string) []byte) {
	receiver := otlptest.Start(t, nil)
	if s.request == "" {
		startAgent(t, s.loadGuide(t, "http://127.0.0.1:1", receiver.URL()), nil)
		return
	}
	server, asked := recorded(t, s, encode)
	a := startAgent(t, s.loadGuide(t, server.URL, receiver.URL()), nil)
	if addr := a.IntakeAddr(); addr != "" {
		send(t, "http://"+addr, s.request, encode)
		send(t, "http://"+addr, s.answer, encode)
		if a.Addr() != "" {
			t.Errorf("the proxy listens at %s, though nobody asked for one", a.Addr())
		}
	} else {
		_, header, sent := cutMessage(s.request)
		got := send(t, "http://"+a.Addr(), s.request, encode)
		_, answerHeader, body := cutMessage(s.answer)
		if want := encode(answerHeader, body); !bytes.Equal(got, want) {
			t.Errorf("the client gets %q, the server says %q", got, want)
		}
		if got, want := asked(), encode(header, sent); !bytes.Equal(got, want) {
			t.Errorf("the server gets %q, the client says %q", got, want)
		}
	}
	s.await(t, a)
	stopAgent(t, a)
	s.check(t, receiver)
}

// runCall is run for a section whose exchange is a gRPC call.
func (s *guideSection) runCall(t *testing.T) {
	receiver := otlptest.Start(t, nil)
	address := grpctest.Serve(t, map[string]grpctest.Handler{
		grpctest.Infer: {Request: "inference.ModelInferRequest", Answer: func(context.Context, *dynamicpb.Message) (*dynamicpb.Message, error) {
			return grpctest.Message("inference.ModelInferResponse", s.answer), nil
		}},
	})
	a := startAgent(t, s.loadGuide(t, "http://"+address, receiver.URL()), nil)
	out := grpctest.Empty("inference.ModelInferResponse")
	if err := grpctest.Dial(t, a.Addr()).Invoke(t.Context(), grpctest.Infer, grpctest.Message("inference.ModelInferRequest", s.request), out); err != nil {
		t.Fatal(err)
	}
	if want := grpctest.Message("inference.ModelInferResponse", s.answer); !proto.Equal(out, want) {
		t.Errorf("the client gets %v, the server says %v", out, want)
	}
	s.await(t, a)
	stopAgent(t, a)
	s.check(t, receiver)
}

// await waits until /metrics shows what the page says.
func (s *guideSection) await(t *testing.T, a *agent.Agent) {
	t.Helper()
	for _, line := range s.shown {
		otlptest.Eventually(t, line, func() bool {
			_, page := get(t, a, "/metrics")
			return shows(page, line)
		})
	}
}

// shows says whether a page of metrics has a sample with such labels, among
// others, and such a value.
func shows(page, line string) bool {
	name, rest, labelled := strings.Cut(line, "{")
	labels, value, _ := strings.Cut(rest, "} ")
	if !labelled {
		name, value, _ = strings.Cut(line, " ")
	}
next:
	for sample := range strings.Lines(page) {
		if !strings.HasPrefix(sample, name+"{") && !strings.HasPrefix(sample, name+" ") || !strings.HasSuffix(sample, " "+value+"\n") {
			continue
		}
		for _, label := range strings.Split(labels, ",") {
			if !strings.Contains(sample, label) {
				continue next
			}
		}
		return true
	}
	return false
}

// put writes a file, and the folders that it is in.
func put(t testing.TB, path, content string) {
	t.Helper()
	err := os.MkdirAll(filepath.Dir(path), 0o700)
	if err == nil {
		err = os.WriteFile(path, []byte(content), 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func (s *guideSection) check(t *testing.T, receiver *otlptest.Receiver) {
	columns := map[signal.Target][]string{}
	for _, d := range profiles(t, receiver) {
		if d.Model != (signal.ModelRef{Name: s.model, Version: s.version}) || fmt.Sprint(d.N) != s.rows {
			t.Errorf("%s: %d rows of %q, want %s of version %q", d.Feature, d.N, d.Model, s.rows, s.version)
		}
		if want := (signal.Capture{Seen: 1, Profiled: 1}); d.Capture != want {
			t.Errorf("account %+v, want %+v", d.Capture, want)
		}
		columns[d.Target] = append(columns[d.Target], string(d.Feature))
	}
	for target, want := range map[signal.Target][]string{signal.TargetFeature: s.features, signal.TargetPrediction: s.predictions} {
		if slices.Sort(columns[target]); !slices.Equal(columns[target], want) {
			t.Errorf("%s columns %q, want %q", target, columns[target], want)
		}
	}
	var told []string
	for _, e := range receiver.Events(signal.EventPrediction) {
		p, err := signal.DecodePrediction(e.Attributes)
		if err != nil {
			t.Fatal(err)
		}
		told = append(told, fmt.Sprintf("%s#%d %s", p.ID, p.Row, p.Value))
	}
	if !slices.Equal(told, s.told) {
		t.Errorf("told %q, want %q", told, s.told)
	}
}
