package agent

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"mime"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	agentconfig "github.com/evenkeel/evenkeel/agent/config"
	"github.com/evenkeel/evenkeel/agent/export"
	"github.com/evenkeel/evenkeel/agent/join"
	"github.com/evenkeel/evenkeel/internal/errs"
	"github.com/evenkeel/evenkeel/internal/labels"
	"github.com/evenkeel/evenkeel/signal"
)

// joining is what joins labels inside the agent, and what follows files of
// attributes. A model that is no longer joined has its slots counted all the same.
type joining struct {
	joinsMu       sync.Mutex
	joins         map[string]*join.Join // by model
	tableFailures atomic.Uint64         // files of attributes that changed and could not be read
}

// joinFolder holds a folder for each model whose labels are joined.
const joinFolder = "labels"

// joinOf finds or makes the join of a model, under the configuration's settings;
// nil where none is wanted.
func (a *Agent) joinOf(c *agentconfig.Config, m *monitored) (*join.Join, error) {
	if !m.Labels.Join {
		return nil, nil
	}
	name := sha256.Sum256([]byte(m.Name))
	l := m.Labels.WithDefaults()
	o := join.Options{
		Folder: a.state.path(joinFolder + "/" + hex.EncodeToString(name[:8])), Model: m.Name, Instance: a.identity.Instance,
		Tell: a.exporter.PublishOutcomes, Log: a.log,
		Slot: m.windowOf(c).Length.Std(), Horizon: l.Horizon.Std(), Memory: int64(l.Memory), Disk: int64(l.Disk), MinCell: c.Window.MinCell,
		Baseline: m.baseline, Digest: m.digest, Output: m.Outcome.Output,
	}
	a.joinsMu.Lock()
	defer a.joinsMu.Unlock()
	if j := a.joins[m.Name]; j != nil {
		j.Configure(o)
		return j, nil
	}
	j, err := join.Open(o)
	if err != nil {
		return nil, err
	}
	if a.joins == nil {
		a.joins = map[string]*join.Join{}
	}
	a.joins[m.Name] = j
	return j, nil
}

// allJoins gives the joins by model, in order of the names.
func (a *Agent) allJoins() (names []string, joins []*join.Join) {
	a.joinsMu.Lock()
	defer a.joinsMu.Unlock()
	names = slices.Sorted(maps.Keys(a.joins))
	for _, n := range names {
		joins = append(joins, a.joins[n])
	}
	return names, joins
}

// joinEvery is how often slots are looked at.
const joinEvery = time.Second

// stepJoins counts slots when their horizon is over.
func (a *Agent) stepJoins(ctx context.Context) {
	everySoOften(ctx, joinEvery, func() {
		names, joins := a.allJoins()
		for i, j := range joins {
			if err := j.Step(ctx); err != nil && ctx.Err() == nil {
				a.log.Warn("joined labels wait to be told", "model", names[i], "error", err)
			}
		}
	})
}

func (a *Agent) closeJoins() error {
	var errs []error
	_, joins := a.allJoins()
	for _, j := range joins {
		errs = append(errs, j.Close())
	}
	return errors.Join(errs...)
}

// Bounds of a request with labels, in bytes before and after decompression, and
// of a label's time before the clock.
const (
	maxLabels  = 16 << 20
	clockSlack = 24 * time.Hour
)

// postLabels takes labels as the collector does, and joins them here.
func (a *Agent) postLabels(w http.ResponseWriter, r *http.Request) {
	_, joins := a.allJoins()
	if len(joins) == 0 {
		refuseLabels(w, http.StatusNotFound, "no model joins labels; set models[].labels.join, or send labels to the collector")
		return
	}
	r.Body = http.MaxBytesReader(w, r.Body, maxLabels)
	media, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type")) // one that is none is no type that is read
	plain, err := labels.Plain(r.Body, r.Header.Get("Content-Encoding"))
	body := io.Reader(r.Body)
	if plain != nil {
		defer func() { _ = plain.Close() }() // it was only read
		body = http.MaxBytesReader(w, plain, maxLabels)
	}
	var source labels.Source
	if err == nil {
		source, err = labels.Open(body, media, r.Header.Get("Content-Type"))
	}
	if err != nil {
		refuseLabels(w, statusOfLabels(err), err.Error())
		return
	}
	rules := &labels.Rules{System: a.c.System, Latest: time.Now().Add(clockSlack), Only: a.c.System}
	answer, err := labels.Read(source, rules, func(some []signal.Label) error { return a.joinLabels(joins, some) })
	out := labelAnswer{Answer: *answer}
	status := http.StatusOK
	if err != nil {
		status, out.Error = statusOfLabels(err), &labelProblem{err.Error()}
	}
	writeLabelAnswer(w, status, out)
}

