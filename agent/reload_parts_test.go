package agent_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	agentconfig "github.com/evenkeel/evenkeel/agent/config"
	"github.com/evenkeel/evenkeel/agent/detect"
	"github.com/evenkeel/evenkeel/agent/export/otlptest"
	"github.com/evenkeel/evenkeel/internal/config"
	"github.com/evenkeel/evenkeel/signal"
)

// What is used of a request changes with the configuration: a feature that is
// dropped is in no later window.
func TestPrivacyIsReloaded(t *testing.T) {
	server := startModelServer(t, approve)
	receiver := otlptest.Start(t, nil)
	c := loanConfig(t, server.URL, receiver.URL())
	c.Models = []agentconfig.Model{{Name: "offers"}}
	a := startAgent(t, c, nil)
	send := func() {
		t.Helper()
		for i := range 10 {
			if status, answer := infer(t, "http://"+a.Addr(), "offers", loanRequest(t, i)); status != http.StatusOK {
				t.Fatal(string(answer))
			}
		}
	}
	send()
	awaitCounted(t, a, "offers", 10)
	if err := a.Apply(changed(c, func(n *agentconfig.Config) { n.Models[0].Privacy.Drop = []signal.FeatureName{"income"} })); err != nil {
		t.Fatal(err)
	}
	send()
	stopAgent(t, a)
	all := profiles(t, receiver)
	var incomeRows, answers uint64
	for _, d := range incomes(all) {
		incomeRows += d.N - d.Missing
	}
	for _, d := range of(all, signal.TargetPrediction, "approved") {
		answers += d.N
	}
	if incomeRows != 100 || answers != 200 {
		t.Errorf("%d incomes and %d answers", incomeRows, answers)
	}
}

// Joining labels begins and ends with the configuration; what waits is counted all
// the same.
func TestJoiningIsReloaded(t *testing.T) {
	server := startModelServer(t, approve)
	c := loanConfig(t, server.URL, "http://127.0.0.1:1")
	a := startAgent(t, c, nil)
	label := func() int {
		resp, err := client.Post("http://"+a.AdminAddr()+"/v1/labels", "application/x-ndjson", strings.NewReader(`{"id":"r-1","row":0,"value":"1"}`))
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		return resp.StatusCode
	}
	if status := label(); status != http.StatusNotFound {
		t.Errorf("no model joins labels, and one is taken: %d", status)
	}
	joining := changed(c, func(n *agentconfig.Config) {
		n.Models[0].Labels = agentconfig.Labels{Join: true, Horizon: config.Duration(time.Hour)}
	})
	if err := a.Apply(joining); err != nil {
		t.Fatal(err)
	}
	serveLoans(t, a, server, 0, 2)
	waiting := func(want string) {
		t.Helper()
		otlptest.Eventually(t, want+" predictions wait", func() bool { return figure(t, a, "evenkeel_join_waiting", `"loans"`) == want })
	}
	waiting("20")
	if status := label(); status != http.StatusOK {
		t.Errorf("a label is refused: %d", status)
	}
	if err := a.Apply(c); err != nil {
		t.Fatal(err)
	}
	serveLoans(t, a, server, 2, 4)
	awaitCounted(t, a, "loans", 2)
	waiting("20") // none came to them
}

