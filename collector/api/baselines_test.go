package api_test

import (
	"strings"
	"testing"

	"github.com/evenkeel/evenkeel/collector/api"
	"github.com/evenkeel/evenkeel/collector/model"
	"github.com/evenkeel/evenkeel/internal/canonical"
	"github.com/evenkeel/evenkeel/signal"
)

// What an agent fetches by a digest has that digest, byte for byte.
func TestBaselineIsFetchedByItsDigest(t *testing.T) {
	b, err := signal.BuildBaseline([]signal.Column{{Name: "income", Target: signal.TargetFeature, Numbers: []float64{1, 2, 2.5, 9, 40}}},
		signal.BuildOptions{Model: signal.ModelRef{Name: "loan"}, Source: "<five> & more"})
	if err != nil {
		t.Fatal(err)
	}
	raw, err := canonical.JSON(b)
	if err != nil {
		t.Fatal(err)
	}
	digest, wrong := canonical.Sum(raw), canonical.Sum([]byte("another"))
	s := newSite(t, func(o *api.Options) {
		rows := &model.Rows{Baselines: []model.Baseline{
			{Digest: signal.Digest(digest), System: "loan-approval", Model: b.Model, SeenAt: now, Content: string(raw)},
			{Digest: signal.Digest(wrong), System: "loan-approval", Model: b.Model, SeenAt: now, Content: string(raw)},
		}}
		if err := o.Reader.(model.Writer).Write(t.Context(), model.SpoolBatch(101), rows, model.FirstTry); err != nil {
			t.Fatal(err)
		}
	})
	status, body, _ := s.do("GET", "/api/v1/baselines/"+digest, "")
	if status != 200 || body != string(raw) {
		t.Errorf("%d %s\nwant %s", status, body, raw)
	}
	for path, want := range map[string]struct {
		status int
		says   string
	}{
		canonical.Sum([]byte("never declared")): {404, "no agent has declared it"},
		"':; DROP TABLE baselines":              {404, "not_found"},
		wrong:                                   {500, "corrupt"},
	} {
		if status, body, _ := s.do("GET", "/api/v1/baselines/"+strings.ReplaceAll(path, " ", "%20"), ""); status != want.status || !strings.Contains(body, want.says) {
			t.Errorf("%s: %d %s, want %d %s", path, status, body, want.status, want.says)
		}
	}
}
