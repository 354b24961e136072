package engine_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/evenkeel/evenkeel/collector/engine"
	"github.com/evenkeel/evenkeel/internal/errs"
)

func TestMain(m *testing.M) {
	engine.RunIfChild()
	runIfParent()
	goleak.VerifyTestMain(m)
}

// start gives an engine that is stopped when the test ends.
func start(t *testing.T, change ...func(*engine.Options)) *engine.Engine {
	t.Helper()
	o := engine.Options{Dir: t.TempDir(), Log: slog.New(slog.NewTextHandler(t.Output(), nil))}
	for _, c := range change {
		c(&o)
	}
	e, err := engine.Start(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.Stop(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return e
}

func in(dir string) func(*engine.Options) { return func(o *engine.Options) { o.Dir = dir } }

// login says who asks: as basic authentication, or in headers or parameters.
type login func(*http.Request)

func basic(user, password string) login {
	return func(r *http.Request) { r.SetBasicAuth(user, password) }
}

// ask sends one query on a connection of its own and gives status and answer.
func ask(ctx context.Context, e *engine.Engine, as login, query string) (int, string, error) {
	transport := &http.Transport{
		DisableKeepAlives: true,
		DialContext:       func(ctx context.Context, _, addr string) (net.Conn, error) { return e.DialContext(ctx, addr) },
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://engine/", strings.NewReader(query))
	if err != nil {
		return 0, "", err
	}
	as(request)
	answer, err := transport.RoundTrip(request)
	if err != nil {
		return 0, "", err
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	return answer.StatusCode, strings.TrimSpace(string(body)), err
}

// query asks as the engine's own account and fails the test unless answered.
func query(t *testing.T, e *engine.Engine, text string) string {
	t.Helper()
	status, answer, err := ask(t.Context(), e, basic(e.User(), e.Password()), text)
	if err != nil || status != http.StatusOK {
		t.Fatalf("%s: %d %s %v", text, status, answer, err)
	}
	return answer
}

// eventually polls until a condition holds.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	deadline := time.Now().Add(20 * time.Second)
	for !holds() {
		if time.Now().After(deadline) {
			t.Fatalf("not in time: %s", what)
		}
		time.Sleep(5 * time.Millisecond)
	}
}

// gone says whether a process has ended; one that nobody waited for yet has.
func gone(pid int) func() bool {
	return func() bool {
		raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
		_, state, _ := strings.Cut(string(raw), ") ")
		return err != nil || strings.HasPrefix(state, "Z")
	}
}

func TestServesAndStops(t *testing.T) {
	dir := filepath.Join(t.TempDir(), `a folder & "more"`)
	e := start(t, in(dir))
	if v := query(t, e, "SELECT version()"); !strings.HasPrefix(v, "26.7.") {
		t.Errorf("version %q", v)
	}
	pid := e.Pid()
	if group, err := syscall.Getpgid(pid); err != nil || group != pid {
		t.Errorf("process group %d, %v; a Ctrl-C on ours must not reach it", group, err)
	}
	if _, err := os.Stat(filepath.Join(dir, "accounts.xml")); !os.IsNotExist(err) {
		t.Errorf("the accounts lie about: %v", err)
	}
	if info, err := os.Stat(dir); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("folder: %v, %v", info.Mode(), err)
	}
	var all sync.WaitGroup
	for range 3 {
		all.Go(func() {
			if err := e.Stop(context.Background()); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if !gone(pid)() {
		t.Error("the engine runs after Stop")
	}
	if _, err := e.DialContext(t.Context(), ""); errs.KindOf(err) != errs.Unavailable {
		t.Errorf("dial after Stop: %v", err)
	}
}

func TestFollowsTheEngineAcrossDeaths(t *testing.T) {
	e := start(t, func(o *engine.Options) { o.BackoffMin = time.Millisecond })
	query(t, e, "CREATE DATABASE kept")
	query(t, e, "CREATE TABLE kept.t (n UInt64) ENGINE = MergeTree ORDER BY n")
	for i := range 3 {
		query(t, e, fmt.Sprintf("INSERT INTO kept.t SETTINGS async_insert = 0 VALUES (%d)", i))
		pid := e.Pid()
		if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
		eventually(t, "another engine", func() bool { return e.Pid() != pid && e.Pid() != 0 })
		if n := query(t, e, "SELECT count() FROM kept.t"); n != fmt.Sprint(i+1) {
			t.Errorf("after death %d: %s rows", i+1, n)
		}
	}
	if n := e.Restarts(); n != 3 {
		t.Errorf("%d restarts, want 3", n)
	}
}

func TestDialWaitsForARestart(t *testing.T) {
	e := start(t, func(o *engine.Options) { o.BackoffMin = time.Hour })
	if err := syscall.Kill(e.Pid(), syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	eventually(t, "its death is noticed", func() bool { return e.Pid() == 0 })
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if _, err := e.DialContext(ctx, ""); errs.KindOf(err) != errs.Unavailable {
		t.Errorf("got %v, want unavailable once the time is over", err)
	}
}

func TestSecondStartIsRefused(t *testing.T) {
	dir := t.TempDir()
	e := start(t, in(dir))
	_, err := engine.Start(t.Context(), engine.Options{Dir: dir})
	if errs.KindOf(err) != errs.Conflict || !strings.Contains(err.Error(), dir+" is in use") || !strings.Contains(err.Error(), "stop the other") {
		t.Errorf("got %v", err)
	}
	query(t, e, "SELECT 1") // the first does not mind
}

// TestLeavesAtOnceAlthoughConnectionsAreOpen holds idle connections, for which
// the engine would wait.
func TestStartWaitsForAnOldEngineOnlySoLong(t *testing.T) {
	dir := t.TempDir()
	old, err := os.Create(filepath.Join(dir, "engine.lock"))
	if err != nil {
		t.Fatal(err)
	}
	defer old.Close()
	if err := syscall.Flock(int(old.Fd()), syscall.LOCK_EX); err != nil {
		t.Fatal(err)
	}
	_, err = engine.Start(t.Context(), engine.Options{Dir: dir, StartTimeout: 50 * time.Millisecond})
	if errs.KindOf(err) != errs.Conflict || !strings.Contains(err.Error(), "end the process evenkeel-engine") {
		t.Errorf("got %v", err)
	}
}

func TestLeavesAtOnceAlthoughConnectionsAreOpen(t *testing.T) {
	e := start(t, func(o *engine.Options) { o.StopTimeout = time.Minute })
	for range 3 {
		conn, err := e.DialContext(t.Context(), "")
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		if _, err := conn.Write([]byte("GET /ping HTTP/1.1\r\nHost: engine\r\n\r\n")); err != nil {
			t.Fatal(err)
		}
		if _, err := conn.Read(make([]byte, 1)); err != nil {
			t.Fatal(err)
		}
	}
	since := time.Now()
	if err := e.Stop(t.Context()); err != nil {
		t.Error(err)
	}
	if took := time.Since(since); took > 4*time.Second {
		t.Errorf("leaving took %v", took)
	}
}

func TestAnEngineThatHangsIsKilled(t *testing.T) {
	for name, stop := range map[string]func(*engine.Engine) error{
		"by its own timeout": func(e *engine.Engine) error { return e.Stop(context.Background()) },
		"by the caller's": func(e *engine.Engine) error {
			ctx, cancel := context.WithCancel(context.Background())
			cancel()
			return e.Stop(ctx)
		},
	} {
		t.Run(name, func(t *testing.T) {
			e := start(t, func(o *engine.Options) { o.StopTimeout = 50 * time.Millisecond })
			pid := e.Pid()
			if err := syscall.Kill(pid, syscall.SIGSTOP); err != nil {
				t.Fatal(err)
			}
			if err := stop(e); err != nil {
				t.Error(err)
			}
			if !gone(pid)() {
				t.Error("it still hangs about")
			}
		})
	}
}

func TestStartSaysWhatIsMissing(t *testing.T) {
	broken := filepath.Join(t.TempDir(), "libchdb.so")
	if err := os.WriteFile(broken, []byte("not a library"), 0o600); err != nil {
		t.Fatal(err)
	}
	canceled, cancel := context.WithCancel(t.Context())
	cancel()
	for name, c := range map[string]struct {
		ctx     context.Context
		options engine.Options
		kind    errs.Kind
		cure    string
	}{
		"no library":     {t.Context(), engine.Options{Dir: t.TempDir(), Library: "/nonexistent/libchdb.so"}, errs.NotFound, "make setup"},
		"broken library": {t.Context(), engine.Options{Dir: t.TempDir(), Library: broken}, errs.Unavailable, "make setup"},
		"no folder":      {t.Context(), engine.Options{}, errs.Invalid, "set data"},
		"folder a file":  {t.Context(), engine.Options{Dir: broken}, errs.Invalid, "set data"},
		"canceled":       {canceled, engine.Options{Dir: t.TempDir()}, errs.Unavailable, ""},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := engine.Start(c.ctx, c.options)
			if errs.KindOf(err) != c.kind || !strings.Contains(fmt.Sprint(err), c.cure) {
				t.Errorf("got kind %d: %v", errs.KindOf(err), err)
			}
		})
	}
}
