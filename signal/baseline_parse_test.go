package signal

import (
	"strings"
	"testing"

	"github.com/evenkeel/evenkeel/internal/canonical"
	"github.com/evenkeel/evenkeel/measure"
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

// Everything that a baseline says about outcome, joint sets and texts is checked
// against its columns.
func TestValidateNamesTheFaultOfParts(t *testing.T) {
	columns, o := service(20, 800)
	o.Windows = 20
	limit := func(l JointLimit) func(*Baseline) { return func(b *Baseline) { b.Joint[0].Limits[2] = l } }
	for name, c := range map[string]struct {
		spoil func(b *Baseline)
		want  string
	}{
		"output":             {func(b *Baseline) { b.Outcome.Output = "x0" }, `outcome: output: "x0" is no prediction of the baseline`},
		"favourable":         {func(b *Baseline) { b.Outcome.Favourable = &Favourable{} }, "outcome: favourable: say which outcomes are favourable"},
		"score of nothing":   {func(b *Baseline) { b.Outcome.Favourable = nil }, `outcome: score: "probability" of which outcome?`},
		"score":              {func(b *Baseline) { b.Outcome.Score = "p" }, `outcome: score: "p" is no numeric prediction`},
		"calibrator alone":   {func(b *Baseline) { b.Outcome.Score = "" }, "outcome: calibrator: there is no score"},
		"calibrator":         {func(b *Baseline) { b.Outcome.Calibrator = &measure.Calibrator{} }, "outcome: calibrator: 0 scores and 0 probabilities"},
		"name of a set":      {func(b *Baseline) { b.Joint[0].Name = "" }, "joint[0] (): name: empty"},
		"another name":       {func(b *Baseline) { b.Joint[0].Name = "other" }, "joint[0] (other): projections: features has no numeric column multivariate other/01 for axis 0"},
		"target":             {func(b *Baseline) { b.Joint[0].Target = TargetText }, `target: "text" is neither`},
		"set twice":          {func(b *Baseline) { b.Joint = append(b.Joint, b.Joint[0]) }, "joint[1] (inputs): a second set of this name"},
		"no projections":     {func(b *Baseline) { b.Joint[0].Projections = nil }, "projections: missing"},
		"axes":               {func(b *Baseline) { b.Joint[0].Projections.Axes[1] = nil }, "projections: axis 1 has 0 columns"},
		"seed":               {func(b *Baseline) { b.Joint[0].Projections.Seed = 1<<53 + 1 }, "projections: 9007199254740993 is beyond 2^53"},
		"columns":            {func(b *Baseline) { b.Joint[0].Columns = b.Joint[0].Columns[1:] }, "columns: 3, but the projections are of 4"},
		"column twice":       {func(b *Baseline) { b.Joint[0].Columns[1] = "x0" }, `columns[1]: "x0" is empty or there twice`},
		"kernel":             {func(b *Baseline) { b.Joint[0].Kernel.Frequencies = 7 }, "kernel: 128 sums for 7 frequencies"},
		"kernel's rows":      {func(b *Baseline) { b.Joint[0].Kernel.Rows = 1 << 60 }, "kernel: 1152921504606846976 is beyond 2^53"},
		"limit of a method":  {limit(JointLimit{Method: DriftPSI, Value: 1, Alpha: 0.05, Windows: 20, Rows: 30}), `limits[2]: the set has no method "psi"`},
		"limit":              {limit(JointLimit{Method: DriftMMD, Value: 1, Alpha: 1, Windows: 20, Rows: 30}), "is no limit"},
		"limit twice":        {limit(JointLimit{Method: DriftSlicedJS, Value: 1, Alpha: 0.05, Windows: 20, Rows: 30}), "limits[2] (sliced_js): a second limit"},
		"limit of no kernel": {func(b *Baseline) { b.Joint[0].Kernel = nil }, `limits[2]: the set has no method "mmd"`},
		"text":               {func(b *Baseline) { b.Texts[0].Column = "other" }, "features has no numeric column text other.length"},
		"text twice":         {func(b *Baseline) { b.Texts = append(b.Texts, b.Texts[0]) }, "texts[1] (question): the column is there twice"},
		"trigrams":           {func(b *Baseline) { b.Texts[0].Trigrams = 63 }, "question.trigrams: the categories are not the 63 cells"},
		"many trigrams":      {func(b *Baseline) { b.Texts[0].Trigrams = 1 << 30 }, "1073741824 cells of trigrams"},
		"deflation":          {func(b *Baseline) { b.Features[2].Deflation = 0.5 }, "features[2] (x2): deflation: 0.5; at least 1"},
		"counts":             {func(b *Baseline) { b.Features[2].Counts[1] = 1 << 63 }, "counts: 9223372036854775808 is beyond 2^53"},
		"rows":               {func(b *Baseline) { b.Rows = 1 << 63 }, "rows: 9223372036854775808 is beyond 2^53"},
	} {
		b := mustBuild(t, columns, o)
		c.spoil(b)
		if err := b.Validate(); err == nil || !strings.Contains(err.Error(), c.want) {
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
	columns, o := service(21, 400)
	o.Windows = 20
	o.Joint[0].Frequencies, o.Texts[0].Trigrams = 2, 3
	full, err := canonical.JSON(mustBuild(f, columns, o))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(full)
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
