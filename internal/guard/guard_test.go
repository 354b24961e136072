package guard

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"reflect"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestPanicsAreCountedByPartAndLoggedOnce(t *testing.T) {
	var log bytes.Buffer
	g := New(slog.New(slog.NewTextHandler(&log, nil)))
	g.Expect("a", "b", "c")
	for range 3 {
		if g.Run("a", func() { panic("broken a") }) {
			t.Error("a panic counts as success")
		}
	}
	if err := g.Try("b", func() error { panic(errors.New("broken b")) }); err == nil || !strings.Contains(err.Error(), "b: panicked") {
		t.Errorf("got %v", err)
	}
	want := errors.New("no panic")
	if err := g.Try("c", func() error { return want }); err != want {
		t.Errorf("got %v, want %v", err, want)
	}
	if got := g.Counts(); !reflect.DeepEqual(got, map[string]uint64{"a": 3, "b": 1, "c": 0}) {
		t.Errorf("counts %v", got)
	}
	text := log.String()
	if strings.Count(text, "broken a") != 1 || strings.Count(text, "broken b") != 1 || !strings.Contains(text, "guard_test.go") {
		t.Errorf("want each panic once, with its place:\n%s", text)
	}
}

func TestKeepGoesOnAfterAPanicUntilTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := New(slog.New(slog.DiscardHandler))
		calls, start := 0, time.Now()
		g.Keep(t.Context(), "a", func(context.Context) {
			if calls++; calls < 4 {
				panic(calls)
			}
		})
		if took := time.Since(start); calls != 4 || took != 3*again {
			t.Errorf("%d calls in %s, want 4 with a pause after each panic", calls, took)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		g.Keep(ctx, "a", func(context.Context) { panic("while stopping") })
		if n := g.Counts()["a"]; n != 4 {
			t.Errorf("%d panics counted, want 4", n)
		}
	})
}