// What is looked for in the texts of a language model changes with the
// configuration.
func TestDetectorsAreReloaded(t *testing.T) {
	server := chatServer(t)
	c := loanConfig(t, server.URL, "http://127.0.0.1:1")
	c.Models = []agentconfig.Model{{Name: "small", Protocol: "openai", LLM: agentconfig.LLM{Detect: []detect.Detector{"none"}}}}
	a := startAgent(t, c, nil)
	url := "http://" + a.Addr() + "/v1/chat/completions"
	asked := func(n string) {
		t.Helper()
		otlptest.Eventually(t, n+" answers", func() bool { return figure(t, a, "gen_ai_server_request_duration_count", `"small"`) == n })
	}
	looked := func(detector, side string) string {
		return figure(t, a, "evenkeel_llm_text_count", `evenkeel_detector="`+detector+`"`, `evenkeel_llm_side="`+side+`"`)
	}
	askAt(t, url, "", chat("small", "mail me at jane.doe@post.dk"))
	asked("1")
	if looked("email", "answer") != "" {
		t.Error("something is looked for")
	}
	if err := a.Apply(changed(c, func(n *agentconfig.Config) {
		n.Models[0].LLM = agentconfig.LLM{Detect: []detect.Detector{"email"}, Prompts: true}
	})); err != nil {
		t.Fatal(err)
	}
	askAt(t, url, "", chat("small", "mail me at jane.doe@post.dk"))
	asked("2")
	if looked("email", "answer") != "1" || looked("email", "prompt") != "1" || looked("card", "answer") != "" {
		t.Errorf("looked for mail in %q answers and %q prompts", looked("email", "answer"), looked("email", "prompt"))
	}
	if got := figure(t, a, "evenkeel_llm_detection_count", `"email"`, `"prompt"`); got != "1" {
		t.Errorf("%s found", got)
	}
}

// What lives as long as a port cannot change while the agent runs: it is refused
// by name, and so is all that comes with it.
func TestWhatNeedsARestartIsRefusedByName(t *testing.T) {
	server := startModelServer(t, approve)
	c := loanConfig(t, server.URL, "http://127.0.0.1:1")
	a := startAgent(t, c, nil)
	for name, change := range map[string]func(*agentconfig.Config){
		"intake":   func(n *agentconfig.Config) { n.Intake.Listen = "127.0.0.1:0" },
		"upstream": func(n *agentconfig.Config) { n.Upstream = "http://127.0.0.1:2" },
		"tap":      func(n *agentconfig.Config) { n.Tap.MaxBody++ },
		"scrape":   func(n *agentconfig.Config) { n.Scrape.Every++ },
	} {
		err := a.Apply(changed(c, func(n *agentconfig.Config) {
			change(n)
			n.Models = append(n.Models, agentconfig.Model{Name: "offers"})
		}))
		if err == nil || !strings.Contains(err.Error(), name+": cannot change while the agent runs") || !strings.Contains(err.Error(), "restart the agent") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, page := get(t, a, "/"); strings.Contains(page, "offers") {
		t.Error("a part of what was refused is in force")
	}
	if got := figure(t, a, "evenkeel_config_failures"); got != "4" {
		t.Errorf("%s refused", got)
	}
}

// A model's windows change their pace with the configuration, the others go on.
func TestWindowsOfAModelAreReloaded(t *testing.T) {
	server := startModelServer(t, approve)
	receiver := otlptest.Start(t, nil)
	c := loanConfig(t, server.URL, receiver.URL())
	c.Models = append(c.Models, agentconfig.Model{Name: "offers"})
	a := startAgent(t, c, nil)
	count := uint64(20)
	if err := a.Apply(changed(c, func(n *agentconfig.Config) { n.Models[0].Window.Count = &count })); err != nil {
		t.Fatal(err)
	}
	serveLoans(t, a, server, 0, 4)
	for i := range 4 {
		if status, answer := infer(t, "http://"+a.Addr(), "offers", loanRequest(t, i)); status != http.StatusOK {
			t.Fatal(string(answer))
		}
	}
	stopAgent(t, a)
	sizes := map[string]int{}
	for _, d := range incomes(profiles(t, receiver)) {
		if d.N > 0 {
			sizes[d.Model.Name+" "+string('0'+rune(d.N/10))]++
		}
	}
	if sizes["loans 2"] != 2 || sizes["offers 4"] != 1 || len(sizes) != 2 {
		t.Errorf("windows of tens of rows: %v", sizes)
	}
}
