//go:build faultpoints

package clickhouse_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"testing"

	"github.com/evenkeel/evenkeel/collector/engine"
	"github.com/evenkeel/evenkeel/collector/model"
	"github.com/evenkeel/evenkeel/collector/store/clickhouse"
)

// crashDir in the environment makes TestCrashChild the process that dies.
const crashDir = "EVENKEEL_TEST_CRASH_DIR"

// openIn starts an engine in dir and opens a store on it.
func openIn(t *testing.T, dir string) *clickhouse.Store {
	t.Helper()
	e, err := engine.Start(t.Context(), engine.Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = e.Stop(context.Background()) })
	s, err := clickhouse.Open(t.Context(), clickhouse.Options{Dial: e.DialContext, User: e.User(), Password: e.Password()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// TestCrashChild migrates and writes until the fault point kills it.
func TestCrashChild(t *testing.T) {
	dir := os.Getenv(crashDir)
	if dir == "" {
		return // only for TestCrashes
	}
	s := openIn(t, dir)
	write(t, s, model.SpoolBatch(1), everything(), model.InDoubt)
}

// TestCrashes kills the process, and with it the engine, at every fault point,
// and then does again what a restart does.
func TestCrashes(t *testing.T) {
	for _, fault := range []string{
		"migrate.step", "migrate.step:4", "migrate.step:7", "migrate.step:12", "migrate.step:14",
		"store.before_insert", "store.before_insert:5", "store.after_insert", "store.after_insert:3", "store.after_insert:9", "store.before_insert:12",
	} {
		t.Run(fault, func(t *testing.T) {
			dir := t.TempDir()
			child := exec.Command(os.Args[0], "-test.run=^TestCrashChild$")
			child.Env = append(os.Environ(), crashDir+"="+dir, "EVENKEEL_FAULT="+fault)
			out, err := child.CombinedOutput()
			if fmt.Sprint(err) != "signal: killed" {
				t.Fatalf("the child was not killed at the fault point: %v\n%s", err, out)
			}
			s := openIn(t, dir)
			write(t, s, model.SpoolBatch(1), everything(), model.InDoubt)
			wantRows(t, s, model.SpoolBatch(1), 4)
			readBack(t, s, everything())
		})
	}
}
