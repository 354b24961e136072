package collector

import (
	"context"
	"errors"
	"log/slog"
	"path/filepath"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"github.com/evenkeel/evenkeel/collector/evaluate"
	"github.com/evenkeel/evenkeel/collector/fleet"
	"github.com/evenkeel/evenkeel/collector/ingest"
	"github.com/evenkeel/evenkeel/collector/query"
	"github.com/evenkeel/evenkeel/collector/register"
	"github.com/evenkeel/evenkeel/collector/replica"
	"github.com/evenkeel/evenkeel/collector/spool"
	"github.com/evenkeel/evenkeel/collector/store/clickhouse"
	"github.com/evenkeel/evenkeel/internal/faultpoint"
	"github.com/evenkeel/evenkeel/rules"
	"github.com/evenkeel/evenkeel/signal"
)

// Run runs the collector until ctx ends or a part fails, then stops it in
// order: nothing new comes in, what is in hand is finished within StopTimeout,
// and what is left waits in the spool for the next start.
func Run(ctx context.Context, c Config, log *slog.Logger) error {
	r := &runner{config: c, log: log, now: faultpoint.Now, life: newLifecycle(log), metrics: prometheus.NewRegistry()}
	r.metrics.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	err := r.start(ctx)
	if err == nil {
		log.Info("collector is up", "otlp_grpc", r.server.GRPCAddr(), "otlp_http", r.server.HTTPAddr(), "api", "http://"+r.apiAddr)
		err = r.life.wait(ctx)
		log.Info("collector is stopping")
	}
	return errors.Join(err, r.life.down())
}

// runner holds the parts while they are put together.
type runner struct {
	config  Config
	log     *slog.Logger
	now     func() time.Time
	life    *lifecycle
	metrics *prometheus.Registry

	access     access
	rules      *rules.Set
	spool      *spool.Spool
	replica    *replica.Replica
	health     *ingest.Health
	store      *clickhouse.Store
	queries    *query.Engine
	register   *register.Register
	delivery   delivery
	governance governance
	fleet      *fleet.Fleet
	server     *ingest.Server
	apiAddr    string
}

// start is the list of all parts, in the order in which they depend on each
// other. What listens comes up last, so that whoever gets an answer gets it
// from the whole.
func (r *runner) start(ctx context.Context) error {
	for _, step := range []func(context.Context) error{
		r.loadRules,
		r.openAccess,
		r.openSpool,
		r.openServer,
		r.openStore,
		r.openReplica,
		r.openRegister,
		r.startDelivery,
		r.startGovernance,
		r.startJudging,
		r.startDrain,
		r.startRetention,
		r.startServer,
		r.startAPI,
	} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	return nil
}

// LoadRules reads the packs, files and overrides, expressions included.
func LoadRules(c Rules) (*rules.Set, error) {
	return rules.Load(rules.Options{Packs: c.Packs, Files: c.Files, Overrides: c.Overrides, Expression: query.Check})
}

func (r *runner) loadRules(context.Context) (err error) {
	r.rules, err = LoadRules(r.config.Rules)
	return err
}

func (r *runner) openSpool(context.Context) (err error) {
	o := spool.Default()
	o.Folder = filepath.Join(r.config.Data, "spool")
	o.Max = int64(r.config.Spool.Max)
	o.Segment = int64(r.config.Spool.Segment)
	o.BatchRecords = r.config.Drain.MaxRecords
	o.BatchBytes = int64(r.config.Drain.MaxBytes)
	o.Now, o.Log = r.now, r.log
	if r.spool, err = spool.Open(o); err != nil {
		return err
	}
	r.life.opened("spool", r.spool.Close)
	r.health, err = ingest.NewHealth(r.metrics, r.spool)
	return err
}

// openServer opens the sockets early, so that a port in use is known before
// an engine is started; they are served last.
func (r *runner) openServer(ctx context.Context) (err error) {
	o := ingest.DefaultServerOptions()
	o.GRPC = r.config.OTLP.GRPC.Listen
	o.HTTP = r.config.OTLP.HTTP.Listen
	o.Tokens, o.TLS = r.access.senders, r.access.tls
	r.config.OTLP.limit(&o)
	o.StopTimeout = r.config.StopTimeout.Std()
	o.Now, o.Log = r.now, r.log
	if r.server, err = ingest.Listen(ctx, o, r.spool, r.health); err != nil {
		return err
	}
	r.life.opened("otlp sockets", r.server.Close)
	return nil
}

// openReplica learns which batch numbers are this data folder's.
func (r *runner) openReplica(ctx context.Context) (err error) {
	r.replica, err = replica.Open(ctx, filepath.Join(r.config.Data, "replica.json"), r.store, r.spool.Uncut())
	return err
}

func (r *runner) openRegister(ctx context.Context) (err error) {
	r.register, err = register.Open(ctx, r.store, r.store, register.Options{
		Shared: r.config.ClickHouse.Addr != "", Clock: r.now, Log: r.log, Registerer: r.metrics,
	})
	if err == nil && r.config.ClickHouse.Addr != "" {
		r.life.started("register", r.register.Run)
	}
	return err
}

// startJudging starts fleet and, before it, the evaluator that it tells of
// sealed windows.
func (r *runner) startJudging(context.Context) error {
	r.queries = query.New(r.store, r.config.Query.options(r.log))
	systems := make([]signal.SystemID, 0, len(r.config.Systems))
	for _, s := range r.config.Systems {
		systems = append(systems, signal.SystemID(s.ID))
	}
	evaluator, err := evaluate.New(evaluate.Options{
		Store: r.store, Queries: r.queries, Rules: r.rules, Register: r.register,
		Systems: systems, StartGrace: r.config.Fleet.StartGrace.Std(), Horizon: r.config.horizon,
		SQL: r.store, QueryTimeout: r.config.Query.Timeout.Std(),
		Parallel: r.config.Evaluate.Parallel, Jitter: r.config.Evaluate.Jitter.Std(),
		Stored: newWatermark(r.spool.Stats).stored, Now: r.now, Log: r.log, Metrics: r.metrics,
	})
	if err != nil {
		return err
	}
	r.fleet, err = fleet.New(fleet.Options{
		Store: r.store, Rules: r.rules, Systems: systems,
		Subscribers: []fleet.Subscriber{evaluator},
		Grace:       r.config.Fleet.Grace.Std(),
		StartGrace:  r.config.Fleet.StartGrace.Std(),
		Horizon:     r.config.horizon,
		Late:        r.config.Labels.Late.Std(),
		Stored:      newWatermark(r.spool.Stats).stored,
		Now:         r.now, Log: r.log, Metrics: r.metrics,
	})
	if err != nil {
		return err
	}
	r.life.started("evaluator", evaluator.Run)
	r.life.started("fleet", r.fleet.Run)
	r.startUpkeep(evaluator, systems)
	return nil
}

func (r *runner) startDrain(context.Context) error {
	o := ingest.DefaultDrainOptions()
	o.Every = r.config.Drain.Every.Std()
	o.Parallel = r.config.Drain.Parallel
	o.StopTimeout = r.config.StopTimeout.Std()
	o.Number, o.Stored = r.replica.Batch, r.stored
	o.Log = r.log
	r.life.started("drain", ingest.NewDrain(o, r.spool, r.store, r.health).Run)
	return nil
}

func (r *runner) startServer(context.Context) error {
	r.life.started("otlp", r.server.Run)
	return nil
}
