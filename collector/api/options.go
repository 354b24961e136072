package api

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/prometheus/model/labels"

	"github.com/evenkeel/evenkeel/collector/model"
	"github.com/evenkeel/evenkeel/collector/query"
	"github.com/evenkeel/evenkeel/rules"
	"github.com/evenkeel/evenkeel/signal"
)

// Register is what the handlers ask of the register (collector/register).
type Register interface {
	// List gives matching records, newest first.
	List(model.RecordFilter) []model.RecordEntry
	// Get and Events name a record by ref or id; errs.NotFound otherwise.
	Get(name string) (model.RecordEntry, error)
	Events(name string) ([]model.RegisterEvent, error)
	Acknowledge(ctx context.Context, name string, by model.Actor, note string) (model.Record, error)
	ApproveCriterion(ctx context.Context, rule signal.RuleID, system signal.SystemID, by model.Actor, basis string) (model.Criterion, error)
	Criteria() []model.Criterion
	Faults() []model.ChainFault
}

// Query runs PromQL (collector/query). Errors carry kinds: Invalid is the
// caller's fault, Exhausted a bound.
type Query interface {
	AskInstant(ctx context.Context, expr string, at time.Time, lookback time.Duration) (query.Answer, error)
	AskRange(ctx context.Context, expr string, start, end time.Time, step, lookback time.Duration) (query.Answer, error)
	Series(ctx context.Context, selectors []string, from, to time.Time) ([]labels.Labels, error)
	LabelNames(ctx context.Context, selectors []string, from, to time.Time) ([]string, error)
	LabelValues(ctx context.Context, name string, selectors []string, from, to time.Time) ([]string, error)
}

// Reader is what the handlers read of the store.
type Reader interface {
	model.EvaluationReader
	model.CountReader
	model.LineageReader
	FleetWindows(ctx context.Context, from, to time.Time) ([]model.FleetWindow, error)
	// Baseline gives a declared baseline; errs.NotFound if it was never declared.
	Baseline(ctx context.Context, digest signal.Digest) (*signal.Baseline, error)
	DistributionsBetween(ctx context.Context, system signal.SystemID, from, to time.Time) ([]*signal.Distribution, error)
	FindSeries(ctx context.Context, matchers []model.Matcher, from, to time.Time) ([]model.Series, error)
}

// System is one declared AI system.
type System struct {
	ID    signal.SystemID
	Owner string // a role
}

// Account is what became of the requests that came in, in spool records, since
// the collector started.
type Account struct {
	Acknowledged uint64 // answered with success, after fsync
	Waiting      uint64 // on disk for the store, those of an earlier start included
	PutAside     uint64 // batches that the store could not take; kept in quarantine
	SpoolBytes   uint64
	SpoolMax     uint64
}

// Plugin is how one plugin and the deliveries to it stand.
type Plugin struct {
	Name      string
	Version   string
	Running   bool
	Restarts  int
	Delivered uint64
	Refused   uint64 // for good
	Waiting   int
	LastError string
}

// Options are what the handlers work with. Register, Query and Reader must be
// set; a nil func leaves its part out.
type Options struct {
	Register Register
	Query    Query
	Reader   Reader

	// Verify says whether a bearer token is good. Nil: nobody is asked, and
	// only requests to names of this machine are answered.
	Verify func(token string) bool
	// Known checks that there are such a rule and such a system before a
	// criterion is approved: a misspelt one would be of no effect.
	Known       func(ctx context.Context, rule signal.RuleID, system signal.SystemID) error
	Rules       *rules.Set   // shown to Prometheus' clients; nil: none
	Labels      Labels       // nil: none are taken
	Lineage     LineageTaker // nil: likewise
	Deployments Deployments  // nil: the register of deployments is left out

	Baselines Baselines                       // nil: the register of baselines is left out
	Alerts    Alerts                          // nil: none are taken
	Reviews   Reviews                         // nil: likewise
	Ready     func(ctx context.Context) error // why /readyz says no
	Metrics   prometheus.Gatherer             // served at /metrics
	Tickets   func(record string) map[string]string
	Systems   []System
	Account   func() Account
	Plugins   func() []Plugin

	Clock     func() time.Time // nil means time.Now
	Log       *slog.Logger     // nil discards
	Timeout   time.Duration    // of one request; 0 means 1 minute
	MaxBody   int64            // bytes of a request's body; 0 means 1 MiB
	MaxLabels int64            // bytes of a body of labels, before and after decompression; 0 means 16 MiB
}

func (o *Options) fill() {
	if o.Clock == nil {
		o.Clock = time.Now
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Timeout == 0 {
		o.Timeout = time.Minute
	}
	if o.MaxBody == 0 {
		o.MaxBody = 1 << 20
	}
	if o.MaxLabels == 0 {
		o.MaxLabels = 16 << 20
	}
}

// NewServer puts the handler into a server whose every phase is bounded. The
// caller sets up listening and TLS.
func NewServer(handler http.Handler, log *slog.Logger) *http.Server {
	return &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: 10 * time.Second,
		ReadTimeout:       30 * time.Second,
		WriteTimeout:      2 * time.Minute,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    64 << 10,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelDebug),
	}
}
