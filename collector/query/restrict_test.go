package query_test

import (
	"testing"

	"github.com/evenkeel/evenkeel/collector/query"
	"github.com/evenkeel/evenkeel/internal/errs"
)

func TestRestrictReachesEverySelector(t *testing.T) {
	all := []query.Equal{{Label: "sys", Value: `a"b`}}
	more := []query.Equal{{Label: "len", Value: "1h"}}
	fleet := func(s query.Selector) bool { return s.Asks("scope", "fleet") }
	for _, c := range []struct{ in, want string }{
		{`score`, `score{sys="a\"b"}`},
		{`score{scope="fleet"}`, `score{len="1h",scope="fleet",sys="a\"b"}`},
		{`score{scope=~"fleet"} > 1`, `score{scope=~"fleet",sys="a\"b"} > 1`},
		{`time() - max by (i) (timestamp(beat))`, `time() - max by (i) (timestamp(beat{sys="a\"b"}))`},
		{
			`rate(n[5m]) / on (x) group_left () max_over_time(m{scope="fleet"}[1h:5m] offset 1m)`,
			`rate(n{sys="a\"b"}[5m]) / on (x) group_left () max_over_time(m{len="1h",scope="fleet",sys="a\"b"}[1h:5m] offset 1m)`,
		},
		{`score{sys="other"}`, `score{sys="a\"b",sys="other"}`}, // finds nothing, and cannot get around it
		{`vector(1)`, `vector(1)`},
	} {
		got, err := query.Restrict(c.in, all, more, fleet)
		if err != nil || got != c.want {
			t.Errorf("%s\n got %s, %v\nwant %s", c.in, got, err, c.want)
		}
	}
	if _, err := query.Restrict("sum(", all, nil, nil); errs.KindOf(err) != errs.Invalid {
		t.Errorf("not PromQL: %v", err)
	}
	if query.Check("sum(") == nil || query.Check(`sum by (a) (b{c!="d"})`) != nil {
		t.Error("Check is wrong")
	}
}

// What Restrict gives is PromQL, and restricting it again changes nothing but
// a repeated matcher.
func FuzzRestrict(f *testing.F) {
	for _, s := range []string{`a{b="c"}`, `rate(x[5m])`, `{__name__=~"a.*"}`, `a @ start()`, `histogram_quantile(0.9, sum(x))`, `-a offset -5m`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, expr string) {
		out, err := query.Restrict(expr, []query.Equal{{Label: "sys", Value: "a"}}, nil, nil)
		if (err == nil) != (query.Check(expr) == nil) {
			t.Fatalf("%q: Restrict says %v, Check %v", expr, err, query.Check(expr))
		}
		if err == nil && query.Check(out) != nil {
			t.Fatalf("%q became %q: %v", expr, out, query.Check(out))
		}
	})
}
