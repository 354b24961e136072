package signal

import (
	"strings"
	"testing"

	"github.com/evenkeel/evenkeel/internal/canonical"
)

func TestParseBaselineNamesTheFault(t *testing.T) {
	good, err := canonical.JSON(buildLoans(t))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := ParseBaseline(good); err != nil {
		t.Fatalf("the baseline itself: %v", err)
	}
	for name, c := range map[string]struct{ from, to, want string }{
		"empty":             {string(good), " \n", "the baseline is empty; build it with evenkeel baseline build"},
		"cut off":           {string(good), string(good[:100]), "the JSON ends in the middle"},
		"not JSON":          {string(good), "features:\n- income", "line 1, column"},
		"second line":       {string(good), "{\n  oops}", "line 2, column 3: not JSON"},
		"other type":        {`"rows":200`, `"rows":"many"`, "rows: a JSON string does not fit"},
		"unknown key":       {`"rows":200`, `"rowz":200`, `unknown field "rowz"`},
		"more behind":       {string(good), string(good) + "{}", "more follows"},
		"other format":      {"baseline/v1", "baseline/v9", "build the baseline again"},
		"counts do not fit": {`"counts":[50,100,50]`, `"counts":[50,100]`, "features[1] (purpose): counts: 2 entries for 3 cells"},
		"n is wrong":        {`"missing":1`, `"missing":2`, "features[0] (income): n: 200, but the cells add up to 201"},
		"reference":         {`"reference":"male"`, `"reference":"men"`, `groups[0] (gender): the reference group "men" does not occur`},
		"order of groups":   {`"group":"(unknown)"`, `"group":"zz"`, "out of order"},
		"attribute twice":   {`"groups":[`, `"groups":[{"attribute":"gender","reference":"a","declared":true,"counts":[{"group":"a","favourable":0,"total":1}]},`, "there twice"},
	} {
		spoiled := strings.Replace(string(good), c.from, c.to, 1)
		if _, err := ParseBaseline([]byte(spoiled)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %s", name, err, c.want)
		}
	}
}

// Whatever the bytes, a baseline that parses is valid, has a digest, and reads
// back from its canonical form with the same digest.
func FuzzParseBaseline(f *testing.F) {
	good, err := canonical.JSON(buildLoans(f))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Add([]byte(`{"format":"evenkeel.baseline/v1","features":[{"kind":"numeric","counts":[0]}]}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		b, err := ParseBaseline(raw)
		if err != nil {
			return
		}
		d, err := b.Digest()
		if err != nil {
			t.Fatal(err)
		}
		form, err := canonical.JSON(b)
		if err != nil {
			t.Fatal(err)
		}
		back, err := ParseBaseline(form)
		if err != nil {
			t.Fatalf("%v\n%s", err, form)
		}
		if again, err := back.Digest(); err != nil || again != d {
			t.Fatalf("digest %s became %s, %v", d, again, err)
		}
	})
}
