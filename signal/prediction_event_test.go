package signal

import (
	"maps"
	"math"
	"reflect"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func predictions() *rapid.Generator[*Prediction] {
	return rapid.Custom(func(t *rapid.T) *Prediction {
		text := rapid.StringN(0, 20, 60)
		p := &Prediction{
			Model:    ModelRef{Name: rapid.StringN(1, 9, 30).Draw(t, "model"), Version: text.Draw(t, "version")},
			Instance: InstanceID(text.Draw(t, "instance")),
			ID:       rapid.StringN(1, 20, 80).Draw(t, "id"), Row: rapid.Uint32().Draw(t, "row"),
			Time:  time.Unix(0, rapid.Int64Range(0, math.MaxInt64).Draw(t, "time")).UTC(),
			Value: text.Draw(t, "value"), Score: rapid.Float64().Draw(t, "score"),
			Rate:     rapid.SampledFrom([]float64{0.01, 0.5, 1}).Draw(t, "rate"),
			TraceID:  rapid.SampledFrom([]string{"", "4bf92f3577b34da6a3ce929d0e0e4736"}).Draw(t, "trace"),
			Baseline: Digest(text.Draw(t, "baseline")), Run: text.Draw(t, "run"),
		}
		for part := range p.Lineage {
			p.Lineage[part] = rapid.StringMatching("(sha256:[0-9a-f]{8})?").Draw(t, "part")
		}
		for range rapid.IntRange(0, 3).Draw(t, "groups") {
			p.Basis = "GDPR Art. 9(2)(g)"
			p.Groups = append(p.Groups, Membership{FeatureName(rapid.StringN(1, 9, 30).Draw(t, "attribute")), rapid.StringN(1, 9, 30).Draw(t, "group")})
		}
		return p
	})
}

// samePrediction compares; NaN equals NaN.
func samePrediction(a, b *Prediction) bool {
	x, y := *a, *b
	for _, p := range []*Prediction{&x, &y} {
		if math.IsNaN(p.Score) {
			p.Score = math.Inf(1)
		}
		if len(p.Groups) == 0 {
			p.Groups = nil
		}
	}
	return reflect.DeepEqual(x, y)
}

func TestPredictionSurvivesTheWire(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := predictions().Draw(t, "prediction")
		if rapid.Bool().Draw(t, "no score") {
			p.Score = math.NaN()
		}
		back, err := DecodePrediction(received(EncodePrediction(p)))
		if err != nil || !samePrediction(p, back) {
			t.Fatalf("sent %+v\ngot  %+v, %v", p, back, err)
		}
	})
}

// What went without saying is filled in: the rate; and the time by the event's
// own, which zero stands for.
func TestPredictionDefaults(t *testing.T) {
	p, err := DecodePrediction(map[string]any{KeyModelName: "m", keyPredictionID: "a"})
	if err != nil || p.Rate != 1 || !math.IsNaN(p.Score) || p.Row != 0 || !p.Time.IsZero() {
		t.Errorf("%+v, %v", p, err)
	}
	for _, a := range EncodePrediction(&Prediction{}) {
		if a.Key == keyPredictionTime || a.Key == keyPredictionRate {
			t.Errorf("the empty prediction says %s", a.Key)
		}
	}
}

func TestDecodePredictionNamesTheAttribute(t *testing.T) {
	good := received(EncodePrediction(predictions().Example(1)))
	long := strings.Repeat("x", maxText+1)
	for name, c := range map[string]struct {
		key   string
		value any
	}{
		"no model":               {KeyModelName, ""},
		"a long model":           {KeyModelName, long},
		"a long version":         {KeyModelVersion, long},
		"a long instance":        {KeyInstanceID, long},
		"no id":                  {keyPredictionID, ""},
		"a long id":              {keyPredictionID, strings.Repeat("x", MaxPredictionID+1)},
		"a number for an id":     {keyPredictionID, int64(1)},
		"a row before the first": {keyPredictionRow, int64(-1)},
		"a row beyond all":       {keyPredictionRow, int64(math.MaxUint32 + 1)},
		"a text for a row":       {keyPredictionRow, "1"},
		"a time before 1970":     {keyPredictionTime, int64(-1)},
		"a long value":           {keyPredictionValue, strings.Repeat("x", MaxPredictionValue+1)},
		"a score that is none":   {keyPredictionScore, math.NaN()},
		"an infinite score":      {keyPredictionScore, math.Inf(-1)},
		"a text for a score":     {keyPredictionScore, "0.5"},
		"groups no JSON":         {keyPredictionGroup, "["},
		"groups too long":        {keyPredictionGroup, long},
		"a group without a name": {keyPredictionGroup, `[{"attribute":"race","group":""}]`},
		"groups without a basis": {keyPredictionBasis, ""},
		"a long basis":           {keyPredictionBasis, long},
		"too many groups":        {keyPredictionGroup, "[" + strings.Repeat(`{"attribute":"a","group":"b"},`, MaxPredictionGroups) + `{"attribute":"a","group":"b"}]`},
		"a rate of 0":            {keyPredictionRate, 0.0},
		"a rate above 1":         {keyPredictionRate, 2.0},
		"no trace":               {keyPredictionTrace, "xyz"},
		"a long digest":          {keyBaselineDigest, long},
		"a long run":             {keyLineageRunID, long},
		"a long model digest":    {KeyDigestModel, strings.Repeat("x", MaxLineageText+1)},
		"an unprintable prompt":  {KeyDigestPrompt, "a\nb"},
		"a number for a run":     {KeyDeclaredRun, int64(7)},
	} {
		spoiled := maps.Clone(good)
		spoiled[keyPredictionGroup], spoiled[keyPredictionBasis] = `[{"attribute":"race","group":"a"}]`, "consent"
		spoiled[c.key] = c.value
		if p, err := DecodePrediction(spoiled); err == nil || !strings.Contains(err.Error(), c.key) {
			t.Errorf("%s: got %+v, %v, want a word on %s", name, p, err, c.key)
		}
	}
}

