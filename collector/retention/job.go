package retention

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
)

// Options say what is kept how long, and who knows what.
type Options struct {
	Store   Store
	Records Records
	Ages    Ages
	After   time.Duration // how long after its window a prediction may get its label
	Every   time.Duration // how often to look

	Now     func() time.Time // nil: time.Now
	Log     *slog.Logger     // nil: none
	Metrics prometheus.Registerer
}

// Job drops days. Run it in one collector; two of them do no harm, since what is
// gone is gone.
type Job struct {
	o       Options
	metrics metrics
}

type metrics struct {
	rows, partitions *prometheus.CounterVec
	held             prometheus.Gauge
	failed           prometheus.Counter
}

// New gives a job.
func New(o Options) *Job {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	f := promauto.With(o.Metrics)
	return &Job{o: o, metrics: metrics{
		rows:       f.NewCounterVec(prometheus.CounterOpts{Name: "evenkeel_retention_rows", Help: "Rows that were dropped since they were old enough, by table."}, []string{"table"}),
		partitions: f.NewCounterVec(prometheus.CounterOpts{Name: "evenkeel_retention_days", Help: "Days that were dropped, by table."}, []string{"table"}),
		held:       f.NewGauge(prometheus.GaugeOpts{Name: "evenkeel_retention_held", Help: "Days of tables that are old enough to go, and that an open record holds."}),
		failed:     f.NewCounter(prometheus.CounterOpts{Name: "evenkeel_retention_failed", Help: "Passes that did not end; the next one goes on."}),
	}}
}

// Run makes a pass at once and then every Every, until ctx ends.
func (j *Job) Run(ctx context.Context) error {
	tick := time.NewTicker(j.o.Every)
	defer tick.Stop()
	for {
		if _, err := j.Pass(ctx); err != nil && ctx.Err() == nil {
			j.metrics.failed.Inc()
			j.o.Log.Warn("old evidence stays for now", "error", err)
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return nil
		}
	}
}

// Pass drops what is old enough and gives what it did. A day that cannot be
// dropped keeps none of the others; the errors are joined.
func (j *Job) Pass(ctx context.Context) (Plan, error) {
	plan, err := MakePlan(ctx, j.o.Store, j.o.Records, j.o.Ages, j.o.After, j.o.Now())
	if err != nil {
		return Plan{}, err
	}
	j.metrics.held.Set(float64(len(plan.Held)))
	var failures []error
	done := Plan{Held: plan.Held}
	for _, d := range plan.Drop {
		if err := j.o.Store.DropPartition(ctx, d); err != nil {
			failures = append(failures, err)
			continue
		}
		done.Drop = append(done.Drop, d)
		j.metrics.rows.WithLabelValues(d.Table).Add(float64(d.Rows))
		j.metrics.partitions.WithLabelValues(d.Table).Inc()
		j.o.Log.Info("a day was dropped, since it is older than it is kept",
			"table", d.Table, "day", d.Day.Format(time.DateOnly), "rows", d.Rows, "bytes", d.Bytes)
	}
	for _, h := range plan.Held {
		j.o.Log.Debug("a day is held by open records", "table", h.Table, "day", h.Day.Format(time.DateOnly), "records", h.By)
	}
	return done, errors.Join(failures...)
}
