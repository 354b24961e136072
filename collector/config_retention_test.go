package collector

import (
	"strings"
	"testing"
	"time"

	"github.com/evenkeel/evenkeel/collector/model"
	"github.com/evenkeel/evenkeel/collector/store/clickhouse"
	"github.com/evenkeel/evenkeel/collector/store/storetest"
	"github.com/evenkeel/evenkeel/internal/config"
)

func TestMain(m *testing.M) { storetest.Main(m) }

func TestRetentionSaysWhatIsTooShort(t *testing.T) {
	days := func(n int) config.Duration { return config.Duration(time.Duration(n) * 24 * time.Hour) }
	for path, set := range map[string]func(*Config){
		"retention.every":       func(c *Config) { c.Retention.Every = 0 },
		"retention.samples":     func(c *Config) { c.Retention.Samples = days(29) },
		"retention.windows":     func(c *Config) { c.Retention.Windows = -1 },
		"retention.predictions": func(c *Config) { c.Retention.Predictions = days(30 + 8 - 1) }, // a day's horizon, a week late
		"retention.traces":      func(c *Config) { c.Retention.Traces = days(1) },
		"retention.logs":        func(c *Config) { c.Retention.Logs = days(189) },
		"retention.lineage":     func(c *Config) { c.Retention.Lineage = days(189) },
	} {
		c := Default()
		set(&c)
		if err := c.Validate("collector.yaml"); err == nil || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: %v", path, err)
		}
	}
	c := Default()
	c.Retention = Retention{Every: days(1), Samples: days(30), Windows: days(30), Predictions: days(38), Traces: days(30), Logs: days(190), Lineage: days(190)}
	if err := c.Validate("collector.yaml"); err != nil {
		t.Error(err)
	}
	c.Systems = []System{{ID: "slow", Labels: Labels{Horizon: days(90)}}}
	if err := c.Validate("collector.yaml"); err == nil || !strings.Contains(err.Error(), "retention.predictions") {
		t.Errorf("a system waits longer for its labels: %v", err)
	}
}

// The doctor says what would go, and drops nothing.
func TestDoctorTellsWhatWouldBeDropped(t *testing.T) {
	o := storetest.Options(t)
	store := storetest.OpenWith(t, o)
	old := time.Now().Add(-400 * 24 * time.Hour)
	rows := model.Rows{Logs: []model.Log{{Time: old, ObservedTime: old}, {Time: time.Now(), ObservedTime: time.Now()}}}
	if err := store.Write(t.Context(), model.SpoolBatch(1), &rows, model.FirstTry); err != nil {
		t.Fatal(err)
	}
	d := &doctor{config: Default()}
	d.judgeRetention(d.lookAtRetention(t.Context(), o))
	if len(d.findings) != 0 {
		t.Errorf("nothing is dropped, yet %+v", d.findings)
	}
	d.config.Retention.Logs = config.Duration(200 * 24 * time.Hour)
	d.judgeRetention(d.lookAtRetention(t.Context(), o))
	if len(d.findings) != 1 || d.findings[0].state != healthy || !strings.Contains(d.findings[0].found, "1 days of tables are old enough to go: 1 rows") {
		t.Errorf("%+v", d.findings)
	}
	var n uint64
	if err := store.Conn().QueryRow(t.Context(), "SELECT count() FROM otel_logs").Scan(&n); err != nil || n != 2 {
		t.Errorf("%d rows are left, %v", n, err)
	}
	d.judgeRetention(d.lookAtRetention(t.Context(), clickhouse.Options{}))
	if len(d.findings) != 2 || d.findings[1].state != failed {
		t.Errorf("%+v", d.findings)
	}
}
