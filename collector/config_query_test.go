package collector

import (
	"strings"
	"testing"
)

func TestQueryAndLateLabelsAreBounded(t *testing.T) {
	c := Default()
	c.Query = Query{}
	c.Labels.Late = -1
	err := c.Validate("c.yaml")
	if err == nil {
		t.Fatal("no fault found")
	}
	for _, path := range []string{"query.timeout", "query.max_samples", "query.max_series", "query.lookback", "labels.late"} {
		if strings.Count(err.Error(), "c.yaml: "+path+": ") != 1 {
			t.Errorf("%s is not reported once:\n%v", path, err)
		}
	}
	fresh := Default()
	o := fresh.Query.options(nil)
	if o.MaxSeries != 200_000 || o.MaxSamples != 5_000_000 || o.Timeout == 0 || o.Lookback == 0 {
		t.Errorf("by default %+v", o)
	}
}
