package agent

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/gofrs/flock"
	"github.com/google/uuid"

	"github.com/evenkeel/evenkeel/internal/errs"
	"github.com/evenkeel/evenkeel/internal/wholefile"
	"github.com/evenkeel/evenkeel/signal"
)

// state is the agent's folder: who it is, which windows it has numbered, which
// rows of small groups it holds back, and what waits for the collector. One agent
// at a time has it.
type state struct {
	folder string
	lock   *flock.Flock
}

// Files and folders in the state folder.
const (
	lockFile      = "lock"
	instanceFile  = "instance"
	sequencesFile = "windows.json"
	carriesFile   = "held.json"
	spoolFolder   = "spool"
)

// openState makes the folder if it is not there, and locks it.
func openState(folder string) (*state, error) {
	const op = "open the agent's state"
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return nil, errs.E(op, errs.Denied, err, "set state to a folder that the agent's user may write")
	}
	s := &state{folder: folder, lock: flock.New(filepath.Join(folder, lockFile))}
	locked, err := s.lock.TryLock()
	if err != nil {
		return nil, errs.E(op, errs.Denied, err, "set state to a folder that the agent's user may write")
	}
	if !locked {
		return nil, errs.E(op, errs.Conflict, fmt.Errorf("another agent uses %s", folder),
			"stop it, or give this agent a state folder of its own")
	}
	return s, nil
}

// instance gives the configured id, or the one that was made at the first
// start. It must outlive restarts: windows are numbered under it.
func (s *state) instance(configured signal.InstanceID) (signal.InstanceID, error) {
	if configured != "" {
		return configured, nil
	}
	path := s.path(instanceFile)
	raw, err := os.ReadFile(path)
	if err == nil {
		id := strings.TrimSpace(string(raw))
		if _, err := uuid.Parse(id); err != nil {
			return "", errs.E("read "+path, errs.Corrupt, err, "restore it, or remove the state folder to begin as a new instance")
		}
		return signal.InstanceID(id), nil
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return "", errs.E("read the instance id", errs.Denied, err, "")
	}
	id := uuid.NewString()
	if err := wholefile.Replace(path, []byte(id+"\n")); err != nil {
		return "", errs.E("keep the instance id", errs.Denied, err, "the state folder must be writable")
	}
	return signal.InstanceID(id), nil
}

func (s *state) path(name string) string { return filepath.Join(s.folder, name) }

// Close lets the folder go. It is idempotent.
func (s *state) Close() error { return s.lock.Close() }
