package api_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"strings"
	"testing"
	"time"

	promapi "github.com/prometheus/client_golang/api"
	v1 "github.com/prometheus/client_golang/api/prometheus/v1"
	prommodel "github.com/prometheus/common/model"

	"github.com/evenkeel/evenkeel/collector/api"
	"github.com/evenkeel/evenkeel/collector/model"
	"github.com/evenkeel/evenkeel/collector/query"
	"github.com/evenkeel/evenkeel/rules"
)

// promSite is a site with rules, and the client of Prometheus' own library.
func promSite(t *testing.T) (*site, v1.API) {
	t.Helper()
	set, err := rules.Load(rules.Options{})
	if err != nil {
		t.Fatal(err)
	}
	s := newSite(t, func(o *api.Options) { o.Rules = set })
	client, err := promapi.NewClient(promapi.Config{Address: s.URL + "/prometheus"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(http.DefaultClient.CloseIdleConnections)
	t.Cleanup(client.(promapi.CloseIdler).CloseIdleConnections)
	return s, v1.NewAPI(client)
}

func TestPrometheusClientReadsWhatThereIs(t *testing.T) {
	_, c := promSite(t)
	ctx := t.Context()
	value, warnings, _, err := c.Query(ctx, `drift{feature="income"}`, now)
	if err != nil || len(warnings) > 0 || value.String() != `drift{feature="income"} => 0.31 @[1772366430]` {
		t.Errorf("query: %v, %v, %v", value, warnings, err)
	}
	value, _, _, err = c.QueryRange(ctx, `drift{feature="age"}`, v1.Range{Start: now.Add(-20 * time.Second), End: now.Add(-10 * time.Second), Step: 10 * time.Second})
	if err != nil || value.String() != "drift{feature=\"age\"} =>\n0.02 @[1772366410]\n0.03 @[1772366420]" {
		t.Errorf("query_range: %v, %v", value, err)
	}
	sets, _, _, err := c.Series(ctx, []string{"drift"}, now.Add(-time.Hour), now)
	if err != nil || fmt.Sprint(sets) != `[{__name__="drift", feature="age"} {__name__="drift", feature="income"}]` {
		t.Errorf("series: %v, %v", sets, err)
	}
	names, _, _, err := c.LabelNames(ctx, nil, now.Add(-time.Hour), now)
	if err != nil || fmt.Sprint(names) != "__name__, feature" {
		t.Errorf("labels: %v, %v", names, err)
	}
	values, warnings, _, err := c.LabelValues(ctx, "feature", nil, now.Add(-time.Hour), now, v1.WithLimit(1))
	if err != nil || fmt.Sprint(values, warnings) != "[age] [results truncated due to limit]" {
		t.Errorf("label values: %v, %v, %v", values, warnings, err)
	}
	metadata, err := c.Metadata(ctx, "drift", "")
	if err != nil || len(metadata["drift"]) != 1 || metadata["drift"][0].Type != v1.MetricTypeGauge {
		t.Errorf("metadata: %v, %v", metadata, err)
	}
	info, err := c.Buildinfo(ctx)
	if err != nil || info.Version != "3.14.0" || info.GoVersion == "" {
		t.Errorf("buildinfo: %+v, %v", info, err)
	}
	exemplars, err := c.QueryExemplars(ctx, "drift", now, now)
	if err != nil || len(exemplars) != 0 {
		t.Errorf("exemplars: %v, %v", exemplars, err)
	}
}

func TestPrometheusClientIsToldWhatIsDoubtful(t *testing.T) {
	_, c := promSite(t)
	value, warnings, _, err := c.Query(t.Context(), "quantile(7, drift)", now)
	if err != nil || len(warnings) != 1 || !strings.Contains(warnings[0], "quantile value should be between 0 and 1") {
		t.Errorf("a warning: %v, %v, %v", value, warnings, err)
	}
	if _, _, infos, err := c.Query(t.Context(), "rate(drift[1m])", now); err != nil || len(infos) != 1 || !strings.Contains(infos[0], "might not be a counter") {
		t.Errorf("an info: %v, %v", infos, err)
	}
	value, warnings, _, err = c.Query(t.Context(), "drift", now, v1.WithLimit(1))
	if err != nil || len(value.(prommodel.Vector)) != 1 || len(warnings) != 1 {
		t.Errorf("cut to one: %v, %v, %v", value, warnings, err)
	}
	for query, want := range map[string]v1.ErrorType{"drift{": v1.ErrBadData, "drift * on() drift": v1.ErrExec} {
		_, _, _, err := c.Query(t.Context(), query, now)
		var e *v1.Error
		if !asPromError(err, &e) || e.Type != want {
			t.Errorf("%s: %v, want %s", query, err, want)
		}
	}
}

func TestPrometheusClientIsToldThatTimeRanOut(t *testing.T) {
	s := newSite(t, func(o *api.Options) {
		o.Query = query.New(o.Reader.(model.SeriesReader), query.Options{Timeout: 1})
	})
	client, err := promapi.NewClient(promapi.Config{Address: s.URL + "/prometheus"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.(promapi.CloseIdler).CloseIdleConnections)
	_, _, _, err = v1.NewAPI(client).Query(t.Context(), "drift", now)
	var e *v1.Error
	if !asPromError(err, &e) || !strings.Contains(e.Detail, `"errorType":"timeout"`) { // of 5xx the client itself has one type
		t.Errorf("%v", err)
	}
}

func asPromError(err error, into **v1.Error) bool {
	e, is := err.(*v1.Error)
	*into = e
	return is
}

func TestPrometheusClientReadsRulesAndAlerts(t *testing.T) {
	_, c := promSite(t)
	found, err := c.Rules(t.Context(), nil)
	if err != nil || len(found.Groups) < 3 {
		t.Fatalf("%d groups, %v", len(found.Groups), err)
	}
	var drift *v1.AlertingRule
	for _, g := range found.Groups {
		for _, r := range g.Rules {
			if a, is := r.(v1.AlertingRule); is && a.Name == "DRF-01" {
				drift = &a
			}
		}
	}
	if drift == nil || drift.Health != v1.RuleHealthGood || drift.State != "inactive" || drift.Query == "" {
		t.Errorf("DRF-01: %+v", drift)
	}
	alerts, err := c.Alerts(t.Context())
	if err != nil || len(alerts.Alerts) != 0 { // nothing that was filled in is pending or firing
		t.Errorf("alerts: %+v, %v", alerts, err)
	}
	if text, err := c.FormatQuery(t.Context(), "sum(drift)by(feature)"); err != nil || text != `"sum by (feature) (drift)"` {
		t.Errorf("format_query: %s, %v", text, err)
	}
}

// promtool is asked where it is installed; Debian's package prometheus has it.
func TestPromtool(t *testing.T) {
	tool, err := exec.LookPath("promtool")
	if err != nil {
		t.Skip("no promtool in the path: install Debian's package prometheus to run this test")
	}
	s, _ := promSite(t)
	address := s.URL + "/prometheus"
	at, start := fmt.Sprint(now.Unix()), fmt.Sprint(now.Add(-20*time.Second).Unix())
	for want, args := range map[string][]string{
		`drift{feature="income"} => 0.31`:   {"query", "instant", "--time=" + at, address, `drift{feature="income"}`},
		"0.03 @[1772366420]":                {"query", "range", "--start=" + start, "--end=" + at, "--step=10s", address, `drift{feature="age"}`},
		`{__name__="drift", feature="age"}`: {"query", "series", "--match=drift", "--start=" + start, "--end=" + at, address},
		"income":                            {"query", "labels", "--start=" + start, "--end=" + at, address, "feature"},
	} {
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
		out, err := exec.CommandContext(ctx, tool, args...).CombinedOutput()
		cancel()
		if err != nil || !strings.Contains(string(out), want) {
			t.Errorf("promtool %v: %v\n%s\nwant %s", args, err, out, want)
		}
	}
}

func TestUnknownRouteBelowPrometheusSpeaksPrometheus(t *testing.T) {
	s, _ := promSite(t)
	response := httptest.NewRecorder()
	request := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "http://localhost/prometheus/api/v1/nothing", nil)
	s.Config.Handler.ServeHTTP(response, request)
	if response.Code != http.StatusNotFound || !strings.Contains(response.Body.String(), `"errorType":"not_found"`) {
		t.Errorf("%d %s", response.Code, response.Body)
	}
}
