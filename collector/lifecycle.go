package collector

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
)

// lifecycle holds what has been opened and started. It is taken down last in,
// first out: what came later may use what came earlier until it is gone.
type lifecycle struct {
	log     *slog.Logger
	stops   []stop
	failure chan error // a stage that ended by itself
}

type stop struct {
	name string
	run  func() error
}

func newLifecycle(log *slog.Logger) *lifecycle {
	return &lifecycle{log: log, failure: make(chan error, 1)}
}

// opened notes how something is closed again.
func (l *lifecycle) opened(name string, closing func() error) {
	l.stops = append(l.stops, stop{name, closing})
}

// started runs a stage in a goroutine of its own until it is its turn to stop.
// A stage that ends before that, with an error or without, ends the collector.
func (l *lifecycle) started(name string, run func(ctx context.Context) error) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() {
		err := run(ctx)
		if ctx.Err() == nil {
			l.fail(name, err)
		}
		done <- err
	}()
	l.opened(name, func() error {
		cancel()
		if err := <-done; !errors.Is(err, context.Canceled) {
			return err
		}
		return nil
	})
}

func (l *lifecycle) fail(name string, err error) {
	if err == nil {
		err = errors.New("ended by itself")
	}
	select {
	case l.failure <- fmt.Errorf("%s: %w", name, err):
	default: // the first failure is the one to tell
	}
}

// wait returns when ctx ends, or with the error of the first stage that failed.
func (l *lifecycle) wait(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return nil
	case err := <-l.failure:
		return err
	}
}

// down takes everything down and gives what went wrong on the way.
func (l *lifecycle) down() error {
	var all []error
	for i := len(l.stops) - 1; i >= 0; i-- {
		s := l.stops[i]
		l.log.Debug("stopping", "part", s.name)
		if err := s.run(); err != nil {
			all = append(all, fmt.Errorf("stop %s: %w", s.name, err))
		}
	}
	l.stops = nil
	return errors.Join(all...)
}
