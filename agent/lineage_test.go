package agent_test

import (
	"crypto/sha256"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/evenkeel/evenkeel/agent"
	agentconfig "github.com/evenkeel/evenkeel/agent/config"
	"github.com/evenkeel/evenkeel/agent/export/otlptest"
	"github.com/evenkeel/evenkeel/signal"
)

func sha(content string) string { return fmt.Sprintf("sha256:%x", sha256.Sum256([]byte(content))) }

// putWhole replaces a file at once, as deployments do.
func putWhole(t testing.TB, path, content string) {
	t.Helper()
	if err := os.WriteFile(path+".next", []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(path+".next", path); err != nil {
		t.Fatal(err)
	}
}

// telling is a model server that tells the digest of its prompt with each answer.
func telling(t testing.TB, prompt string) string {
	t.Helper()
	target, err := url.Parse(startModelServer(t, scored).URL)
	if err != nil {
		t.Fatal(err)
	}
	proxy := &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(target) },
		ModifyResponse: func(r *http.Response) error {
			if r.Request.Header.Get("X-Silent") == "" {
				r.Header.Set("X-Prompt-Digest", prompt)
			}
			return nil
		},
	}
	server := httptest.NewServer(proxy)
	t.Cleanup(server.Close)
	return server.URL
}

// What stood behind an answer is named by its prediction, its span and its window,
// with the requests of each; a file that changes is another model from then on.
func TestAnswersNameWhatStoodBehindThem(t *testing.T) {
	model := filepath.Join(t.TempDir(), "model.onnx")
	putWhole(t, model, "first")
	receiver := otlptest.Start(t, nil)
	c := loanConfig(t, telling(t, "sha256:p1"), receiver.URL())
	c.Models[0].Baseline = writeBaseline(t, scoredBaseline())
	c.Models[0].Outcome = agentconfig.Outcome{}
	c.Models[0].Predictions.Send = true
	c.Models[0].Digests = agentconfig.Digests{
		Model: agentconfig.LineageSource{File: model}, Prompt: agentconfig.LineageSource{Header: "X-Prompt-Digest"},
		Index: agentconfig.LineageSource{Literal: "index-7"},
	}
	c.Models[0].LineageRun = agentconfig.LineageSource{Header: "X-Run"}
	spansOn(c)
	var log lockedBuffer
	a := startAgent(t, c, &log)
	const rows = `{"inputs":[{"name":"income","shape":[2],"datatype":"FP64","data":[3.5,1]},{"name":"gender","shape":[2],"datatype":"BYTES","data":["female","male"]}]}`
	base := "http://" + a.Addr()
	named(t, base, rows, "X-Request-Id", "whole", "X-Run", "batch-1")
	named(t, base, rows, "X-Request-Id", "no-run")
	otlptest.Eventually(t, "both are counted", func() bool {
		_, page := get(t, a, "/metrics")
		return lineageFigure(page, `state="complete"`) == 2 && lineageFigure(page, `state="incomplete"`) == 2
	})
	if _, page := get(t, a, "/"); !strings.Contains(page, sha("first")) || !strings.Contains(page, "run 2") {
		t.Errorf("the status page does not tell the lineage:\n%s", page)
	}
	putWhole(t, model, "second")
	otlptest.Eventually(t, "the file is read again", func() bool { return strings.Contains(log.String(), sha("second")) })
	named(t, base, rows, "X-Request-Id", "second", "X-Run", "batch-1", "X-Prompt-Digest", "sha256:of-the-client")
	named(t, base, rows, "X-Request-Id", "silent", "X-Run", "batch-1", "X-Silent", "1")
	stopAgent(t, a)

	want := map[string]signal.Lineage{
		"whole":  {sha("first"), "index-7", "sha256:p1", "", "batch-1"},
		"no-run": {sha("first"), "index-7", "sha256:p1"},
		"second": {sha("second"), "index-7", "sha256:p1", "", "batch-1"},
		"silent": {sha("second"), "index-7", "", "", "batch-1"},
	}
	seen := map[string]int{}
	for _, p := range predictions(t, receiver) {
		seen[p.ID]++
		if p.Lineage != want[p.ID] || p.Run == "" {
			t.Errorf("%s: %q of run %q, want %q", p.ID, p.Lineage, p.Run, want[p.ID])
		}
	}
	for id, l := range want {
		if seen[id] != 2 {
			t.Errorf("%d rows of %s", seen[id], id)
		}
		checkSpanLineage(t, receiver, id, l)
	}
	checkWindowLineage(t, receiver)
	var changed []string
	for _, e := range receiver.Events(signal.EventModelChanged) {
		changed = append(changed, fmt.Sprint(e.Attributes[signal.KeyChangeOf], " ", e.Attributes[signal.KeyChangeOld], " ", e.Attributes[signal.KeyChangeNew], " ", e.Attributes[signal.KeyChangeFound]))
	}
	if want := []string{"model " + sha("first") + " " + sha("second") + " file"}; !slices.Equal(changed, want) {
		t.Errorf("changes %q, want %q", changed, want)
	}
}

