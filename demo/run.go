package demo

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/evenkeel/evenkeel/demo/children"
	"github.com/evenkeel/evenkeel/demo/journal"
	"github.com/evenkeel/evenkeel/demo/modelserver"
	"github.com/evenkeel/evenkeel/demo/narrate"
	"github.com/evenkeel/evenkeel/demo/ports"
	"github.com/evenkeel/evenkeel/internal/config"
	"github.com/evenkeel/evenkeel/internal/errs"
	"github.com/evenkeel/evenkeel/rules"
)

// system is the demo's AI system in the register.
const system = "loan-approval"

// run is one demo from start to end.
type run struct {
	o        Options
	say      *narrate.Narrator
	log      *slog.Logger // of what lives in the demo's process; goes to a file of the run's folder
	scenario Scenario
	settings settings
	rules    *rules.Set

	receiver  *receiver
	journal   *journal.Journal
	client    *collectorClient
	collector *children.Child
	agent     *children.Child
	stream    *stream
	streamEnd chan struct{} // closed when the stream has ended
	begun     time.Time     // of the stream
	watcher   *watcher
	account   Account
	done      bool // the scenario has kept its promise

	undo []func() error // what to stop, in reverse order
}

// Run runs the demo until ctx ends or, with Once, until the records that the
// scenario promises are open. Everything that it started has ended when it
// returns, and its folder is gone unless it was to be kept. The account holds
// as far as the run came.
func Run(ctx context.Context, o Options) (*Account, error) {
	if err := o.Validate(); err != nil {
		return nil, err
	}
	r := &run{o: o, say: narrate.New(o.Out, o.Colour, time.Now), account: Account{Records: []Record{}}}
	err := r.start(ctx)
	if err == nil {
		err = r.watch(ctx)
	}
	if err == nil && o.Once && !r.done {
		err = errs.E("wait for the first records", errs.Other, errors.New("interrupted before they were open"), "")
	}
	err = errors.Join(err, r.stop())
	r.farewell(err)
	return &r.account, err
}

// start brings everything up, in this order.
func (r *run) start(ctx context.Context) error {
	for _, stage := range []func(context.Context) error{
		r.chooseScenario,
		r.choosePorts,
		r.makeFolder,
		r.startModelServer,
		r.startReceiver,
		r.startJournal,
		r.writeFiles,
		r.startCollector,
		r.approveCriteria,
		r.startAgent,
		r.startStream,
	} {
		err := stage(ctx)
		if ctx.Err() != nil {
			return nil // interrupted while starting: not a failure of the stage
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// stop undoes what start did, last first, and reports everything that did not
// end as it should.
func (r *run) stop() error {
	var faults []error
	for i := len(r.undo) - 1; i >= 0; i-- {
		faults = append(faults, r.undo[i]())
	}
	r.undo = nil
	return errors.Join(faults...)
}

func (r *run) onStop(f func() error) { r.undo = append(r.undo, f) }

func (r *run) chooseScenario(context.Context) (err error) {
	r.scenario = newLoanStory(r.o.Seed)
	if r.o.Data != nil {
		if r.scenario, err = newFileStory(r.o.Data); err != nil {
			return err
		}
	}
	r.say.Say(narrate.Plain, "%s", r.scenario.Title())
	return nil
}

func (r *run) choosePorts(context.Context) (err error) {
	r.settings.Ports = r.o.Ports
	if r.o.FreePorts {
		r.settings.Ports, err = ports.Free()
		return err
	}
	return r.settings.Ports.Check()
}

func (r *run) makeFolder(context.Context) error {
	folder, err := newFolder(r.o.Folder)
	if err != nil {
		return err
	}
	r.settings.Folder = folder
	r.onStop(func() error {
		if r.o.Keep {
			r.say.Say(narrate.Plain, "kept: %s", folder)
			return nil
		}
		return os.RemoveAll(folder)
	})
	log, err := os.OpenFile(r.path("demo.log"), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return fmt.Errorf("open the demo's log: %w", err)
	}
	r.onStop(log.Close)
	r.log = slog.New(slog.NewTextHandler(log, nil))
	return nil
}

func (r *run) startModelServer(context.Context) error {
	m := r.scenario.Model()
	s, err := startLocal("model server", modelserver.Handler(m, r.log))
	if err != nil {
		return err
	}
	r.onStop(s.Stop)
	r.settings.Upstream, r.settings.Model, r.settings.System = s.URL, m.Describe().Name, system
	return nil
}

func (r *run) startReceiver(context.Context) error {
	r.receiver = newReceiver(func(d delivery) {
		r.say.Say(narrate.Good, "webhook received: %s of %s", d.Type, d.Subject)
	})
	s, err := startLocal("webhook receiver", r.receiver)
	if err != nil {
		return err
	}
	r.onStop(s.Stop)
	r.settings.Webhook = s.URL
	return nil
}

// startJournal puts the recording proxy before the collector's OTLP port,
// which will listen later: until then senders are told to come again.
func (r *run) startJournal(context.Context) error {
	r.journal = journal.New()
	proxy, err := journal.NewProxy("http://"+ports.Addr(r.settings.Ports.HTTP), r.journal, r.log)
	if err != nil {
		return err
	}
	s, err := startLocal("journal", proxy)
	if err != nil {
		return err
	}
	r.onStop(func() error {
		proxy.Close()
		return s.Stop()
	})
	r.settings.Export = s.URL
	return nil
}

func (r *run) writeFiles(context.Context) error {
	baseline, err := r.scenario.Baseline()
	if err != nil {
		return err
	}
	digest, err := baseline.Digest()
	if err != nil {
		return fmt.Errorf("digest of the baseline: %w", err)
	}
	r.settings.Engine, r.settings.Outcome = r.o.Engine, r.scenario.Outcome()
	r.settings.Window, r.settings.Slot = config.Duration(r.o.Window), config.Duration(r.o.slot())
	r.settings.Grace, r.settings.MinSamples = config.Duration(r.o.Window), r.o.minSamples()
	if err := r.settings.writeFiles(baseline); err != nil {
		return err
	}
	r.rules, err = rules.Load(rules.Options{Overrides: r.path("overrides.yaml")})
	if err != nil {
		return err
	}
	r.say.Say(narrate.Plain, "baseline %s: %d rows, %d columns", digest.Short(), baseline.Rows, len(baseline.Features))
	return nil
}

func (r *run) path(name string) string { return filepath.Join(r.settings.Folder, name) }
