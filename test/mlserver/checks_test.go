package mlserver

import (
	"context"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/evenkeel/evenkeel/collector/store/clickhouse"
	"github.com/evenkeel/evenkeel/test/livetest"
)

// fleetScore writes a query about one feature's drift over both agents.
func fleetScore(suffix, feature, method, query string) string {
	return fmt.Sprintf(query, fmt.Sprintf(
		`evenkeel_drift_score%s{evenkeel_system_id=%q, evenkeel_model_name="loan", evenkeel_model_version="v1", evenkeel_scope="fleet", evenkeel_drift_target="feature", evenkeel_drift_method=%q, evenkeel_feature_name=%q}`,
		suffix, system, method, feature))
}

// wantDrift holds the windows' distances against SciPy's over all rows. A
// window has fewer rows than that, so it may be off by what chance allows.
func wantDrift(t *testing.T, site *livetest.Collector, said account) {
	t.Helper()
	for feature, want := range said.KS {
		rows := site.Scalar(t, fleetScore("_samples", feature, "ks", "max(max_over_time(%s[1h]))"))
		least := site.Scalar(t, fleetScore("", feature, "ks", "min(min_over_time(%s[1h]))"))
		most := site.Scalar(t, fleetScore("", feature, "ks", "max(max_over_time(%s[1h]))"))
		t.Logf("%s: KS of all rows %.4f (SciPy), of the fleet's windows %.4f to %.4f; the largest has %v rows", feature, want, least, most, rows)
		chance := 1.95 / math.Sqrt(rows) // of the largest window alone: exceeded once in a thousand windows
		if !(least <= want+chance && most >= want-chance) {
			t.Errorf("%s: the windows' distances do not stand around %v", feature, want)
		}
	}
	if said.KS["income"] < 0.3 || said.KS["age"] > 0.1 {
		t.Errorf("the client was to move income and leave age: %v", said.KS)
	}
}

// wantServersCount holds what MLServer counts itself, as the agent read it,
// against what it was asked: every request directly and once more through an
// agent. What it refuses it does not count.
func wantServersCount(t *testing.T, site *livetest.Collector, said account) {
	t.Helper()
	want := float64(2 * (said.HTTPRequests + said.GRPCRequests))
	query := fmt.Sprintf(`max(max_over_time(evenkeel_server_request_count{evenkeel_system_id=%q, evenkeel_model_name="loan"}[1h]))`, system)
	var got float64
	livetest.Eventually(t, time.Minute, "MLServer's own count of requests", func() bool {
		got = site.Scalar(t, query)
		return got >= want
	})
	if got != want {
		t.Errorf("MLServer has counted %v requests, and was asked %v times", got, want)
	}
}

// opened says whether there is a record of a rule whose failure names a feature.
func opened(t *testing.T, site *livetest.Collector, rule, feature string) bool {
	t.Helper()
	var list struct {
		Records []struct {
			Source struct {
				Rule string `json:"rule_id"`
			} `json:"source"`
			Statement struct {
				Failure string `json:"failure"`
			} `json:"statement"`
		} `json:"nonconformities"`
	}
	site.Get(t, "/api/v1/nonconformities", &list)
	for _, r := range list.Records {
		if r.Source.Rule == rule && strings.Contains(r.Statement.Failure, feature) {
			return true
		}
	}
	return false
}

// wantRows counts in the store: every row of every request, by the agent that
// saw it, whole and understood.
func wantRows(t *testing.T, store *clickhouse.Store, said account) {
	t.Helper()
	for instance, want := range map[string]struct{ requests, rows int }{
		"http": {said.HTTPRequests, said.HTTPRows},
		"grpc": {said.GRPCRequests, said.GRPCRows},
	} {
		for column, target := range map[string]string{"income": "feature", "age": "feature", "region": "feature", "predict": "prediction", "approve": "prediction"} {
			var rows, faulty, seen, profiled uint64
			err := store.Conn().QueryRow(context.Background(), `SELECT sum(n), sum(missing + other + new + invalid), sum(seen), sum(profiled) FROM distributions
				WHERE system = ? AND model_name = 'loan' AND model_version = 'v1' AND instance = ? AND feature = ? AND target = ?`,
				system, instance, column, target).Scan(&rows, &faulty, &seen, &profiled)
			if err != nil {
				t.Fatal(err)
			}
			t.Logf("%s over %s: said %d requests, %d rows; stored %d and %d", column, instance, want.requests, want.rows, seen, rows)
			if int(rows) != want.rows || faulty != 0 || int(seen) != want.requests || profiled != seen {
				t.Errorf("%s over %s: %d rows, %d of them not understood, of %d requests seen and %d profiled; sent were %d rows in %d requests",
					column, instance, rows, faulty, seen, profiled, want.rows, want.requests)
			}
		}
	}
}
