package api_test

import (
	"encoding/json"
	"math"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/evenkeel/evenkeel/collector/api"
	"github.com/evenkeel/evenkeel/collector/model"
	"github.com/evenkeel/evenkeel/signal"
)

func storedDistribution(sequence uint64, end time.Time) *signal.Distribution {
	return &signal.Distribution{
		System: "loan-approval", Model: signal.ModelRef{Name: "loan", Version: "1"},
		Window: signal.WindowID{Instance: "pod-a", Sequence: sequence}, Start: end.Add(-5 * time.Second), End: end, Parts: 1,
		Target: signal.TargetFeature, Feature: "income", Kind: signal.Numeric, Counts: []uint64{3, 4}, N: 7, Min: math.NaN(), Max: math.NaN(),
	}
}

// An auditor finds every row, and a row that is there twice stands twice.
func TestWindowsListsEveryStoredRow(t *testing.T) {
	s := newSite(t, func(o *api.Options) {
		store := o.Reader.(model.Writer)
		for batch, d := range map[model.Batch]*signal.Distribution{
			model.SpoolBatch(101): storedDistribution(1, now.Add(-10*time.Second)),
			model.SpoolBatch(102): storedDistribution(1, now.Add(-10*time.Second)), // the fault to be seen
			model.SpoolBatch(103): storedDistribution(2, now.Add(-5*time.Second)),
			model.SpoolBatch(104): storedDistribution(3, now.Add(-2*time.Hour)),
		} {
			if err := store.Write(t.Context(), batch, &model.Rows{Distributions: []*signal.Distribution{d}}, model.FirstTry); err != nil {
				t.Fatal(err)
			}
		}
	})
	windows := func(query url.Values) []string {
		status, body, _ := s.do("GET", "/api/v1/windows?"+query.Encode(), "")
		var answer struct {
			Windows []struct {
				Window  string `json:"window"`
				Feature string `json:"feature"`
				N       uint64 `json:"n"`
			} `json:"windows"`
		}
		if err := json.Unmarshal([]byte(body), &answer); err != nil || status != 200 {
			t.Fatalf("%d %s: %v", status, body, err)
		}
		list := []string{}
		for _, w := range answer.Windows {
			if w.Feature != "income" || w.N != 7 {
				t.Errorf("%+v", w)
			}
			list = append(list, w.Window)
		}
		return list
	}
	for _, c := range []struct {
		query url.Values
		want  string
	}{
		{url.Values{}, "pod-a/1 pod-a/1 pod-a/2"},
		{url.Values{"system": {"loan-approval"}, "start": {now.Add(-3 * time.Hour).Format(time.RFC3339)}}, "pod-a/1 pod-a/1 pod-a/2 pod-a/3"},
		{url.Values{"system": {"triage"}}, ""},
		{url.Values{"start": {now.Add(-6 * time.Second).Format(time.RFC3339)}}, "pod-a/2"},
	} {
		if got := strings.Join(windows(c.query), " "); got != c.want {
			t.Errorf("%v: %s; want %s", c.query, got, c.want)
		}
	}
}

func TestWindowsRefusesWhatItCannotAnswer(t *testing.T) {
	s := newSite(t, nil)
	for query, says := range map[string]string{
		"start=yesterday": "neither seconds nor RFC 3339",
		"start=0":         "at most 24h0m0s",
	} {
		if status, body, _ := s.do("GET", "/api/v1/windows?"+query, ""); status != 400 || !strings.Contains(body, says) {
			t.Errorf("%s: %d %s", query, status, body)
		}
	}
}
