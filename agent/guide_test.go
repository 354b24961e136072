package agent_test

import (
	"bufio"
	"bytes"
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

	"github.com/evenkeel/evenkeel/agent"
	agentconfig "github.com/evenkeel/evenkeel/agent/config"
	"github.com/evenkeel/evenkeel/agent/export/otlptest"
	"github.com/evenkeel/evenkeel/internal/config"
	"github.com/evenkeel/evenkeel/signal"
)

// guideSection is one kind of server in docs/guide/agent.md: a configuration, an
// exchange, and what is counted of it.
type guideSection struct {
	title, config   string
	request, answer string
	model, rows     string
	version         string
	features        []string
	predictions     []string
	told            []string // ID#ROW VALUE
}

var (
	guideBlock   = regexp.MustCompile("(?s)```(yaml|http)\n(.*?)```")
	guideCounted = regexp.MustCompile("(?m)^Counted: (\\d+) rows of version `([^`]*)`; features (.*); predictions (.*); told as (.*)\\.$")
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
		s.model = regexp.MustCompile(`(?m)^system: (\S+)$`).FindStringSubmatch(s.config)[1] // the examples name both alike
		s.rows, s.version = m[1], m[2]
		s.features, s.predictions = codesOf(m[3]), codesOf(m[4])
		for _, told := range strings.Split(m[5], ", ") {
			s.told = append(s.told, strings.ReplaceAll(told, "`", ""))
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
	path := filepath.Join(t.TempDir(), "agent.yaml")
	if err := os.WriteFile(path, []byte(s.config), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := agentconfig.Load(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := agent.Check(c); err != nil {
		t.Fatal(err)
	}
	c.State, c.Admin.Listen, c.Upstream, c.Export.Endpoint = t.TempDir(), "127.0.0.1:0", upstream, endpoint
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
		b, err := io.ReadAll(r.Body)
		if err != nil || r.URL.Path != path {
			http.NotFound(w, r)
			return
		}
		for k := range header {
			w.Header().Set(k, header.Get(k))
		}
		_, _ = w.Write(encode(w.Header(), body))
		got <- b
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
	if len(sections) < 12 {
		t.Errorf("%d sections", len(sections))
	}
	for _, s := range sections {
		t.Run(s.title, func(t *testing.T) { s.run(t, asItIs) })
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
	stopAgent(t, a)
	s.check(t, receiver)
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
