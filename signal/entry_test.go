package signal_test

import (
	"testing"

	"pgregory.net/rapid"

	"github.com/evenkeel/evenkeel/signal"
)

func TestEntryNames(t *testing.T) {
	for name, want := range map[string]signal.Entry{
		"loan":                        {Model: "loan"},
		"loan;stage=transformed":      {Model: "loan", Stage: "transformed"},
		"meta/llama 3;route=eu":       {Model: "meta/llama 3", Route: "eu"},
		"m;stage=transformed;route=a": {Model: "m", Stage: "transformed", Route: "a"},
		"m;route=a;stage=transformed": {Model: "m", Route: "a;stage=transformed"},
		"m;stage=":                    {Model: "m;stage="},
		"m;other=1":                   {Model: "m;other=1"},
		"":                            {},
	} {
		got := signal.ParseEntry(name)
		if got != want {
			t.Errorf("%s: %+v, want %+v", name, got, want)
		}
		if got.Name() != name {
			t.Errorf("%s is written %s", name, got.Name())
		}
	}
	if got := signal.EntryDimensions("loan"); got != nil {
		t.Errorf("%v", got)
	}
	got := signal.EntryDimensions("m;stage=transformed;route=a")
	if len(got) != 2 || got[0] != (signal.Dimension{Key: "evenkeel.stage", Value: "transformed"}) || got[1] != (signal.Dimension{Key: "evenkeel.route", Value: "a"}) {
		t.Errorf("%v", got)
	}
}

// Entries without semicolons in their parts are read as they were written.
func TestEntryNameLaw(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		part := rapid.StringMatching(`[a-z=/.: -]{0,8}`)
		e := signal.Entry{Model: part.Draw(t, "model"), Stage: part.Draw(t, "stage"), Route: part.Draw(t, "route")}
		if got := signal.ParseEntry(e.Name()); got != e {
			t.Errorf("%+v is %s is %+v", e, e.Name(), got)
		}
	})
}
