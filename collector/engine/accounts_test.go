package engine_test

import (
	"context"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// TestNobodyElseGetsIn tries every way to log in that HTTP has, many at once,
// since what keeps default out is a limit on its sessions.
func TestNobodyElseGetsIn(t *testing.T) {
	e := start(t)
	pid := e.Pid()
	as := func(key, value string) login {
		return func(r *http.Request) {
			q := r.URL.Query()
			q.Set(key, value)
			r.URL.RawQuery = q.Encode()
		}
	}
	logins := map[string]login{
		"nobody":                 func(*http.Request) {},
		"default":                basic("default", ""),
		"default, any password":  basic("default", "x"),
		"default in a parameter": as("user", "default"),
		"default in a header":    func(r *http.Request) { r.Header.Set("X-ClickHouse-User", "default") },
		"default in a session":   as("session_id", "mine"),
		"a stranger":             basic("stranger", "x"),
		"root":                   basic("root", ""),
		"us, no password":        basic(e.User(), ""),
		"us, wrong password":     basic(e.User(), "wrong"),
		"us, password as hash":   basic(e.User(), strings.Repeat("0", 64)),
	}
	var all sync.WaitGroup
	for name, who := range logins {
		for range 10 {
			all.Go(func() {
				status, answer, err := ask(context.Background(), e, who, "SELECT 1")
				if err != nil || status == http.StatusOK {
					t.Errorf("%s: %d %s %v", name, status, answer, err)
				}
			})
		}
	}
	all.Wait()
	if query(t, e, "SELECT currentUser()") != e.User() || e.Pid() != pid {
		t.Error("the engine did not survive the strangers")
	}
}

func TestListensOnOneLoopbackPortOnly(t *testing.T) {
	e := start(t)
	query(t, e, "SELECT 1")
	listening := listeners(t, e.Pid())
	if len(listening) != 1 || !strings.HasPrefix(listening[0], "0100007F:") {
		t.Errorf("listens on %v, want one port of 127.0.0.1", listening)
	}
	if n := query(t, e, "SELECT count() FROM system.server_settings WHERE name = 'max_server_memory_usage' AND value = '1073741824'"); n != "1" {
		t.Error("the memory limit is not in force")
	}
	if n := query(t, e, "SELECT keep_free_space FROM system.disks WHERE name = 'default'"); n != "33554432" {
		t.Errorf("%s bytes of the disk are kept free", n)
	}
	if n := query(t, e, "SELECT value FROM system.merge_tree_settings WHERE name = 'fsync_after_insert'"); n != "1" {
		t.Error("inserts are not synced")
	}
}

// listeners gives the local addresses, in the kernel's hexadecimal form, on
// which a process listens over TCP.
func listeners(t *testing.T, pid int) []string {
	t.Helper()
	proc := filepath.Join("/proc", strconv.Itoa(pid))
	fds, err := os.ReadDir(filepath.Join(proc, "fd"))
	if err != nil {
		t.Fatal(err)
	}
	owned := map[string]bool{}
	for _, fd := range fds {
		if target, err := os.Readlink(filepath.Join(proc, "fd", fd.Name())); err == nil {
			owned[strings.TrimSuffix(strings.TrimPrefix(target, "socket:["), "]")] = true
		}
	}
	var out []string
	for _, table := range []string{"tcp", "tcp6"} {
		raw, err := os.ReadFile(filepath.Join(proc, "net", table))
		if err != nil {
			continue // a kernel without IPv6
		}
		for line := range strings.Lines(string(raw)) {
			const listen = "0A"
			if f := strings.Fields(line); len(f) > 9 && f[3] == listen && owned[f[9]] {
				out = append(out, f[1])
			}
		}
	}
	return out
}
