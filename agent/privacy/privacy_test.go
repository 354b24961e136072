package privacy_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/evenkeel/evenkeel/agent/privacy"
	"github.com/evenkeel/evenkeel/signal"
)

var key = []byte("0123456789abcdef0123456789abcdef")

func mac(text string) string {
	h := hmac.New(sha256.New, key)
	h.Write([]byte(text))
	return hex.EncodeToString(h.Sum(nil)[:16])
}

func observation() *signal.Observation {
	in := signal.TargetFeature
	return &signal.Observation{Rows: 3, Request: "r", Columns: []signal.Column{
		{Name: "name", Target: in, Strings: []string{"ann", "bob", ""}, Missing: []bool{false, false, true}},
		{Name: "zip", Target: in, Numbers: []float64{1, 1.5, math.NaN()}},
		{Name: "age", Target: in, Numbers: []float64{30, 40, 50}},
		{Name: "approved", Target: signal.TargetPrediction, Numbers: []float64{1, 0, 1}},
	}}
}

func names(obs *signal.Observation) string {
	var out []string
	for _, c := range obs.Columns {
		out = append(out, string(c.Name))
	}
	return strings.Join(out, " ")
}

func TestFilter(t *testing.T) {
	for want, o := range map[string]privacy.Options{
		"name zip age approved": {},
		"age approved":          {Drop: []signal.FeatureName{"name", "zip"}},
		"zip approved":          {Allow: []signal.FeatureName{"zip"}},
		"zip age approved":      {Allow: []signal.FeatureName{"zip"}, Keep: []signal.FeatureName{"age"}},
	} {
		f, err := privacy.NewFilter(o)
		if err != nil {
			t.Fatal(err)
		}
		obs := observation()
		for range 2 {
			if got := names(f.Apply(obs)); got != want {
				t.Errorf("%+v leaves %q, want %q", o, got, want)
			}
		}
		if names(obs) != "name zip age approved" {
			t.Error("the decoder's columns were changed")
		}
	}
}

func TestHashedValuesAreKeyedDigests(t *testing.T) {
	f, err := privacy.NewFilter(privacy.Options{Hash: []signal.FeatureName{"name", "zip"}, IDs: true, Key: key})
	if err != nil {
		t.Fatal(err)
	}
	got := f.Apply(observation())
	text, number := got.Columns[0], got.Columns[1]
	if text.Strings[0] != mac("ann") || text.Strings[1] != mac("bob") || !text.Missing[2] || text.Missing[0] || !privacy.IsHashed(text.Strings[0]) ||
		number.Strings[0] != mac("1") || number.Strings[1] != mac("1.5") || !number.Missing[2] || number.Numbers != nil {
		t.Errorf("%+v %+v", text, number)
	}
	if f.HashID("req") != mac("req") || f.HashID("") != "" {
		t.Error(f.HashID("req"))
	}
	if _, err := privacy.NewFilter(privacy.Options{IDs: true, Key: []byte("short")}); err == nil {
		t.Error("a short key was taken")
	}
}

func TestSourcesAddAttributes(t *testing.T) {
	path := filepath.Join(t.TempDir(), "groups.csv")
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("zip,group\n1,north\n1.5,south\n")
	table, err := privacy.OpenTable(path, "zip", []signal.FeatureName{"group"})
	if err != nil {
		t.Fatal(err)
	}
	s := privacy.NewSources([]privacy.Source{
		{Attribute: "group", Table: table, ID: "zip"}, {Attribute: "gender", Header: "X-Group"},
	})
	check := func(want string) {
		t.Helper()
		got := s.Apply(observation(), map[string]string{"X-Group": "female"})
		if group := strings.Join(got.Columns[0].Strings, ","); group != want || !got.Columns[0].Missing[2] {
			t.Errorf("groups %q, want %q", group, want)
		}
		if gender := strings.Join(got.Columns[1].Strings, ","); gender != "female,female,female" || names(got) != "group gender name zip age approved" {
			t.Errorf("%q in %s", gender, names(got))
		}
	}
	check("north,south,")
	if changed, err := table.Refresh(); changed || err != nil {
		t.Error(changed, err)
	}
	write("group,zip\nwest,1\n")
	if changed, err := table.Refresh(); !changed || err != nil {
		t.Error(changed, err)
	}
	check("west,,")
	write("something else entirely\n")
	if _, err := table.Refresh(); err == nil || table.Failures() != 1 {
		t.Error(err, table.Failures())
	}
	check("west,,") // the last good one
	if c := s.Apply(observation(), nil).Columns[1]; !c.Missing[0] {
		t.Error("a header that is not there is an attribute")
	}
}
