package clickhouse_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/evenkeel/evenkeel/collector/model"
	"github.com/evenkeel/evenkeel/collector/store/storetest"
	"github.com/evenkeel/evenkeel/internal/errs"
	"github.com/evenkeel/evenkeel/signal"
)

var sqlNoon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// A rule's SELECT sees its own system only, however it asks, cannot write, reach
// out or change what bounds it, and ends at its bounds.
func TestSelectSQL(t *testing.T) {
	s := storetest.Open(t)
	var rows model.Rows
	for i, system := range []signal.SystemID{"bank", "bank", "it's", "other"} {
		rows.Predictions = append(rows.Predictions, signal.Prediction{
			System: system, ID: fmt.Sprint("r-", i), Model: signal.ModelRef{Name: "loans", Version: "1"}, Time: sqlNoon, Value: fmt.Sprint(i),
		})
	}
	if err := s.Write(t.Context(), model.SpoolBatch(1), &rows, model.FirstTry); err != nil {
		t.Fatal(err)
	}
	ask := func(system signal.SystemID, text string) ([]model.SQLRow, error) {
		return s.SelectSQL(t.Context(), model.SQLQuery{Text: text, System: system, From: sqlNoon.Add(-time.Hour), To: sqlNoon, Timeout: 10 * time.Second, MaxRows: 100})
	}
	for _, c := range []struct {
		system signal.SystemID
		text   string
		want   float64
	}{
		{"bank", "SELECT count() AS value FROM predictions WHERE system = {system:String}", 2},
		{"bank", "SELECT count() AS value FROM predictions", 2},
		{"it's", "SELECT count() AS value FROM predictions AS p", 1},
		{"bank", "WITH x AS (SELECT * FROM predictions WHERE system = 'other') SELECT count() AS value FROM x", 0},
		{"bank", "SELECT count() AS value FROM predictions AS a JOIN predictions AS b ON a.batch = b.batch", 4},
		{"bank", "SELECT count() AS value FROM register_events", 0},
		{"bank", "SELECT toInt64(({end:Int64} - {start:Int64}) / 1000000000) AS value", 3600},
		{"bank", "SELECT CAST(2.5 AS Nullable(Float64)) AS value", 2.5},
	} {
		got, err := ask(c.system, c.text)
		if err != nil || len(got) != 1 || got[0].Value == nil || *got[0].Value != c.want {
			t.Errorf("%s: %v, %+v, want %v", c.text, err, got, c.want)
		}
	}
	got, err := ask("bank", "SELECT model_name AS evenkeel_model_name, 1 AS part, count() AS whole, NULL AS lower, toUInt8(7) AS samples FROM predictions GROUP BY model_name")
	if err != nil || len(got) != 1 || *got[0].Part != 1 || *got[0].Whole != 2 || got[0].Lower != nil || *got[0].Samples != 7 || got[0].Labels["evenkeel_model_name"] != "loans" {
		t.Errorf("columns: %v, %+v", err, got)
	}
	for text, want := range map[string]errs.Kind{
		"SELECT count() AS value FROM predictions SETTINGS additional_table_filters = {}": errs.Invalid,
		"SELECT count() AS value FROM predictions SETTINGS readonly = 0":                  errs.Invalid,
		"INSERT INTO labels (system) VALUES ('bank')":                                     errs.Invalid,
		"SELECT count() AS value FROM url('http://127.0.0.1:1/', CSV, 'a String')":        errs.Invalid,
		"SELECT count() AS value FROM file('/etc/passwd', LineAsString)":                  errs.Invalid,
		"SELECT value FROM nowhere":                                                       errs.Invalid,
		"SELECT 'much' AS value":                                                          errs.Invalid,
		"SELECT number AS value FROM numbers(101)":                                        errs.Exhausted,
		"SELECT sum(number) AS value FROM numbers(100000000000)":                          errs.Exhausted,
	} {
		got, err := ask("bank", text)
		if errs.KindOf(err) != want {
			t.Errorf("%s: %v of kind %v, want %v; %+v", text, err, errs.KindOf(err), want, got)
		}
	}
}
