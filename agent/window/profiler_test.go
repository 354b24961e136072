package window

import (
	"math"
	"reflect"
	"strings"
	"testing"

	"github.com/evenkeel/evenkeel/measure"
	"github.com/evenkeel/evenkeel/signal"
)

func TestObserveCountsEveryRowOnce(t *testing.T) {
	var got collected
	p := profiler(t, options(t, got.take))
	p.Observe(applicants())
	if v := p.Violations()[0]; v != (Violations{Feature: "income", Target: signal.TargetFeature, Missing: 1, Type: 1, OutOfRange: 1}) {
		t.Errorf("violations of income: %+v", v)
	}
	p.Flush()

	income := got.distribution(t, 0, signal.TargetFeature, "income")
	if want := []uint64{1, 1, 0, 2}; !reflect.DeepEqual(income.Counts, want) {
		t.Errorf("income cells %v, want %v: intervals are (a, b]", income.Counts, want)
	}
	if income.Missing != 1 || income.Invalid != 1 || income.N != 6 || income.Min != 10 || income.Max != 1000 ||
		income.Sum != 1051.5 || income.SumSquares != 10*10+10.5*10.5+31*31+1e6 {
		t.Errorf("income: %+v", income)
	}
	purpose := got.distribution(t, 0, signal.TargetFeature, "purpose")
	if !reflect.DeepEqual(purpose.Counts, []uint64{1, 2}) || purpose.Missing != 2 || purpose.New != 1 || purpose.Other != 0 || purpose.N != 6 {
		t.Errorf("purpose: %+v", purpose)
	}
	dependants := got.distribution(t, 0, signal.TargetFeature, "dependants")
	if !reflect.DeepEqual(dependants.Counts, []uint64{1, 1, 1}) || dependants.Other != 1 || dependants.New != 0 || dependants.Missing != 1 || dependants.Invalid != 1 {
		t.Errorf("dependants: numbers must find the categories 0, 1, 2.5 and fold 7 into other: %+v", dependants)
	}
	gender := got.distribution(t, 0, signal.TargetGroup, "gender")
	want := []signal.GroupCount{{Group: "(unknown)", Favourable: 1, Total: 1}, inOneRequest("female", 1, 2), inOneRequest("male", 1, 2)}
	if !reflect.DeepEqual(gender.Groups, want) || gender.Missing != 1 || gender.N != 6 {
		t.Errorf("gender: %+v; want groups %v and the row without an answer missing", gender, want)
	}
	if total := p.Totals(); total.Rows != 6 || total.Requests != 1 || total.Unmonitored != 2 { // gender, postcode
		t.Errorf("totals: %+v", total)
	}
	for _, d := range got.windows[0].Distributions {
		if d.Parts != 6 || d.Rate != 1 || d.System != "loan-approval" || d.Window.Sequence != 1 || d.Bounds == "" || d.Baseline == "" {
			t.Errorf("%s is not stamped: %+v", d.Feature, d)
		}
		roundTrip(t, d)
	}
}

// inOneRequest is a group whose rows came in one request.
func inOneRequest(group string, favourable, total uint64) signal.GroupCount {
	var r measure.Requests
	if err := r.Add(measure.Proportion{Favourable: favourable, Total: total}); err != nil {
		panic(err)
	}
	return signal.GroupCount{Group: group, Favourable: favourable, Total: total, Requests: &r}
}

// roundTrip sends a distribution through the wire form, whose reader checks
// that the cells add up.
func roundTrip(t *testing.T, d *signal.Distribution) {
	t.Helper()
	attrs := map[string]any{}
	for _, a := range signal.EncodeDistribution(d) {
		attrs[a.Key] = a.Value
		switch list := a.Value.(type) {
		case []int64:
			attrs[a.Key] = anys(list)
		case []float64:
			attrs[a.Key] = anys(list)
		}
	}
	if _, err := signal.DecodeDistribution(attrs); err != nil {
		t.Errorf("%s %s does not survive the wire: %v", d.Target, d.Feature, err)
	}
}

func anys[T any](list []T) []any {
	out := make([]any, len(list))
	for i, x := range list {
		out[i] = x
	}
	return out
}

