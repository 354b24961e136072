package export

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/evenkeel/evenkeel/agent/config"
	"github.com/evenkeel/evenkeel/agent/span"
	"github.com/evenkeel/evenkeel/agent/window"
	"github.com/evenkeel/evenkeel/internal/errs"
	"github.com/evenkeel/evenkeel/internal/guard"
	"github.com/evenkeel/evenkeel/signal"
)

// Options are what an Exporter works with. All fields without a word about
// their zero value are required.
type Options struct {
	Identity     Identity
	Folder       string // of the spool; nobody else may use it meanwhile
	Export       config.Export
	Window       config.Window // how groups are judged in the views
	Heartbeat    time.Duration
	LineageEvery time.Duration
	Models       []Model
	Retry        Retry                                     // zero: its defaults
	Now          func() time.Time                          // nil: time.Now
	Wrap         func(http.RoundTripper) http.RoundTripper // looks at the round trips to the collector; nil: nobody does
	Spans        *span.Keeper                              // chooses the requests that are told as spans; nil: none is
	Guard        *guard.Guard                              // counts the panics that are recovered, which Watch shows; nil: one of its own
	Log          *slog.Logger
}

// Exporter is the way out of the agent. Make it with New, then Start it, then
// Publish windows, then Close it.
type Exporter struct {
	o           Options
	spool       *spool
	evidence    *evidence
	predictions *predictions
	traces      *traces
	views       *views
	client      *http.Client
	senders     []*sender

	settings  atomic.Pointer[Settings] // never nil
	lastTaken atomic.Int64             // when the collector took something last, seconds since the Unix epoch

	mu     sync.Mutex  // keeps windows in order
	models []*declared // versions known, configured ones first
	held   holding

	stop    context.CancelFunc // nil: not started
	running sync.WaitGroup
	failed  atomic.Bool
	closing sync.Once
	closed  error
}

// The exporter's parts, for the counts of panics.
const (
	partSender      = "sender"      // one of the senders
	partSchedule    = "schedule"    // declarations and held windows
	partEvidence    = "evidence"    // a window's records
	partPredictions = "predictions" // the records of single rows
	partMetrics     = "metrics"     // scores, callbacks and exports of the metrics
)

// New opens the spool and makes the SDK's parts. Nothing is sent before Start,
// but Publish already writes to the spool.
func New(o Options) (*Exporter, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Guard == nil {
		o.Guard = guard.New(o.Log)
	}
	if o.Spans == nil {
		o.Spans = span.New(span.Settings{}, nil)
	}
	o.Guard.Expect(partTraces, partSender, partSchedule, partEvidence, partPredictions, partMetrics)
	client, err := newClient(o.Export)
	if err != nil {
		return nil, err
	}
	e := &Exporter{o: o, client: client, models: newDeclared(o.Models)}
	e.settings.Store(&Settings{Export: o.Export, Window: o.Window, Models: o.Models})
	e.wrap(client)
	// Numbers begin at the present millisecond: where a state folder was lost but
	// the instance keeps its name, no number comes a second time.
	if e.spool, err = openSpool(o.Folder, int64(o.Export.Spool.Max), uint64(o.Now().UnixMilli()), o.Log); err != nil {
		return nil, err
	}
	e.spool.maxAge = o.Export.Spool.MaxAge.Std()
	if e.evidence, err = newEvidence(o.Identity, e.spool, Logs, o.Now); err != nil {
		return nil, err
	}
	rows, err := newEvidence(o.Identity, e.spool, Predictions, o.Now)
	if err != nil {
		return nil, err
	}
	e.predictions = newPredictions(rows)
	e.traces = newTraces(o.Identity, e.spool)
	every := rhythm{metrics: o.Export.MetricsEvery.Std(), heartbeat: o.Heartbeat}
	if e.views, err = newViews(o.Identity, e.spool, every, o.Now, o.Guard, o.Log); err != nil {
		return nil, err
	}
	if err := e.watchExport(); err != nil {
		return nil, err
	}
	for _, k := range kinds {
		e.senders = append(e.senders, &sender{
			kind: k, spool: e.spool, client: client,
			endpoint: strings.TrimSuffix(o.Export.Endpoint, "/"), tokenFile: o.Export.TokenFile,
			instance: o.Identity.Instance, retry: o.Retry, now: o.Now, log: o.Log, taken: &e.lastTaken,
		})
	}
	return e, nil
}

// NewClient makes an HTTP client to the collector, as the exporter's own is.
func NewClient(c config.Export) (*http.Client, error) { return newClient(c) }

// newClient makes the HTTP client to the collector. Redirects are not
// followed: the token is meant for one host.
func newClient(c config.Export) (*http.Client, error) {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	if c.TLS.CAFile != "" {
		pem, err := os.ReadFile(c.TLS.CAFile)
		if err != nil {
			return nil, errs.E("read export.tls.ca_file", errs.Invalid, err, "")
		}
		roots := x509.NewCertPool()
		if !roots.AppendCertsFromPEM(pem) {
			return nil, errs.E("read export.tls.ca_file", errs.Invalid,
				fmt.Errorf("%s holds no certificate", c.TLS.CAFile), "give the PEM file of the authority that signed the collector's certificate")
		}
		transport.TLSClientConfig = &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}
	}
	return &http.Client{
		Transport:     transport,
		Timeout:       c.Timeout.Std(),
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}, nil
}

