package agent_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/evenkeel/evenkeel/agent/export/otlptest"
	"github.com/evenkeel/evenkeel/signal"
)

// changesOf writes the changes that were told, a line each.
func changesOf(t testing.TB, r *otlptest.Receiver) []string {
	t.Helper()
	var out []string
	for _, e := range r.Events(signal.EventModelChanged) {
		text := func(key string) string { return e.Attributes[key].(string) }
		out = append(out, fmt.Sprintf("%s@%s %s %s>%s %s", text(signal.KeyModelName), text(signal.KeyModelVersion), text(signal.KeyChangeOf),
			signal.Digest(text(signal.KeyChangeOld)).Short(), signal.Digest(text(signal.KeyChangeNew)).Short(), text(signal.KeyChangeFound)))
	}
	return out
}

// Another version and another baseline are told once, at once, with the lineage of
// what is served now; a restart is no change.
func TestModelChangesAreTold(t *testing.T) {
	receiver := otlptest.Start(t, nil)
	server := startModelServer(t, approve)
	c := loanConfig(t, server.URL, receiver.URL())
	a := startAgent(t, c, nil)
	serveLoans(t, a, server, 0, 2)
	server.setVersion("2")
	serveLoans(t, a, server, 2, 4)
	otlptest.Eventually(t, "a change", func() bool { return len(changesOf(t, receiver)) == 1 })
	otlptest.Eventually(t, "the lineage of the new version", func() bool {
		return slices.ContainsFunc(receiver.Events(signal.EventLineageRun), func(e otlptest.Event) bool {
			return e.Attributes[signal.KeyModelVersion] == "2" && e.Attributes[signal.KeyLineageEventType] == "START"
		})
	})
	before, err := loanBaseline().Digest()
	if err != nil {
		t.Fatal(err)
	}
	other := loanBaseline()
	other.Features[0].Counts = []uint64{10, 40, 25, 25}
	after, err := other.Digest()
	if err != nil {
		t.Fatal(err)
	}
	next := *c
	next.Models = slices.Clone(c.Models)
	next.Models[0].Baseline = writeBaseline(t, other)
	if err := a.Apply(&next); err != nil {
		t.Fatal(err)
	}
	stopAgent(t, a)

	a = startAgent(t, &next, nil)
	serveLoans(t, a, server, 4, 6)
	server.setVersion("3")
	serveLoans(t, a, server, 6, 8)
	stopAgent(t, a)
	want := []string{
		"loans@2 version 1>2 answer",
		fmt.Sprintf("loans@ baseline %s>%s configuration", before.Short(), after.Short()),
		"loans@3 version 2>3 answer",
	}
	if got := changesOf(t, receiver); !slices.Equal(got, want) {
		t.Errorf("%q\nwant %q", got, want)
	}
}