func TestLackingColumnsAreMissingRows(t *testing.T) {
	var got collected
	p := profiler(t, options(t, got.take))
	obs := applicants()
	obs.Columns = obs.Columns[:1]
	obs.Columns = append(obs.Columns, obs.Columns[0])                                                                         // doubled: the first one counts
	obs.Columns = append(obs.Columns, signal.Column{Name: "purpose", Target: signal.TargetFeature, Strings: []string{"car"}}) // too short
	p.Observe(obs)
	p.Flush()
	if d := got.distribution(t, 0, signal.TargetFeature, "income"); d.N != 6 {
		t.Errorf("income counted %d times, want 6", d.N)
	}
	for _, name := range []signal.FeatureName{"purpose", "dependants"} {
		if d := got.distribution(t, 0, signal.TargetFeature, name); d.Missing != 6 || d.N != 6 {
			t.Errorf("%s: missing %d of %d, want 6 of 6", name, d.Missing, d.N)
		}
	}
	if d := got.distribution(t, 0, signal.TargetGroup, "gender"); d.Missing != 6 || len(d.Groups) != 0 {
		t.Errorf("gender without an answer: %+v", d)
	}
	if n := p.Totals().Unmonitored; n != 2 {
		t.Errorf("unmonitored columns: %d, want 2", n)
	}
}

func TestTextsInANumericColumnAreParsed(t *testing.T) {
	var got collected
	p := profiler(t, options(t, got.take))
	p.Observe(&signal.Observation{Rows: 5, Columns: []signal.Column{
		{Name: "income", Target: signal.TargetFeature, Strings: []string{"15", "true", "many", "", "NaN"}},
	}})
	p.Flush()
	d := got.distribution(t, 0, signal.TargetFeature, "income")
	if !reflect.DeepEqual(d.Counts, []uint64{1, 1, 0, 0}) || d.Invalid != 1 || d.Missing != 2 {
		t.Errorf("%+v", d)
	}
}

func TestOutcomeAtLeast(t *testing.T) {
	limit := 0.5
	var got collected
	o := options(t, got.take)
	o.Outcome = Outcome{Output: "score", AtLeast: &limit}
	p := profiler(t, o)
	p.Observe(&signal.Observation{Rows: 5, Columns: []signal.Column{
		{Name: "gender", Target: signal.TargetFeature, Numbers: []float64{1, 1, 2, 2, 2}},
		{Name: "score", Target: signal.TargetPrediction, Strings: []string{"0.5", "0.49", "true", "high", ""}},
	}})
	p.Flush()
	d := got.distribution(t, 0, signal.TargetGroup, "gender")
	want := []signal.GroupCount{inOneRequest("1", 1, 2), {Group: "2", Favourable: 1, Total: 1}}
	if !reflect.DeepEqual(d.Groups, want) || d.Invalid != 1 || d.Missing != 1 {
		t.Errorf("%+v", d)
	}
}

func TestGroupsAreBounded(t *testing.T) {
	var got collected
	o := options(t, got.take)
	o.MaxGroups = 2
	p := profiler(t, o)
	names := []string{"a", "b", "c", "d", "male", "", "a"}
	ones := []float64{1, 1, 1, 1, 1, 1, 1}
	p.Observe(&signal.Observation{Rows: len(names), Columns: []signal.Column{
		{Name: "gender", Target: signal.TargetFeature, Strings: names},
		{Name: "approved", Target: signal.TargetPrediction, Numbers: ones},
	}})
	p.Flush()
	want := []signal.GroupCount{
		inOneRequest("(other)", 2, 2),
		{Group: "(unknown)", Favourable: 1, Total: 1},
		inOneRequest("a", 2, 2),
		{Group: "b", Favourable: 1, Total: 1},
		{Group: "male", Favourable: 1, Total: 1},
	}
	if d := got.distribution(t, 0, signal.TargetGroup, "gender"); !reflect.DeepEqual(d.Groups, want) {
		t.Errorf("groups %v, want %v", d.Groups, want)
	}
}

func TestGroupNamesDoNotAliasTheRequest(t *testing.T) {
	var got collected
	p := profiler(t, options(t, got.take))
	body := []byte("nonbinary")
	p.Observe(&signal.Observation{Rows: 1, Columns: []signal.Column{
		{Name: "gender", Target: signal.TargetFeature, Strings: []string{aliasing(body)}},
		{Name: "approved", Target: signal.TargetPrediction, Numbers: []float64{1}},
	}})
	copy(body, "xxxxxxxxx")
	p.Flush()
	if g := got.distribution(t, 0, signal.TargetGroup, "gender").Groups[0].Group; g != "nonbinary" {
		t.Errorf("group %q changed with the buffer", g)
	}
}

