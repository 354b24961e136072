package e2e

import (
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/evenkeel/evenkeel/demo"
	"github.com/evenkeel/evenkeel/demo/applicants"
	"github.com/evenkeel/evenkeel/demo/modelserver"
)

// short makes the story as short as it may be on a slow machine.
var short = []string{"demo", "--ports", "auto", "--shift-after", "8s", "--window", "2s", "--rate", "200"}

func TestDemoOnce(t *testing.T) {
	t.Parallel()
	p := start(t, "evenkeel", append(slices.Clone(short), "--once", "--json", "--timeout", "90s")...)
	a := accountOf(t, p)
	groups := map[string]demo.Record{}
	for _, r := range a.Records {
		groups[r.Group] = r
		if r.Value == nil || r.Opened < 8 {
			t.Errorf("%+v was opened before anything was wrong, or without a value", r)
		}
		if told := "webhook received: evenkeel.record.opened of " + r.ID; !strings.Contains(p.stderr.String(), told) {
			t.Errorf("nothing says %q", told)
		}
	}
	drift, fairness := groups["drift"], groups["fairness"]
	if drift.Rule != "DRF-01" || drift.Subject["evenkeel_feature_name"] != "income" || *drift.Value < 0.25 {
		t.Errorf("drift record %+v", drift)
	}
	if fairness.Rule != "FAI-02" || fairness.Subject["evenkeel_group"] != "female" || *fairness.Value > -0.1 {
		t.Errorf("bias record %+v", fairness)
	}
	// Nine distributions for each window of two seconds, since before the shift.
	if a.Acknowledged < 4*9 || a.Stored < a.Acknowledged || a.InferenceRequests < 8*200/5 {
		t.Errorf("acknowledged %d, stored %d, requests %d", a.Acknowledged, a.Stored, a.InferenceRequests)
	}
	t.Logf("%d records after %.1f and %.1f s; %d window events, %d requests in %.1f s",
		len(a.Records), drift.Opened, fairness.Opened, a.Acknowledged, a.InferenceRequests, a.Seconds)
}

// accountOf waits for a demo --once --json and gives its account, which has to
// be clean.
func accountOf(t *testing.T, p *process) demo.Account {
	t.Helper()
	if err := p.wait(t, 2*time.Minute); err != nil {
		t.Fatal(err)
	}
	p.leavesNothing(t)
	var a demo.Account
	dec := json.NewDecoder(strings.NewReader(p.stdout.String()))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&a); err != nil {
		t.Fatal(err)
	}
	if _, err := dec.Token(); err != io.EOF {
		t.Error("there is more than one JSON object on standard output")
	}
	if a.Lost != 0 || a.Duplicated != 0 || a.InferenceErrors != 0 {
		t.Errorf("lost %d, duplicated %d, inference errors %d", a.Lost, a.Duplicated, a.InferenceErrors)
	}
	return a
}

// A file of one's own, whose second half differs from its first.
func TestDemoData(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "decisions.csv")
	source := applicants.New(23)
	people := source.Take(9000)
	source.Drift(0.7)
	writeDecisions(t, file, people, modelserver.Sound(), source.Take(9000), modelserver.Biased())
	a := accountOf(t, start(t, "evenkeel", "demo", "--ports", "auto", "--window", "1s", "--rate", "600", "--once", "--json",
		"--data", file, "--outcome", "approved", "--favourable", "1", "--protected", "gender", "--reference", "male"))
	groups := map[string]bool{}
	for _, r := range a.Records {
		groups[r.Group] = true
	}
	if !groups["drift"] || !groups["fairness"] {
		t.Errorf("records %+v", a.Records)
	}
}

var pageLine = regexp.MustCompile(`page +(http://\S+)/\n`)

// startLive runs the demo until it is interrupted, and gives its address once
// the stream runs.
func startLive(t *testing.T) (*process, string) {
	t.Helper()
	p := start(t, "evenkeel", short...)
	eventually(t, time.Minute, "the stream begins", func() bool {
		select {
		case err := <-p.done:
			t.Fatalf("the demo ended: %v", err)
		default:
		}
		return strings.Contains(p.stdout.String(), "the stream begins")
	})
	found := pageLine.FindStringSubmatch(p.stdout.String())
	if found == nil {
		t.Fatal("the demo did not print the page's address")
	}
	return p, found[1]
}

func TestDemoLive(t *testing.T) {
	t.Parallel()
	p, base := startLive(t)
	eventually(t, 90*time.Second, "that is the main job", func() bool {
		return strings.Contains(p.stdout.String(), "that is the main job")
	})
	t.Run("page", func(t *testing.T) {
		if status, body := get(t, base+"/"); status != 200 || !strings.Contains(body, "NC-") {
			t.Errorf("the page answers %d:\n%s", status, body)
		}
	})
	t.Run("dashboards", func(t *testing.T) { everyQueryReturnsData(t, base, "evenkeel-overview") })
	t.Run("nc", func(t *testing.T) { listAndAcknowledge(t, base) })

	begun := time.Now()
	if err := p.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	if err := p.wait(t, 30*time.Second); err != nil {
		t.Errorf("after Ctrl-C: %v", err)
	}
	t.Logf("stopped %.1f s after Ctrl-C", time.Since(begun).Seconds())
	p.leavesNothing(t)
	said := p.stdout.String()
	if !strings.Contains(said, " 0 failed;") || !strings.Contains(said, " 0 lost, 0 twice;") || !strings.Contains(said, "goodbye") {
		t.Error("the farewell's account is missing or not clean")
	}
	if strings.Contains(said, "\x1b[") {
		t.Error("colours in a file")
	}
}

// listAndAcknowledge does what a person does with a record.
func listAndAcknowledge(t *testing.T, base string) {
	list := run(t, "evenkeel", "nc", "list", "--server", base)
	ref := regexp.MustCompile(`NC-\d+-\d+`).FindString(list)
	if ref == "" {
		t.Fatalf("nc list shows no record:\n%s", list)
	}
	run(t, "evenkeel", "nc", "ack", ref, "--server", base, "--by", "e2e", "--note", "seen")
	if shown := run(t, "evenkeel", "nc", "show", ref, "--server", base); !strings.Contains(shown, "e2e") {
		t.Errorf("nc show does not tell who acknowledged:\n%s", shown)
	}
}

// Ctrl-C while the programs start is no way to leave anything behind either,
// and no way to make --once succeed.
func TestDemoInterruptedWhileStarting(t *testing.T) {
	t.Parallel()
	p := start(t, "evenkeel", append(slices.Clone(short), "--once", "--json")...)
	eventually(t, 30*time.Second, "the collector starts", func() bool { return len(survivors(p.temp)) >= 2 })
	if err := p.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	if err := p.wait(t, 20*time.Second); err == nil || !strings.Contains(p.stderr.String(), "interrupted before") {
		t.Errorf("ended with %v", err)
	}
	if out := p.stdout.String(); out != "" {
		t.Errorf("an account of nothing: %s", out)
	}
	p.leavesNothing(t)
}

// A demo that is killed cannot clean up its folder, but its programs, their
// engine and their plugin must go.
func TestDemoKilled(t *testing.T) {
	t.Parallel()
	p, _ := startLive(t)
	eventually(t, 30*time.Second, "collector, engine, plugin and agent run", func() bool { return len(survivors(p.temp)) >= 5 })
	if err := p.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	if err := p.wait(t, 10*time.Second); err == nil {
		t.Error("a killed demo ended well")
	}
	eventually(t, 20*time.Second, "all processes gone", func() bool { return len(survivors(p.temp)) == 0 })
}
