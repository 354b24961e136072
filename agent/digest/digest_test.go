package digest

import (
	"context"
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/evenkeel/evenkeel/signal"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func write(t *testing.T, path, content string) {
	t.Helper()
	next := path + ".next" // as a deployment does: whole, under its name at once
	if err := os.WriteFile(next, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(next, path); err != nil {
		t.Fatal(err)
	}
}

func sum(content string) string { return fmt.Sprintf("sha256:%x", sha256.Sum256([]byte(content))) }

func TestADigestFollowsItsFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "model.onnx")
	f, err := Open(path)
	if err != nil || f.Value() != "" {
		t.Fatalf("a file that is not there yet: %q, %v", f.Value(), err)
	}
	refresh := func(wantChange, wantError bool, want string) {
		t.Helper()
		changed, err := f.Refresh(t.Context())
		if changed != wantChange || (err != nil) != wantError || f.Value() != want {
			t.Errorf("changed %v, %v, value %q; want %v, error %v, %q", changed, err, f.Value(), wantChange, wantError, want)
		}
	}
	refresh(false, true, "")
	refresh(false, false, "") // it is told once
	write(t, path, "first")
	refresh(true, false, sum("first"))
	refresh(false, false, sum("first"))
	write(t, path, "second")
	refresh(true, false, sum("second"))
	write(t, path, "second") // another file with the same content
	refresh(false, false, sum("second"))
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	refresh(true, true, "")
	write(t, path, strings.Repeat("x", 3*chunk+7))
	refresh(true, false, sum(strings.Repeat("x", 3*chunk+7)))
}

func TestASmallFileIsKnownAtOnce(t *testing.T) {
	folder := t.TempDir()
	path := filepath.Join(folder, "prompt.txt")
	write(t, path, "Answer briefly.")
	if f, err := Open(path); err != nil || f.Value() != sum("Answer briefly.") || f.Path() != path {
		t.Errorf("%v, %v", f, err)
	}
	if _, err := Open(folder); err == nil || !strings.Contains(err.Error(), "folder") {
		t.Errorf("a folder: %v", err)
	}
	run := filepath.Join(folder, "run")
	write(t, run, "01890a5d-ac96-774b-bcce-b302099a8002\n")
	if f, err := OpenText(run); err != nil || f.Value() != "01890a5d-ac96-774b-bcce-b302099a8002" {
		t.Errorf("a run: %v, %v", f, err)
	}
	for _, content := range []string{"two\nlines", strings.Repeat("x", signal.MaxLineageText+1)} {
		write(t, run, content)
		if _, err := OpenText(run); err == nil {
			t.Errorf("%.20q names a run", content)
		}
	}
}

// A large file's digest can be given up at any time, and is begun anew.
func TestADigestThatIsGivenUpIsNoError(t *testing.T) {
	path := filepath.Join(t.TempDir(), "model")
	f, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	write(t, path, strings.Repeat("y", 2*chunk))
	ctx, stop := context.WithCancel(t.Context())
	stop()
	if changed, err := f.Refresh(ctx); changed || err != nil || f.Value() != "" {
		t.Errorf("%v, %v, %q", changed, err, f.Value())
	}
	if changed, err := f.Refresh(t.Context()); !changed || err != nil {
		t.Errorf("%v, %v", changed, err)
	}
}

func TestWhatStoodBehindAnAnswer(t *testing.T) {
	path := filepath.Join(t.TempDir(), "index")
	write(t, path, "vectors")
	file, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	s := New(map[signal.LineagePart]Source{
		signal.PartRun: {Header: "X-Run"}, signal.PartModel: {Literal: "sha256:aa"}, signal.PartIndex: {File: file}, signal.PartPrompt: {Header: "X-Prompt"},
	})
	if got := s.Headers(); !slices.Equal(got, []string{"X-Prompt", "X-Run"}) {
		t.Errorf("headers %q", got)
	}
	for name, c := range map[string]struct {
		request, answer map[string]string
		want            signal.Lineage
		missing         [5]bool
	}{
		"none":   {nil, nil, signal.Lineage{"sha256:aa", sum("vectors")}, parts(signal.PartPrompt, signal.PartRun)},
		"all":    {map[string]string{"X-Run": "r1"}, map[string]string{"X-Prompt": " p "}, signal.Lineage{"sha256:aa", sum("vectors"), "p", "", "r1"}, parts()},
		"both":   {map[string]string{"X-Run": "client", "X-Prompt": "p"}, map[string]string{"X-Run": "server"}, signal.Lineage{"sha256:aa", sum("vectors"), "p", "", "server"}, parts()},
		"broken": {map[string]string{"X-Run": "a\x01b", "X-Prompt": "p"}, nil, signal.Lineage{"sha256:aa", sum("vectors"), "p"}, parts(signal.PartRun)},
	} {
		got := s.Of(c.request, c.answer)
		if got != c.want || s.Missing(&got) != c.missing {
			t.Errorf("%s: %q, missing %v; want %q, %v", name, got, s.Missing(&got), c.want, c.missing)
		}
	}
	var nothing Sources
	none := nothing.Of(nil, nil)
	if nothing.Missing(&none) != parts(signal.PartModel) {
		t.Error("without sources the model's digest is not known")
	}
}

func parts(of ...signal.LineagePart) (out [5]bool) {
	for _, part := range of {
		out[part] = true
	}
	return out
}

func TestKnownFilesAreTakenOver(t *testing.T) {
	path := filepath.Join(t.TempDir(), "model")
	one, other := &File{path: path}, &File{path: path}
	known := "sha256:1"
	one.value.Store(&known)
	before := New(map[signal.LineagePart]Source{signal.PartModel: {File: one}, signal.PartIndex: {Literal: "x"}})
	after := New(map[signal.LineagePart]Source{signal.PartModel: {File: other}, signal.PartIndex: {File: &File{path: "elsewhere"}}})
	after.TakeOver(before)
	if got := after.Of(nil, nil); got != (signal.Lineage{"sha256:1"}) {
		t.Errorf("%q", got)
	}
}

func BenchmarkWhatStoodBehindAnAnswer(b *testing.B) {
	value := "sha256:1"
	file := &File{path: "model"}
	file.value.Store(&value)
	s := New(map[signal.LineagePart]Source{
		signal.PartModel: {File: file}, signal.PartPrompt: {Literal: "sha256:2"}, signal.PartRun: {Header: "X-Run"},
	})
	answer := map[string]string{"X-Run": time.Unix(0, 0).UTC().String()}
	b.ReportAllocs()
	for b.Loop() {
		if l := s.Of(nil, answer); l[signal.PartRun] == "" {
			b.Fatal("no run")
		}
	}
}
