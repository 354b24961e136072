package collector

import (
	"strings"
	"testing"
)

func TestEvaluateIsBounded(t *testing.T) {
	c := Default()
	c.Evaluate = Evaluate{Parallel: 65, Jitter: -1}
	err := c.Validate("c.yaml")
	if err == nil {
		t.Fatal("no fault found")
	}
	for _, path := range []string{"evaluate.parallel", "evaluate.jitter", "evaluate.figures"} {
		if strings.Count(err.Error(), "c.yaml: "+path+": ") != 1 {
			t.Errorf("%s is not reported once:\n%v", path, err)
		}
	}
}
