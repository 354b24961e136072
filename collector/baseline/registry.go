package baseline

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/cespare/xxhash/v2"

	"github.com/evenkeel/evenkeel/collector/model"
	"github.com/evenkeel/evenkeel/internal/canonical"
	"github.com/evenkeel/evenkeel/internal/errs"
	"github.com/evenkeel/evenkeel/signal"
)

// Store is what the registry asks of the store.
type Store interface {
	model.Writer
	model.BaselineReader
}

// Register keeps decisions (collector/register).
type Register interface {
	DecideBaseline(ctx context.Context, d model.BaselineDecision) (model.BaselineDecision, error)
	BaselineDecision(digest signal.Digest, system signal.SystemID, name string) *model.BaselineDecision
	BaselineHistory(digest signal.Digest) []model.BaselineDecision
}

// Options say how a registry works; Store and Register are needed.
type Options struct {
	Store    Store
	Register Register
	Every    time.Duration    // how often the gauges are written; 0 means 1 minute
	Remember time.Duration    // how long after its last window a model version has gauges; 0 means 7 days
	Clock    func() time.Time // nil means time.Now
	Log      *slog.Logger     // nil discards
}

// Registry is the register of baselines. It is safe for concurrent use.
type Registry struct {
	o Options
}

// New gives a registry; Run writes its gauges.
func New(o Options) *Registry {
	if o.Every == 0 {
		o.Every = time.Minute
	}
	if o.Remember == 0 {
		o.Remember = 7 * 24 * time.Hour
	}
	if o.Clock == nil {
		o.Clock = time.Now
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return &Registry{o}
}

// Push takes a baseline's JSON for a model version of a system, as an agent's
// declaration does; an empty reference means the baseline's own. On nil it is in
// the store. The same again changes nothing but when it was seen.
func (r *Registry) Push(ctx context.Context, system signal.SystemID, ref signal.ModelRef, raw []byte) (model.BaselineEntry, error) {
	const op = "push a baseline"
	b, err := signal.ParseBaseline(raw)
	if err != nil {
		return model.BaselineEntry{}, errs.E(op, errs.Invalid, err, "evenkeel baseline build makes one")
	}
	if ref.Name == "" {
		ref = b.Model
	}
	if err := checkNames(system, ref); err != nil {
		return model.BaselineEntry{}, errs.E(op, errs.Invalid, err, "")
	}
	content, err := canonical.JSON(b)
	if err != nil {
		return model.BaselineEntry{}, errs.E(op, errs.Invalid, err, "")
	}
	at := r.o.Clock().UTC().Truncate(time.Millisecond)
	row := model.Baseline{Digest: signal.Digest(canonical.Sum(content)), System: system, Model: ref, SeenAt: at, Content: string(content)}
	batch := model.DerivedBatch(xxhash.Sum64String(fmt.Sprintf("baseline\x00%s\x00%s\x00%s\x00%s\x00%d", row.Digest, system, ref.Name, ref.Version, at.UnixNano())))
	if err := r.o.Store.Write(ctx, batch, &model.Rows{Baselines: []model.Baseline{row}}, model.InDoubt); err != nil {
		return model.BaselineEntry{}, err
	}
	return r.Entry(model.BaselineInfo{
		Digest: row.Digest, System: system, Model: ref, SeenAt: at, Source: b.Source, Rows: b.Rows, Features: uint64(len(b.Features)),
	}), nil
}

// checkNames bounds what becomes part of a key.
func checkNames(system signal.SystemID, ref signal.ModelRef) error {
	for _, name := range []struct{ what, text string }{{"system", string(system)}, {"model", ref.Name}, {"version", ref.Version}} {
		switch {
		case name.text == "" && name.what != "version":
			return fmt.Errorf("%s: missing", name.what)
		case len(name.text) > 1024 || !utf8.ValidString(name.text):
			return fmt.Errorf("%s: longer than 1024 bytes, or not UTF-8", name.what)
		}
	}
	return nil
}

// Entry gives what holds about a baseline for a model version.
func (r *Registry) Entry(info model.BaselineInfo) model.BaselineEntry {
	e := model.BaselineEntry{BaselineInfo: info, State: model.BaselineProposed, Decision: r.o.Register.BaselineDecision(info.Digest, info.System, info.Model.Name)}
	if e.Decision != nil {
		e.State = e.Decision.State
	}
	return e
}

// maxListed bounds an answer.
const maxListed = 10_000

// List gives the baselines that match, the one declared last first; an empty
// state means any.
func (r *Registry) List(ctx context.Context, f model.BaselineFilter, state string) ([]model.BaselineEntry, error) {
	found, err := r.o.Store.Baselines(ctx, f, maxListed)
	if err != nil {
		return nil, err
	}
	out := []model.BaselineEntry{}
	for _, info := range found {
		if e := r.Entry(info); state == "" || e.State == state {
			out = append(out, e)
		}
	}
	return out, nil
}

// Show gives a baseline by its digest or the beginning of it, at least eight
// hexadecimal digits.
func (r *Registry) Show(ctx context.Context, digest string) (*model.BaselineRegistration, error) {
	full, err := r.find(ctx, digest)
	if err != nil {
		return nil, err
	}
	entries, err := r.List(ctx, model.BaselineFilter{Digest: full}, "")
	return &model.BaselineRegistration{Digest: full, Entries: entries, Decisions: r.o.Register.BaselineHistory(full)}, err
}

// minPrefix is the least of a digest that names it, in hexadecimal digits.
const minPrefix = 8

func (r *Registry) find(ctx context.Context, text string) (signal.Digest, error) {
	const op = "find a baseline"
	hex := strings.TrimPrefix(text, "sha256:")
	if len(hex) < minPrefix || len(hex) > 64 || strings.Trim(hex, "0123456789abcdef") != "" {
		return "", errs.E(op, errs.Invalid, fmt.Errorf("%.80q is no digest", text), "name it by sha256: and its digits, at least the first eight")
	}
	found, err := r.o.Store.Baselines(ctx, model.BaselineFilter{Prefix: "sha256:" + hex}, maxListed)
	if err != nil {
		return "", err
	}
	var digests []signal.Digest
	for _, info := range found {
		digests = append(digests, info.Digest)
	}
	slices.Sort(digests)
	switch digests = slices.Compact(digests); len(digests) {
	case 0:
		return "", errs.E(op, errs.NotFound, fmt.Errorf("none is called %s", text), "list them with: evenkeel baseline list")
	case 1:
		return digests[0], nil
	}
	return "", errs.E(op, errs.Invalid, fmt.Errorf("%d begin with %s", len(digests), text), "write more of its digits")
}

// Decide approves or withdraws a baseline, named by its digest or the beginning
// of it, for a model. System and model may be empty where the baseline was
// declared for one only.
func (r *Registry) Decide(ctx context.Context, digest string, d model.BaselineDecision) (model.BaselineDecision, error) {
	const op = "decide on a baseline"
	full, err := r.find(ctx, digest)
	if err != nil {
		return d, err
	}
	found, err := r.o.Store.Baselines(ctx, model.BaselineFilter{Digest: full, System: d.System, Model: d.Model}, maxListed)
	if err != nil {
		return d, err
	}
	type use struct {
		system signal.SystemID
		model  string
	}
	var uses []use
	for _, info := range found {
		if u := (use{info.System, info.Model.Name}); !slices.Contains(uses, u) {
			uses = append(uses, u)
		}
	}
	switch {
	case len(uses) == 0:
		return d, errs.E(op, errs.NotFound, fmt.Errorf("%s was not declared for that model and system", full), "evenkeel baseline show says for which")
	case len(uses) > 1:
		return d, errs.E(op, errs.Invalid, errors.New("it was declared for several models or systems"), "name the model and the system")
	}
	d.Digest, d.System, d.Model = full, uses[0].system, uses[0].model
	return r.o.Register.DecideBaseline(ctx, d)
}