// lineageFigure gives the value of one line of the counts of predictions.
func lineageFigure(page, label string) (n float64) {
	for line := range strings.SplitSeq(page, "\n") {
		if strings.HasPrefix(line, "evenkeel_lineage_prediction_count{") && strings.Contains(line, label) {
			_, _ = fmt.Sscan(line[strings.LastIndexByte(line, ' ')+1:], &n) // a line that is none is 0
		}
	}
	return n
}

func checkSpanLineage(t *testing.T, receiver *otlptest.Receiver, id string, want signal.Lineage) {
	t.Helper()
	for _, s := range receiver.Spans("inference") {
		got := s.Attributes().AsRaw()
		if got[signal.KeyPredictionID] != id {
			continue
		}
		for _, a := range want.Attrs(nil) {
			if got[a.Key] != a.Value {
				t.Errorf("the span of %s has %s %v, want %v", id, a.Key, got[a.Key], a.Value)
			}
		}
		return
	}
	t.Errorf("no span of %s", id)
}

func checkWindowLineage(t *testing.T, receiver *otlptest.Receiver) {
	t.Helper()
	sums := map[string]uint64{}
	windows := map[signal.WindowID]bool{}
	for _, e := range receiver.Events(signal.EventWindowProfile) {
		d, err := signal.DecodeDistribution(e.Attributes)
		if err != nil {
			t.Fatal(err)
		}
		if windows[d.Window] {
			continue // all events of a window say the same
		}
		windows[d.Window] = true
		for _, c := range d.Lineage {
			sums[c.Part.String()+" "+c.Value] += c.Requests
		}
	}
	want := map[string]uint64{"model " + sha("first"): 2, "model " + sha("second"): 2, "index index-7": 4, "prompt sha256:p1": 3, "run batch-1": 3}
	if fmt.Sprint(sums) != fmt.Sprint(want) {
		t.Errorf("windows count %v, want %v", sums, want)
	}
}

// A model's settings say what is wrong with a source, and where.
func TestSourcesOfLineageAreChecked(t *testing.T) {
	receiver := otlptest.Start(t, nil)
	for name, c := range map[string]struct {
		digests agentconfig.Digests
		run     agentconfig.LineageSource
		says    string
	}{
		"two":      {agentconfig.Digests{Model: agentconfig.LineageSource{Literal: "a", Header: "B"}}, agentconfig.LineageSource{}, "models[0].digests.model: has more than one"},
		"folder":   {agentconfig.Digests{Index: agentconfig.LineageSource{File: t.TempDir()}}, agentconfig.LineageSource{}, "models[0].digests.index.file"},
		"header":   {agentconfig.Digests{Prompt: agentconfig.LineageSource{Header: "a b"}}, agentconfig.LineageSource{}, "models[0].digests.prompt.header"},
		"too long": {agentconfig.Digests{}, agentconfig.LineageSource{Literal: strings.Repeat("x", 257)}, "models[0].lineage_run.literal"},
	} {
		config := loanConfig(t, "http://127.0.0.1:1", receiver.URL())
		config.Models[0].Digests, config.Models[0].LineageRun = c.digests, c.run
		if err := agent.Check(config); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v, want %q", name, err, c.says)
		}
	}
}

// Another configuration of a model goes on with what is known of its files: a large
// one would be unknown for as long as its digest takes.
func TestAReloadKeepsKnownDigests(t *testing.T) {
	model := filepath.Join(t.TempDir(), "model")
	large := strings.Repeat("weights ", 17<<20/8) // too large to be digested when it is opened
	putWhole(t, model, large)
	receiver := otlptest.Start(t, nil)
	server := startModelServer(t, approve)
	c := loanConfig(t, server.URL, receiver.URL())
	c.Models[0].Digests.Model = agentconfig.LineageSource{File: model}
	a := startAgent(t, c, nil)
	otlptest.Eventually(t, "the digest is known", func() bool { _, page := get(t, a, "/"); return strings.Contains(page, sha(large)) })
	next := *c
	next.Models = slices.Clone(c.Models)
	next.Models[0].Protected = nil
	if err := a.Apply(&next); err != nil {
		t.Fatal(err)
	}
	if _, page := get(t, a, "/"); !strings.Contains(page, sha(large)) {
		t.Errorf("after a reload the digest is not known:\n%s", page)
	}
	serveLoans(t, a, server, 0, 1)
	stopAgent(t, a)
	for _, d := range profiles(t, receiver) {
		if want := []signal.LineageCount{{Part: signal.PartModel, Value: sha(large), Requests: 1}}; d.Capture.Profiled > 0 && !slices.Equal(d.Lineage, want) {
			t.Errorf("%s: %v, want %v", d.Feature, d.Lineage, want)
		}
	}
}
