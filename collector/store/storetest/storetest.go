// Package storetest gives tests the real store on the real engine: one engine
// for each test process, started when first asked for, and a fresh database
// for every test.
//
//	func TestMain(m *testing.M) { storetest.Main(m) }
//	func TestX(t *testing.T)    { store := storetest.Open(t) ... }
//
// The engine itself is fetched once by `make setup`. It takes about 270 MB of
// memory, so tests share it.
package storetest

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/evenkeel/evenkeel/collector/engine"
	"github.com/evenkeel/evenkeel/collector/store/clickhouse"
)

// shared is the one engine of this test process.
var shared struct {
	start  sync.Once
	dir    string
	engine *engine.Engine
	err    error
}

var databases atomic.Int64

// Main runs the tests of a package, and then stops the engine, removes its
// folder and fails if a goroutine is left over. It is the whole of a TestMain
// and does not return.
func Main(m *testing.M, ignore ...goleak.Option) {
	engine.RunIfChild()
	code := m.Run()
	if err := shutdown(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	if code == 0 {
		if err := goleak.Find(ignore...); err != nil {
			fmt.Fprintln(os.Stderr, err)
			code = 1
		}
	}
	os.Exit(code)
}

// Engine gives the shared engine, for tests that kill it.
func Engine(t testing.TB) *engine.Engine {
	t.Helper()
	shared.start.Do(start)
	if shared.err != nil {
		t.Fatal(shared.err)
	}
	return shared.engine
}

func start() {
	shared.dir, shared.err = os.MkdirTemp("", "evenkeel-engine-")
	if shared.err != nil {
		return
	}
	log := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelError})) // deaths are warnings
	shared.engine, shared.err = engine.Start(context.Background(), engine.Options{
		Dir: shared.dir, Log: log,
		BackoffMin: 10 * time.Millisecond, BackoffMax: 50 * time.Millisecond, // tests that kill it do not wait
	})
}

func shutdown() error {
	var err error
	if shared.engine != nil {
		err = shared.engine.Stop(context.Background())
	}
	if shared.dir != "" {
		err = errors.Join(err, os.RemoveAll(shared.dir))
	}
	return err
}

// Options leads to a fresh database of the shared engine. It exists once
// clickhouse.Open made it, and is dropped when the test ends.
func Options(t testing.TB) clickhouse.Options {
	t.Helper()
	e := Engine(t)
	return clickhouse.Options{
		Dial: e.DialContext, User: e.User(), Password: e.Password(),
		Database: fmt.Sprintf("test_%d", databases.Add(1)),
	}
}

// Open gives a store on a fresh database, closed and dropped when the test
// ends.
func Open(t testing.TB) *clickhouse.Store { return OpenWith(t, Options(t)) }

// OpenWith is Open with options that were changed, from Options.
func OpenWith(t testing.TB, options clickhouse.Options) *clickhouse.Store {
	t.Helper()
	store, err := clickhouse.Open(context.Background(), options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		err := store.Conn().Exec(context.Background(), "DROP DATABASE IF EXISTS "+options.Database+" SYNC")
		if err != nil {
			t.Errorf("drop the test's database: %v", err)
		}
		if err := store.Close(); err != nil {
			t.Errorf("close the store: %v", err)
		}
	})
	return store
}
