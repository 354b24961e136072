package demo

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/evenkeel/evenkeel/demo/narrate"
	"github.com/evenkeel/evenkeel/demo/ports"
	"github.com/evenkeel/evenkeel/internal/errs"
	"github.com/evenkeel/evenkeel/signal"
)

// judged are the rules that the story is about, of the groups in wanted.
var judged = []signal.RuleID{"DRF-01", "FAI-02"}

// approveCriteria makes the demo's limits requirements: only what was approved
// can be violated, everything else would open an observation.
func (r *run) approveCriteria(ctx context.Context) error {
	for _, id := range judged[:len(r.wanted())] {
		err := r.client.call(ctx, http.MethodPost, "/api/v1/criteria", map[string]any{
			"rule": id, "system": system, "by": "evenkeel demo",
			"basis": "the demo approves the criteria of the shipped pack for itself",
		}, nil)
		if err != nil {
			return fmt.Errorf("approve the criterion of %s: %w", id, err)
		}
		rule := r.rules.Rule(system, id)
		r.say.Say(narrate.Plain, "the demo approves its own criterion %s (%s): fail %s, each %s",
			id, rule.Title, rule.Fail.Phrase(), rule.Method.Window)
	}
	return nil
}

func (r *run) startStream(ctx context.Context) error {
	r.stream = newStream(r.scenario, &r.o, "http://"+ports.Addr(r.settings.Ports.Inference))
	r.stream.onTurn = func(text string) { r.say.Say(narrate.Notice, "%s", text) }
	r.stream.onError = func(err error) {
		r.log.Error("inference failed", "error", err)
		if r.stream.failures.Load() == 1 {
			r.say.Say(narrate.Alarm, "an inference request failed: %v", err)
		}
	}
	r.say.Begin()
	r.begun = time.Now()
	r.watcher = &watcher{client: r.client, say: r.say, rules: r.rules, slot: r.o.slot(), begun: r.begun, known: map[string]bool{}}
	ctx, cancel := context.WithCancel(ctx)
	r.streamEnd = make(chan struct{})
	go func() {
		defer close(r.streamEnd)
		r.stream.Run(ctx)
	}()
	r.onStop(func() error {
		cancel()
		<-r.streamEnd
		return nil
	})
	r.say.Say(narrate.Plain, "the stream begins: %d rows a second, windows of %s in the agent, judged every %s over all replicas",
		r.o.Rate, r.o.Window, r.o.slot())
	return nil
}

// wanted are the groups of the records that the scenario promises.
func (r *run) wanted() []string {
	if r.scenario.Outcome().Attribute == "" {
		return []string{groupDrift}
	}
	return []string{groupDrift, groupFairness}
}

// watch tells what happens until ctx ends, or with Once until all that was
// promised has happened.
func (r *run) watch(ctx context.Context) error {
	if r.stream == nil || ctx.Err() != nil {
		return nil // interrupted before anything began
	}
	ticker := time.NewTicker(pollEvery)
	defer ticker.Stop()
	streamEnd := r.streamEnd
	var idle time.Time // when the stream had ended and all its windows must be judged
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-r.collector.Done():
			return r.collector.Ended()
		case <-r.agent.Done():
			return r.agent.Ended()
		case <-streamEnd:
			streamEnd, idle = nil, time.Now().Add(3*r.o.slot())
			if ctx.Err() == nil {
				r.say.Say(narrate.Plain, "the data is at its end")
			}
		case <-ticker.C:
			if err := r.watcher.Poll(ctx); err != nil {
				r.log.Warn("the collector did not answer", "error", err)
			}
		}
		r.account.Records = r.watcher.Records
		if !r.done && r.complete() {
			r.done = true
			if r.o.Once {
				return nil
			}
			r.say.Say(narrate.Good, "that is the main job, from a request to an open nonconformity; it goes on until you press Ctrl-C.\n"+
				"See the records:  evenkeel nc list%s", r.serverFlag())
		}
		if err := r.overdue(idle); err != nil {
			return err
		}
	}
}

// serverFlag is what commands need to find this collector.
func (r *run) serverFlag() string {
	if r.settings.Ports == ports.Default() {
		return ""
	}
	return " --server http://" + ports.Addr(r.settings.Ports.API)
}

// complete says that a record of each wanted group is open, and that the
// webhook has told of it.
func (r *run) complete() bool {
	for _, group := range r.wanted() {
		done := false
		for _, record := range r.account.Records {
			done = done || record.Group == group && r.receiver.told("evenkeel.record.opened", record.ID)
		}
		if !done {
			return false
		}
	}
	return true
}

// overdue says why Once gives up.
func (r *run) overdue(idle time.Time) error {
	if !r.o.Once {
		return nil
	}
	why := ""
	if time.Since(r.begun) > r.o.Timeout {
		why = fmt.Sprintf("not within %s", r.o.Timeout)
	}
	if !idle.IsZero() && time.Now().After(idle) {
		why = "not by the end of the data"
	}
	if why == "" {
		return nil
	}
	return errs.E("wait for the first records", errs.Other,
		fmt.Errorf("%s; wanted a record of each of %v, opened and delivered, got %d", why, r.wanted(), len(r.account.Records)),
		"look into the logs with --keep")
}

// How long settle waits for what was acknowledged to be stored.
const (
	settleOnce      = 20 * time.Second
	settleInterrupt = 1500 * time.Millisecond
)

// settle compares the journal with the store. It runs when the agent has
// stopped and the collector has not, so nothing new comes in.
func (r *run) settle() error {
	if r.stream == nil {
		return nil
	}
	r.account.InferenceRequests, r.account.InferenceErrors = r.stream.requests.Load(), r.stream.failures.Load()
	r.account.Seconds = float64(time.Since(r.begun).Round(100*time.Millisecond)) / float64(time.Second)
	limit := settleInterrupt
	if r.o.Once {
		limit = settleOnce
	}
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	for {
		stored, err := r.client.storedWindows(ctx, r.begun.Add(-time.Minute), time.Now().Add(time.Minute))
		if err == nil {
			b := r.journal.Compare(stored)
			r.account.Acknowledged, r.account.Stored, r.account.Lost, r.account.Duplicated = b.Acknowledged, b.Stored, b.Lost, b.Duplicated
			if b.Lost == 0 {
				return nil
			}
		}
		select {
		case <-ctx.Done():
			if err != nil {
				return fmt.Errorf("ask the collector what it has stored: %w", err)
			}
			return nil // the account says what is lost
		case <-time.After(100 * time.Millisecond):
		}
	}
}

func (r *run) farewell(err error) {
	a := &r.account
	tone := narrate.Good
	if err != nil || a.Lost > 0 || a.Duplicated > 0 || a.InferenceErrors > 0 {
		tone = narrate.Alarm
	}
	if r.stream != nil {
		r.say.Say(tone, "%d inference requests, %d failed; %d window events acknowledged, %d stored, %d lost, %d twice; %d records opened",
			a.InferenceRequests, a.InferenceErrors, a.Acknowledged, a.Stored, a.Lost, a.Duplicated, len(a.Records))
	}
	r.say.Say(narrate.Plain, "everything has stopped; goodbye")
}
