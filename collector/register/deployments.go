package register

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/google/uuid"

	"github.com/evenkeel/evenkeel/collector/model"
	"github.com/evenkeel/evenkeel/internal/errs"
)

// The events about deployments. Each chain is about one deployment.
const (
	EventDeploymentApproved  = "deployment_approved"
	EventDeploymentWithdrawn = "deployment_withdrawn"
)

// aboutDeployment says that an event belongs to a deployment.
func aboutDeployment(event string) bool {
	return event == EventDeploymentApproved || event == EventDeploymentWithdrawn
}

// deploymentChain is all that was decided about a deployment; the last decision
// holds.
type deploymentChain struct {
	decisions []model.Deployment
	head      model.RegisterEvent
}

func (c *deploymentChain) last() model.Deployment { return c.decisions[len(c.decisions)-1] }

// ApproveDeployment notes that a person approves what may be in service. The same
// system, model, version and digests again are the same deployment: the new
// person and basis hold from then on.
func (r *Register) ApproveDeployment(ctx context.Context, d model.Deployment) (model.Deployment, error) {
	op := fmt.Sprintf("approve a deployment of %s", d.Model)
	d.Basis = strings.TrimSpace(d.Basis)
	if err := checkDeployment(&d); err != nil {
		return d, errs.E(op, errs.Invalid, err, "say who approves what, and on what it rests")
	}
	digests, err := json.Marshal(d.Digests) // keys are sorted
	if err != nil {
		return d, errs.E(op, errs.Invalid, err, "")
	}
	d.ID = derivedID("deployment", r.opts.Tenant, string(d.System), d.Model, d.Version, string(digests))
	d.State = model.DeploymentApproved
	return r.decideDeployment(ctx, d, EventDeploymentApproved)
}

// WithdrawDeployment notes that a person takes an approval back. Withdrawing
// twice is errs.Conflict, and what nobody approved errs.NotFound.
func (r *Register) WithdrawDeployment(ctx context.Context, id string, by model.Actor, basis string) (model.Deployment, error) {
	const op = "withdraw a deployment"
	r.mu.RLock()
	chain := r.deployments[id]
	var d model.Deployment
	if chain != nil {
		d = chain.last()
	}
	r.mu.RUnlock()
	if chain == nil {
		return d, errs.E(op, errs.NotFound, fmt.Errorf("none has the id %.80q", id), "list them with: evenkeel deploy list")
	}
	d.By, d.Basis, d.State = by, strings.TrimSpace(basis), model.DeploymentWithdrawn
	if err := checkDeployment(&d); err != nil {
		return d, errs.E(op, errs.Invalid, err, "say who withdraws it, and why")
	}
	return r.decideDeployment(ctx, d, EventDeploymentWithdrawn)
}

// decideDeployment appends a decision to its chain.
func (r *Register) decideDeployment(ctx context.Context, d model.Deployment, event string) (model.Deployment, error) {
	r.writing.Lock()
	defer r.writing.Unlock()
	if err := r.newest(ctx); err != nil {
		return d, err
	}
	var head *model.RegisterEvent
	r.mu.RLock()
	chain := r.deployments[d.ID]
	if chain != nil {
		last := chain.head
		head = &last
	}
	again := chain != nil && chain.last().State == model.DeploymentWithdrawn && d.State == model.DeploymentWithdrawn
	r.mu.RUnlock()
	if again {
		return d, errs.E("withdraw a deployment", errs.Conflict, fmt.Errorf("%s has been withdrawn", d.ID), "")
	}
	at := r.opts.Clock()
	d.At = at.UTC()
	ev, err := newEvent(d.ID, uuid.NewString(), event, at, d.By, d, head)
	if err != nil {
		return d, err
	}
	return d, r.append(ctx, ev)
}

func checkDeployment(d *model.Deployment) error {
	switch {
	case d.System == "" || d.Model == "":
		return fmt.Errorf("system and model must be named")
	case d.Version == "" && len(d.Digests) == 0:
		return fmt.Errorf("it names neither a version nor a digest")
	case d.By.ID == "" || d.By.Kind != "person":
		return fmt.Errorf("a person decides")
	case d.Basis == "":
		return fmt.Errorf("no basis is given")
	}
	return nil
}

// foldDeployment takes a decision in. Holds mu.
func (r *Register) foldDeployment(ev model.RegisterEvent) error {
	var d model.Deployment
	if err := json.Unmarshal(ev.Data, &d); err != nil {
		return fmt.Errorf("decision %d of %s: %w", ev.Seq, ev.Record, err)
	}
	chain := r.deployments[d.ID]
	if chain == nil {
		chain = &deploymentChain{}
		r.deployments[d.ID] = chain
	}
	chain.decisions, chain.head = append(chain.decisions, d), ev
	return nil
}

// Deployments gives those that match with their history, the newest decision
// first.
func (r *Register) Deployments(f model.DeploymentFilter) []model.DeploymentHistory {
	r.mu.RLock()
	defer r.mu.RUnlock()
	out := []model.DeploymentHistory{}
	for _, chain := range r.deployments {
		d := chain.last()
		if (f.System == "" || f.System == d.System) && (f.Model == "" || f.Model == d.Model) && (f.State == "" || f.State == d.State) {
			out = append(out, model.DeploymentHistory{Deployment: d, Decisions: slices.Clone(chain.decisions)})
		}
	}
	slices.SortFunc(out, func(a, b model.DeploymentHistory) int { return cmp.Or(b.At.Compare(a.At), strings.Compare(a.ID, b.ID)) })
	return out
}
