package conformance

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"log/slog"
	"os"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/evenkeel/evenkeel/plugins/host"
	"github.com/evenkeel/evenkeel/plugins/sdk"
)

// Subject is the plugin under test.
type Subject struct {
	Name   string            // as its Describe says
	Binary string            // the finished program
	Config json.RawMessage   // under which every call can succeed
	Bad    []json.RawMessage // each must be refused for good
	// Seen gives the ids of the events that reached the other side. Nil where
	// the test cannot look there.
	Seen func() []string
}

// Run runs the whole suite. Every check starts a process of its own.
func Run(t *testing.T, s Subject) {
	t.Run("describes itself", func(t *testing.T) { s.describes(t) })
	t.Run("refuses a bad configuration", func(t *testing.T) { s.refuses(t) })
	t.Run("does once what is asked twice", func(t *testing.T) { s.repeats(t) })
	t.Run("keeps records apart", func(t *testing.T) { s.concurrent(t) })
	t.Run("takes a large record", func(t *testing.T) { s.large(t) })
	t.Run("can do what it says", func(t *testing.T) { s.honest(t) })
	t.Run("gives up when nobody waits", func(t *testing.T) { s.cancelled(t) })
	t.Run("comes back after a crash", func(t *testing.T) { s.crashes(t) })
	t.Run("ends with its host", func(t *testing.T) { s.ends(t) })
}

// start runs the plugin for one check and ends it afterwards.
func (s *Subject) start(t *testing.T) *host.Plugin {
	t.Helper()
	p, err := host.Start(t.Context(), s.options(t, s.Config))
	if err != nil {
		t.Fatalf("start: %v", err)
	}
	t.Cleanup(func() {
		if err := p.Stop(background); err != nil {
			t.Errorf("stop: %v", err)
		}
	})
	return p
}

func (s *Subject) options(t *testing.T, config json.RawMessage) host.Options {
	t.Helper()
	program, err := os.ReadFile(s.Binary)
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(program)
	return host.Options{
		Name: s.Name, Path: s.Binary, SHA256: hex.EncodeToString(sum[:]), Config: config,
		Log:        slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelInfo})),
		RestartMin: 10 * time.Millisecond,
	}
}

// newRecord makes a record and the event that opened it.
func newRecord() (sdk.Event, sdk.Record) {
	rec := sdk.Record{
		ID: uuid.NewString(), Ref: "NC-2026-00042", Kind: "nonconformity", Severity: "minor", State: "open", Condition: "failing",
		Rule: "DRF-01", System: "conformance/system ü", Title: "Input feature drift", Statement: "income is 0.31, above 0.25",
		JSON: json.RawMessage(`{"ref":"NC-2026-00042"}`),
	}
	return newEvent(rec, 1, "opened"), rec
}

func newEvent(rec sdk.Record, seq uint64, kind string) sdk.Event {
	return sdk.Event{
		ID: uuid.NewString(), Record: rec.ID, Seq: seq, Time: time.Unix(1_800_000_000, 0).UTC(),
		Type: kind, Actor: "evenkeel-collector", Data: json.RawMessage(`{}`),
	}
}

func comment(rec sdk.Record) sdk.Comment {
	return sdk.Comment{EventID: uuid.NewString(), Author: "conformance", Text: "a remark on " + rec.Ref}
}
