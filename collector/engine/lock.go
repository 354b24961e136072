package engine

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"github.com/cenkalti/backoff/v5"

	"github.com/evenkeel/evenkeel/internal/errs"
)

// folderLock keeps a data folder for one parent and its engine.
//
// owner is held by the parent alone: somebody else holding it means that
// another collector runs on this folder. engine is held by parent and engine
// together, through one open file that the engine inherits: somebody else
// holding it, while owner is free, means that a parent was killed and its
// engine is still leaving, which is worth waiting for.
type folderLock struct {
	owner, engine *os.File
}

func lockFolder(ctx context.Context, dir string, wait time.Duration) (*folderLock, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, errs.E("open the engine's folder", errs.Invalid, err, "set data in the configuration to a folder that can be written")
	}
	owner, err := lockFile(filepath.Join(dir, "owner.lock"))
	if err != nil {
		return nil, inUse(dir, err, "stop the other collector, or set data in the configuration to another folder")
	}
	schedule := backoff.NewExponentialBackOff()
	schedule.InitialInterval, schedule.MaxInterval = 5*time.Millisecond, 200*time.Millisecond
	engine, err := backoff.Retry(ctx, func() (*os.File, error) {
		f, err := lockFile(filepath.Join(dir, "engine.lock"))
		if err != nil && !errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, backoff.Permanent(err)
		}
		return f, err
	}, backoff.WithBackOff(schedule), backoff.WithMaxElapsedTime(wait))
	if err != nil {
		_ = owner.Close()
		return nil, inUse(dir, err, fmt.Sprintf("the engine of a collector that was killed did not let go within %v: end the process %s", wait, childArg))
	}
	return &folderLock{owner: owner, engine: engine}, nil
}

func inUse(dir string, err error, cure string) error {
	if !errors.Is(err, syscall.EWOULDBLOCK) {
		return errs.E("lock the engine's folder", errs.Invalid, err, "set data in the configuration to a folder that can be written")
	}
	return errs.E("lock the engine's folder", errs.Conflict, fmt.Errorf("%s is in use", dir), cure)
}

// lockFile opens the file and takes its lock without waiting.
func lockFile(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		_ = f.Close()
		return nil, fmt.Errorf("lock %s: %w", path, err)
	}
	return f, nil
}

// release gives both locks back; the engine has ended by then.
func (l *folderLock) release() {
	_ = l.engine.Close()
	_ = l.owner.Close()
}
