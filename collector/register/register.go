package register

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/evenkeel/evenkeel/collector/model"
	"github.com/evenkeel/evenkeel/signal"
)

// Options say how a register works. The zero value is usable.
type Options struct {
	Tenant     string                // part of every deduplication key; empty means "default"
	Clock      func() time.Time      // of people's events; nil means time.Now
	Log        *slog.Logger          // nil discards
	Registerer prometheus.Registerer // nil: no metrics
	// Shared says that other processes may append to the same register. Then what
	// they appended is taken in before anything is decided, at the latest after
	// Refresh, and what this one appends is read back.
	Shared  bool
	Refresh time.Duration // 0 means 1 s
	// Patience is how long one event is tried again while the store is away,
	// before the caller gets the error; 0 means 10 s.
	Patience time.Duration
}

// Register holds the records of one store. It is safe for concurrent use.
// Reading never waits for the store.
type Register struct {
	opts    Options
	reader  model.RegisterReader
	writer  model.Writer
	metrics *metrics

	// writing is held from the decision on an event until it is stored, so
	// that no two decisions are based on the same state.
	writing sync.Mutex
	unsure  *model.RegisterEvent // written without a clear outcome; goes first
	taken   time.Time            // when others' events were last taken in, by the process's clock

	mu        sync.RWMutex // guards what follows
	records   map[string]*projection
	open      map[signal.Digest]*projection
	byRef     map[string]*projection
	seen      map[string]struct{} // evaluations that caused an event
	lastRef   map[int]int         // by year
	approvals map[criterionKey]*approval
	baselines map[baselineKey]*baselineChain

	deployments map[string]*deploymentChain // by id

	journal []model.RegisterEvent // of records, in the order they were appended
	grown   chan struct{}         // closed and replaced when journal grows
	faults  []model.ChainFault
	held    map[string]uint64 // events of each record that were taken in
	size    uint64            // of all
}

// Open reads every event, verifies every chain and builds the records. A
// broken chain is logged and kept as a fault, and its record stays readable;
// only a store that cannot be read is an error.
func Open(ctx context.Context, reader model.RegisterReader, writer model.Writer, opts Options) (*Register, error) {
	if opts.Tenant == "" {
		opts.Tenant = "default"
	}
	if opts.Clock == nil {
		opts.Clock = time.Now
	}
	if opts.Log == nil {
		opts.Log = slog.New(slog.DiscardHandler)
	}
	if opts.Refresh == 0 {
		opts.Refresh = time.Second
	}
	if opts.Patience == 0 {
		opts.Patience = 10 * time.Second
	}
	r := &Register{
		opts: opts, reader: reader, writer: writer, held: map[string]uint64{}, taken: time.Now(),
		records: map[string]*projection{}, open: map[signal.Digest]*projection{}, byRef: map[string]*projection{},
		seen: map[string]struct{}{}, lastRef: map[int]int{}, approvals: map[criterionKey]*approval{}, baselines: map[baselineKey]*baselineChain{},
		deployments: map[string]*deploymentChain{}, grown: make(chan struct{}),
	}
	r.metrics = newMetrics(opts.Registerer, r)
	events, err := reader.RegisterEvents(ctx)
	if err != nil {
		return nil, fmt.Errorf("open register: %w", err)
	}
	r.load(events)
	return r, nil
}
