package deployments

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/evenkeel/evenkeel/collector/model"
	"github.com/evenkeel/evenkeel/internal/errs"
	"github.com/evenkeel/evenkeel/signal"
)

// Store is what the registry asks of the store.
type Store interface {
	model.Writer
	model.DeploymentReader
}

// Register keeps decisions (collector/register).
type Register interface {
	ApproveDeployment(ctx context.Context, d model.Deployment) (model.Deployment, error)
	WithdrawDeployment(ctx context.Context, id string, by model.Actor, basis string) (model.Deployment, error)
	Deployments(f model.DeploymentFilter) []model.DeploymentHistory
	BaselineDecision(digest signal.Digest, system signal.SystemID, name string) *model.BaselineDecision
}

// Options say how a registry works; Store and Register are needed.
type Options struct {
	Store    Store
	Register Register
	Every    time.Duration    // how often the gauges are written; 0 means 1 minute
	Service  time.Duration    // windows that ended so long ago say what is in service; 0 means 10 minutes
	Changes  time.Duration    // for so long a change is told; 0 means 1 hour
	Clock    func() time.Time // nil means time.Now
	Log      *slog.Logger     // nil discards
}

// Registry is the register of deployments. It is safe for concurrent use.
type Registry struct {
	o Options
}

// New gives a registry; Run writes its gauges.
func New(o Options) *Registry {
	if o.Every == 0 {
		o.Every = time.Minute
	}
	if o.Service == 0 {
		o.Service = 10 * time.Minute
	}
	if o.Changes == 0 {
		o.Changes = time.Hour
	}
	if o.Clock == nil {
		o.Clock = time.Now
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return &Registry{o}
}

// maxText bounds a name, a version and a digest, in bytes.
const maxText = 1024

// Approve notes what may be in service. Its parts are those that a digest names.
func (r *Registry) Approve(ctx context.Context, d model.Deployment) (model.Deployment, error) {
	for _, text := range slices.Concat([]string{string(d.System), d.Model, d.Version}, slices.Collect(maps.Values(d.Digests))) {
		if len(text) > maxText {
			return d, errs.E("approve a deployment", errs.Invalid, fmt.Errorf("%.40q… is longer than %d bytes", text, maxText), "")
		}
	}
	for part, digest := range d.Digests {
		var p signal.LineagePart
		if err := p.UnmarshalText([]byte(part)); err != nil || p == signal.PartRun || digest == "" {
			return d, errs.E("approve a deployment", errs.Invalid, fmt.Errorf("digests: %q is %q", part, digest), "name model, index, prompt or transform, each with its digest")
		}
	}
	d.Model = plain(d.Model)
	return r.o.Register.ApproveDeployment(ctx, d)
}

// Withdraw takes an approval back.
func (r *Registry) Withdraw(ctx context.Context, id string, by model.Actor, basis string) (model.Deployment, error) {
	return r.o.Register.WithdrawDeployment(ctx, id, by, basis)
}

// List gives the deployments that match, with all that was decided.
func (r *Registry) List(f model.DeploymentFilter) []model.DeploymentHistory {
	return r.o.Register.Deployments(f)
}

// plain is a model's name without stage and route: an approval is about the
// model, wherever it stands.
func plain(name string) string {
	name, _, _ = strings.Cut(name, ";")
	return name
}

// approvals are the parts that may be in service.
type approvals map[approvalKey]bool

type approvalKey struct {
	system      signal.SystemID
	model, part string
	value       string
}

// partVersion is the part that a version is.
const partVersion = string(signal.ChangeVersion)

func (r *Registry) approvals() approvals {
	out := approvals{}
	for _, d := range r.o.Register.Deployments(model.DeploymentFilter{State: model.DeploymentApproved}) {
		if d.Version != "" {
			out[approvalKey{d.System, d.Model, partVersion, d.Version}] = true
		}
		for part, digest := range d.Digests {
			out[approvalKey{d.System, d.Model, part, digest}] = true
		}
	}
	return out
}

func (a approvals) has(system signal.SystemID, name, part, value string) bool {
	return a[approvalKey{system, plain(name), part, value}]
}