// joinLabels offers labels to every join. A request's id is that of one model.
func (a *Agent) joinLabels(joins []*join.Join, some []signal.Label) error {
	p := a.plan()
	names, _ := a.allJoins()
	for i, j := range joins {
		own := slices.Clone(some)
		if s := p.byName[names[i]]; s != nil {
			for k := range own {
				own[k].ID = s.filter.HashID(own[k].ID)
			}
		}
		if _, err := j.Label(own); err != nil {
			return err
		}
	}
	return nil
}

// tellRows hands single rows to whoever waits for them.
func (a *Agent) tellRows(model *served, obs *signal.Observation) {
	switch {
	case model.predictor == nil:
	case model.joins != nil:
		model.joins.Add(model.predictor.predictions(obs))
	case a.exporter.CanPredict(obs.Rows):
		a.exporter.Predict(model.predictor.predictions(obs))
	}
}

type labelAnswer struct {
	labels.Answer
	Error *labelProblem `json:"error,omitempty"`
}

type labelProblem struct {
	Message string `json:"message"`
}

func refuseLabels(w http.ResponseWriter, status int, why string) {
	writeLabelAnswer(w, status, labelAnswer{Error: &labelProblem{why}})
}

func writeLabelAnswer(w http.ResponseWriter, status int, answer labelAnswer) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(answer) // a client that left needs no answer
}

func statusOfLabels(err error) int {
	var long *http.MaxBytesError
	switch {
	case errors.As(err, &long):
		return http.StatusRequestEntityTooLarge
	case errors.Is(err, labels.ErrUnknown):
		return http.StatusUnsupportedMediaType
	case errs.KindOf(err) == errs.Invalid:
		return http.StatusBadRequest
	}
	return http.StatusServiceUnavailable
}

// joinFigures show how the joins stand, and the files of attributes.
func (a *Agent) joinFigures() []export.Figure {
	each := func(read func(tell tell, model export.Label, c join.Counts)) func(tell) {
		return func(tell tell) {
			names, joins := a.allJoins()
			for i, j := range joins {
				read(tell, modelLabel(names[i]), j.Counts())
			}
		}
	}
	reason := func(why string) export.Label { return export.Label{Key: signal.KeyReason, Value: why} }
	return []export.Figure{
		{
			Name: signal.MetricJoinWaiting, Unit: "{prediction}", About: "Predictions that wait in the agent for their labels.",
			Read: each(func(tell tell, model export.Label, c join.Counts) { tell(float64(c.Waiting), model) }),
		},
		{
			Name: signal.MetricJoinBytes, Unit: "By", About: "Disk of the predictions that wait in the agent for their labels.",
			Read: each(func(tell tell, model export.Label, c join.Counts) { tell(float64(c.Bytes), model) }),
		},
		{
			Name: signal.MetricJoinTold, Unit: "{prediction}", Counter: true, About: "Predictions whose counts were told, with labels or without.",
			Read: each(func(tell tell, model export.Label, c join.Counts) { tell(float64(c.Told), model) }),
		},
		{
			Name: signal.MetricJoinLabels, Unit: "{label}", Counter: true, About: "Labels that came to the agent, by what became of them.",
			Read: each(func(tell tell, model export.Label, c join.Counts) {
				tell(float64(c.Matched), model, reason("matched"))
				tell(float64(c.Late), model, reason("late"))
				tell(float64(c.Unmatched), model, reason("unmatched"))
				tell(float64(c.Refused), model, reason("disk_full"))
			}),
		},
		{
			Name: signal.MetricJoinLost, Unit: "{prediction}", Counter: true, About: "Predictions that no label finds in the agent, by reason.",
			Read: each(func(tell tell, model export.Label, c join.Counts) {
				tell(float64(c.MemoryFull), model, reason("memory_full"))
				tell(float64(c.DiskFull), model, reason("disk_full"))
				tell(float64(c.Unwritable), model, reason("unwritable"))
				tell(float64(c.Damaged), model, reason("damaged"))
				tell(float64(c.Nameless), model, reason("nameless"))
			}),
		},
		{
			Name: signal.MetricAttributeFailures, Unit: "{file}", Counter: true, About: "Files of attributes that changed and could not be read.",
			Read: func(tell tell) { tell(float64(a.tableFailures.Load())) },
		},
	}
}
