package api_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/evenkeel/evenkeel/collector/api"
)

// buildCommand builds the people's command line.
func buildCommand(t *testing.T) string {
	t.Helper()
	program := filepath.Join(t.TempDir(), "evenkeel")
	build := exec.CommandContext(t.Context(), "go", "build", "-o", program, "github.com/evenkeel/evenkeel/cmd/evenkeel")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, out)
	}
	return program
}

// TestCommandLine runs the real commands against the real API.
func TestCommandLine(t *testing.T) {
	program := buildCommand(t)
	s := newSite(t, func(o *api.Options) { o.Verify = func(token string) bool { return token == "a-token" } })
	token := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(token, []byte("a-token\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, args, server string
		token              bool
		code               int
		out, errOut        []string
	}{
		{"list", "nc list", s.URL, true, 0, []string{"NC-2026-00001", "feature_name=income", "> 0.25", "observation"}, nil},
		{"list nothing", "nc list --rule FAI-02", s.URL, true, 0, []string{"no records"}, nil},
		{"list as JSON", "nc list --all --json", s.URL, true, 0, []string{`"nonconformities": [`}, nil},
		{"ack", "nc ack NC-2026-00001 --by a.officer --note seen", s.URL, true, 0, []string{"acknowledged since 2026-03-01 12:00:30 by a.officer"}, nil},
		{"show", "nc show NC-2026-00001", s.URL, true, 0, []string{"PSI of income is 0.31", "acknowledged", "a.officer", "seen", "iso42001 9.1"}, nil},
		{"show nothing", "nc show NC-2026-00009", s.URL, true, 3, nil, []string{`no record is called "NC-2026-00009"`, "evenkeel nc list"}},
		{"no token", "nc list", s.URL, false, 7, nil, []string{"a token is needed"}},
		{"nobody there", "nc list", "http://127.0.0.1:1", true, 5, nil, []string{"is the collector running?"}},
		{"no address", "nc list", "localhost", true, 2, nil, []string{"is not an address"}},
		{"a word too many", "nc frobnicate", s.URL, true, 2, nil, []string{"unknown command"}},
		{"approve", "rules approve DRF-01 --system loan-approval --by a.officer --basis policy", s.URL, true, 0, []string{"DRF-01 is a requirement for loan-approval"}, nil},
		{"approve what is not there", "rules approve XXX-01 --system loan-approval --by a.officer --basis policy", s.URL, true, 3, nil, []string{"no rule is called"}},
	} {
		cmd := exec.CommandContext(t.Context(), program, strings.Fields(c.args)...)
		if c.token {
			cmd.Args = append(cmd.Args, "--token-file", token)
		}
		cmd.Env = []string{"EVENKEEL_SERVER=" + c.server}
		var out, errOut bytes.Buffer
		cmd.Stdout, cmd.Stderr = &out, &errOut
		err := cmd.Run()
		if cmd.ProcessState == nil || cmd.ProcessState.ExitCode() != c.code {
			t.Errorf("%s: %v\n%s%s", c.name, err, out.String(), errOut.String())
		}
		for _, want := range c.out {
			if !strings.Contains(out.String(), want) {
				t.Errorf("%s: want %q in\n%s", c.name, want, out.String())
			}
		}
		for _, want := range c.errOut {
			if !strings.Contains(errOut.String(), want) {
				t.Errorf("%s: want %q in\n%s", c.name, want, errOut.String())
			}
		}
	}
}
