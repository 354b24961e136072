package api_test

import (
	"strings"
	"testing"
)

func TestCompareSaysWhatIsWrongWithTheQuestion(t *testing.T) {
	s := newSite(t, nil)
	const times = "from=2026-03-01T11:00:00Z&to=2026-03-01T12:00:00Z"
	for query, want := range map[string]struct {
		status int
		text   string
	}{
		"model=loan":                        {400, `against: \"\" is not two times`},
		"model=loan&against=1..2":           {400, "from: no time"},
		"model=loan&against=1..x&" + times:  {400, "against: "},
		"against=1..2&" + times:             {400, "no model"},
		"model=loan&against=2..1&" + times:  {400, "ends before it begins"},
		"model=ghost&against=1..2&" + times: {404, "nothing was counted of model"},
	} {
		status, body, _ := s.do("GET", "/api/v1/compare?"+query, "")
		if status != want.status || !strings.Contains(body, want.text) {
			t.Errorf("%s: %d %s", query, status, body)
		}
	}
}