func TestWithoutBaselineColumnsAreProfiledAsTheyCome(t *testing.T) {
	var got collected
	o := options(t, got.take)
	o.Baseline = nil
	p := profiler(t, o)
	obs := applicants()
	obs.Columns = obs.Columns[:1]
	p.Observe(obs)
	p.Observe(applicants())
	p.Flush()
	income := got.distribution(t, 0, signal.TargetFeature, "income")
	if income.N != 12 || income.Missing != 2 || income.Counts[0] != 8 || income.Invalid != 2 || income.Baseline != "" {
		t.Errorf("income: %+v", income)
	}
	purpose := got.distribution(t, 0, signal.TargetFeature, "purpose")
	if purpose.N != 12 || purpose.Missing != 6+2 || purpose.Other != 4 || purpose.Kind != signal.Categorical {
		t.Errorf("purpose, which came with the second request: %+v", purpose)
	}
	for _, d := range got.windows[0].Distributions {
		roundTrip(t, d)
	}
}

func TestMomentsStayFinite(t *testing.T) {
	var got collected
	p := profiler(t, options(t, got.take))
	p.Observe(&signal.Observation{Rows: 3, Columns: []signal.Column{
		{Name: "income", Target: signal.TargetFeature, Numbers: []float64{1e300, -1e300, measure.MaxMagnitude}},
	}})
	p.Flush()
	d := got.distribution(t, 0, signal.TargetFeature, "income")
	if d.Invalid != 2 || d.N != 3 || d.Max != measure.MaxMagnitude || math.IsInf(d.SumSquares, 0) {
		t.Errorf("%+v", d)
	}
}

func TestOptionsAreChecked(t *testing.T) {
	for want, change := range map[string]func(*Options){
		"model name":         func(o *Options) { o.Model.Name = "" },
		"instance":           func(o *Options) { o.Instance = "" },
		"sink and sequences": func(o *Options) { o.Sequences = nil },
		"never close":        func(o *Options) { o.Length = 0 },
		"exclude each other": func(o *Options) { o.Outcome.AtLeast = new(float64) },
		"favourable values":  func(o *Options) { o.Outcome.Values = nil },
		"outcome.output":     func(o *Options) { o.Outcome = Outcome{} },
		"format":             func(o *Options) { o.Baseline.Format = "v0" },
		"rate":               func(o *Options) { o.Rate = 1.5 },
		"not a share":        func(o *Options) { o.Rate = math.NaN() },
	} {
		o := options(t, func(*Closed) {})
		change(&o)
		if _, err := New(o); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v does not say %q", err, want)
		}
	}
}

// decided is the loans baseline with an outcome.
func decided(output signal.FeatureName, values ...string) *signal.Baseline {
	b := loans()
	b.Outcome = &signal.OutcomeBaseline{Output: output, Favourable: &signal.Favourable{Values: values}}
	return b
}

// The baseline's outcome and the configured one are one, or either is enough.
func TestTheOutcomeIsTheBaselines(t *testing.T) {
	for _, c := range []struct {
		outcome Outcome
		values  []string
		ok      bool
	}{
		{Outcome{}, []string{"1"}, true},
		{Outcome{Output: "approved", Values: []string{"1.0"}}, []string{"1"}, true},
		{Outcome{Output: "approved", Values: []string{"yes", "1"}}, []string{"true", "yes", "1"}, true},
		{Outcome{Output: "approved", Values: []string{"0"}}, []string{"1"}, false},
		{Outcome{Output: "approved", AtLeast: new(float64)}, []string{"1"}, false},
		{Outcome{Output: "other", Values: []string{"1"}}, []string{"1"}, false},
	} {
		var got collected
		o := options(t, got.take)
		o.Baseline, o.Outcome = decided("approved", c.values...), c.outcome
		p, err := New(o)
		if (err == nil) != c.ok {
			t.Errorf("%+v with the baseline's %v: %v", c.outcome, c.values, err)
		}
		if err != nil {
			if !strings.Contains(err.Error(), "not what the baseline") {
				t.Error(err)
			}
			continue
		}
		p.Observe(applicants())
		p.Flush()
		if d := got.distribution(t, 0, signal.TargetGroup, "gender"); len(d.Groups) != 3 || d.Groups[0].Favourable != 1 {
			t.Errorf("%+v: %+v", c.outcome, d)
		}
	}
}
