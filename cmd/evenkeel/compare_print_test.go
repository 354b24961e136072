package main

import (
	"strings"
	"testing"
)

func TestComparisonForPeople(t *testing.T) {
	const answer = `{"system":"loan-approval","model":"loan",
		"current":{"from":"2026-01-15T00:00:00Z","to":"2026-01-16T00:00:00Z"},"against":{"from":"2026-01-08T00:00:00Z","to":"2026-01-09T00:00:00Z"},
		"columns":[{"feature":"income","target":"feature","kind":"numeric","bounds":"sha256:ab","rebinned":true,
			"current":{"rows":1204,"dropped":3,"windows":6,"instances":2},"against":{"rows":990,"windows":6,"instances":2},
			"scores":[{"method":"psi","value":0.31,"samples":1204,"convention":"psi/quantile10@1"},
				{"method":"ks","value":0.2,"lower":0.1,"upper":0.25,"samples":1200,"convention":"ks@1","p":0.001,"p_adjusted":0.002}],
			"explanation":"income: \"above 3000\" rose from 20% to 55% of rows."}],
		"skipped":[{"feature":"age","target":"feature","reason":"it was counted without a baseline"}]}`
	const want = `loan of loan-approval: 2026-01-15T00:00:00Z to 2026-01-16T00:00:00Z
held against 2026-01-08T00:00:00Z to 2026-01-09T00:00:00Z

income (feature, numeric), 1204 rows against 990, in the coarser of two sets of cells; 3 requests were lost before they were counted
income: "above 3000" rose from 20% to 55% of rows.
METHOD  VALUE   INTERVAL        SAMPLES  P ADJUSTED  CONVENTION
psi     0.3100                  1204                 psi/quantile10@1
ks      0.2000  0.1000..0.2500  1200     0.002       ks@1

age (feature) is not compared: it was counted without a baseline
`
	var out strings.Builder
	if err := printComparison(&out, []byte(answer)); err != nil || out.String() != want {
		t.Errorf("got\n%s\nwant\n%s%v", out.String(), want, err)
	}
	if err := printComparison(&out, []byte("<html>")); err == nil {
		t.Error("a page that is no answer was printed")
	}
}