// Start writes the models' first declaration and begins to forward what is in
// the spool, with a heartbeat first. Close ends what it began.
func (e *Exporter) Start() {
	ctx, stop := context.WithCancel(context.Background())
	e.stop = stop
	e.declare(ctx, due)
	for _, s := range e.senders {
		e.running.Go(func() { e.o.Guard.Keep(ctx, partSender, s.run) })
	}
	e.running.Go(func() { e.o.Guard.Keep(ctx, partSchedule, e.keep) })
	e.running.Go(func() { e.o.Guard.Keep(ctx, partPredictions, e.keepPredictions) })
	e.running.Go(func() { e.o.Guard.Keep(ctx, partTraces, e.keepSpans) })
}

// keep does what has to be done though no window closes: declare, and write
// what could not be written.
func (e *Exporter) keep(ctx context.Context) {
	heartbeat, lineage := time.NewTicker(e.o.Heartbeat), time.NewTicker(e.o.LineageEvery)
	defer heartbeat.Stop()
	defer lineage.Stop()
	if err := e.views.pulse.ForceFlush(ctx); err != nil {
		e.o.Log.Warn("the first heartbeat was not exported", "error", err)
	}
	toDisk := context.WithoutCancel(ctx) // a stop must not break off what is being written
	for {
		select {
		case <-ctx.Done():
			return
		case <-heartbeat.C:
			e.declare(toDisk, due)
			e.retryHeld(toDisk)
		case <-lineage.C:
			e.declare(toDisk, everything)
		}
	}
}

// Publish writes a window to the spool, all its records in one request, and
// then updates the views. It returns nil only when the window is durable. A
// window that could not be written is held in memory, in order and bounded, and
// tried again before the next one and at every heartbeat; the error says why.
func (e *Exporter) Publish(ctx context.Context, c *window.Closed) error {
	err := e.writeNext(ctx, c)
	e.o.Guard.Run(partMetrics, func() { e.show(c) })
	e.o.Guard.Run(partTraces, func() { e.traceWindow(c, err) })
	return err
}

// writeNext puts a window behind all earlier ones.
func (e *Exporter) writeNext(ctx context.Context, c *window.Closed) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.meet(ctx, c.Model)
	e.writeHeld(ctx)
	return e.write(ctx, c)
}

// store makes a window's records durable. A panic is an error that no
// repetition cures.
func (e *Exporter) store(ctx context.Context, c *window.Closed) error {
	return e.o.Guard.Try(partEvidence, func() error { return e.evidence.Write(e.traced(ctx, c), windowEvents(c)) })
}

// write puts a window into the spool, behind those that are held.
func (e *Exporter) write(ctx context.Context, c *window.Closed) error {
	why := errors.New("earlier ones wait")
	if e.held.empty() {
		if why = e.store(ctx, c); why == nil {
			return nil
		}
		if !errs.Retryable(why) {
			e.held.lose()
			return fmt.Errorf("window %s of %s is lost: %w", c.ID, c.Model, why)
		}
	}
	if !e.held.add(c) {
		return fmt.Errorf("window %s of %s is lost, too many are held in memory: %w", c.ID, c.Model, why)
	}
	return fmt.Errorf("window %s of %s is held in memory and will be tried again: %w", c.ID, c.Model, why)
}

// retryHeld is writeHeld for those that have not the lock.
func (e *Exporter) retryHeld(ctx context.Context) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.writeHeld(ctx)
}

// writeHeld tries to write the windows that are held, oldest first, up to the
// first that must wait longer.
func (e *Exporter) writeHeld(ctx context.Context) {
	for c := e.held.first(); c != nil; c = e.held.first() {
		err := e.store(ctx, c)
		if errs.Retryable(err) {
			return
		}
		e.held.remove()
		if err != nil {
			e.held.lose()
			e.o.Log.Error("a held window is lost", "window", c.ID.String(), "error", err)
		}
	}
}

// show updates the metrics from a window.
func (e *Exporter) show(c *window.Closed) {
	e.views.count(c.Model, c.Capture)
	scores, err := scoreWindow(c, e.references(c.Model.Name), e.settings.Load().Window)
	if err != nil {
		e.o.Log.Error("a score could not be computed", "model", c.Model.String(), "error", err)
	}
	if cut := e.views.show(c.Model, scores); cut > 0 {
		e.o.Log.Warn("too many scores to be shown; the window's events are whole", "model", c.Model.String(), "left_out", cut)
	}
}

// references gives a model's declared reference groups.
func (e *Exporter) references(model string) map[signal.FeatureName]string {
	for _, m := range e.settings.Load().Models {
		if m.Name == model {
			return m.References
		}
	}
	return nil
}

// windowEvents gives the records of a window, one for each distribution.
func windowEvents(c *window.Closed) []event {
	out := make([]event, len(c.Distributions))
	for i, d := range c.Distributions {
		out[i] = event{name: signal.EventWindowProfile, at: c.End, attrs: signal.EncodeDistribution(d)}
	}
	return out
}

// Inference records how long a request took, from arrival to the end of the
// response, and how it ended.
func (e *Exporter) Inference(m signal.ModelRef, outcome string, took time.Duration) {
	attrs := append(modelAttrs(m), attribute.String(signal.KeyOutcome, outcome))
	e.views.duration.Record(context.Background(), took.Seconds(), metric.WithAttributes(attrs...))
}

// MetricsHandler serves /metrics for Prometheus.
func (e *Exporter) MetricsHandler() http.Handler { return e.views.handler() }