func TestLabelSurvivesTheWire(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		l := &Label{
			ID: rapid.StringN(1, 20, 80).Draw(t, "id"), Row: rapid.Uint32().Draw(t, "row"), Value: rapid.StringN(1, 20, 80).Draw(t, "value"),
			Time: time.Unix(0, rapid.Int64Range(0, math.MaxInt64).Draw(t, "time")).UTC(), Source: rapid.StringN(0, 9, 30).Draw(t, "source"),
		}
		back, err := DecodeLabel(received(EncodeLabel(l)))
		if err != nil || *back != *l {
			t.Fatalf("sent %+v\ngot  %+v, %v", l, back, err)
		}
	})
}

// Others send labels by OTLP as it comes to them.
func TestDecodeLabelOfOthers(t *testing.T) {
	for name, c := range map[string]struct {
		attrs map[string]any
		want  Label
	}{
		"the least":       {map[string]any{keyPredictionID: "a", keyLabelValue: "1"}, Label{ID: "a", Value: "1"}},
		"a row in the id": {map[string]any{keyPredictionID: "a#3", keyLabelValue: "1"}, Label{ID: "a", Row: 3, Value: "1"}},
		"row and id":      {map[string]any{keyPredictionID: "a#3", keyPredictionRow: int64(0), keyLabelValue: "1"}, Label{ID: "a#3", Value: "1"}},
		"a boolean":       {map[string]any{keyPredictionID: "a", keyLabelValue: true}, Label{ID: "a", Value: "true"}},
		"an integer":      {map[string]any{keyPredictionID: "a", keyLabelValue: int64(-2)}, Label{ID: "a", Value: "-2"}},
		"a number":        {map[string]any{keyPredictionID: "a", keyLabelValue: 0.5}, Label{ID: "a", Value: "0.5"}},
	} {
		if got, err := DecodeLabel(c.attrs); err != nil || *got != c.want {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
	for name, c := range map[string]struct {
		key   string
		value any
	}{
		"no id": {keyPredictionID, ""}, "a long id": {keyPredictionID, strings.Repeat("x", MaxPredictionID+1)},
		"no value": {keyLabelValue, ""}, "not a number": {keyLabelValue, math.NaN()}, "a list": {keyLabelValue, []any{}},
		"a long value": {keyLabelValue, strings.Repeat("x", MaxPredictionValue+1)}, "a long source": {keyLabelSource, strings.Repeat("x", 5000)},
		"a row that is none": {keyPredictionRow, int64(-1)}, "a time that is none": {keyLabelTime, "now"},
	} {
		attrs := map[string]any{keyPredictionID: "a", keyLabelValue: "1"}
		attrs[c.key] = c.value
		if l, err := DecodeLabel(attrs); err == nil || !strings.Contains(err.Error(), c.key) {
			t.Errorf("%s: %+v, %v", name, l, err)
		}
	}
}

func TestRowIDReadsBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		id, row := rapid.StringN(1, 20, -1).Draw(t, "id"), rapid.Uint32().Draw(t, "row")
		if back, n := ParseRowID(RowID(id, row)); back != id || n != row {
			t.Fatalf("%q row %d became %q row %d", id, row, back, n)
		}
	})
	for _, id := range []string{"", "a", "#1", "a#", "a#x", "a#-1", "a#01", "a#+1", "a#4294967296"} {
		if back, row := ParseRowID(id); back != id || row != 0 {
			t.Errorf("%q became %q row %d", id, back, row)
		}
	}
}

// Whatever is received, both decoders answer with something that they would
// themselves encode and decode again to the same, or with an error.
func FuzzDecodePrediction(f *testing.F) {
	f.Add("m", "3", "id", int64(0), int64(5), "1", 0.5, `[{"attribute":"race","group":"a"}]`, "consent", 0.5, "", "sha256:1", "run", "src")
	f.Add("", "", "id#7", int64(-1), int64(-5), "", math.NaN(), `{`, "", 2.0, "x", "", "", "")
	f.Fuzz(func(t *testing.T, model, version, id string, row, at int64, value string, score float64, groups, basis string, rate float64, trace, digest, run, source string) {
		attrs := map[string]any{
			KeyModelName: model, KeyModelVersion: version, keyPredictionID: id, keyPredictionRow: row, keyPredictionTime: at,
			keyPredictionValue: value, keyPredictionScore: score, keyPredictionGroup: groups, keyPredictionBasis: basis,
			keyPredictionRate: rate, keyPredictionTrace: trace, keyBaselineDigest: digest, keyLineageRunID: run,
			keyLabelValue: value, keyLabelTime: at, keyLabelSource: source,
		}
		if row%3 == 0 {
			delete(attrs, keyPredictionRow)
		}
		if p, err := DecodePrediction(attrs); err == nil {
			if again, err := DecodePrediction(received(EncodePrediction(p))); err != nil || !samePrediction(p, again) {
				t.Fatalf("first %+v\nthen  %+v, %v", p, again, err)
			}
		}
		if l, err := DecodeLabel(attrs); err == nil {
			if again, err := DecodeLabel(received(EncodeLabel(l))); err != nil || *again != *l {
				t.Fatalf("first %+v\nthen  %+v, %v", l, again, err)
			}
		}
	})
}
