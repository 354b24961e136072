package agent

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"

	"github.com/evenkeel/evenkeel/internal/canonical"
	"github.com/evenkeel/evenkeel/internal/config"
	"github.com/evenkeel/evenkeel/internal/errs"
	"github.com/evenkeel/evenkeel/internal/wholefile"
	"github.com/evenkeel/evenkeel/signal"
)

// origin says where a model's baseline comes from.
type origin string

const (
	originNone      origin = "none"
	originFile      origin = "file"
	originCollector origin = "collector" // fetched by its digest
	originAwaited   origin = "awaited"   // named by its digest and not fetched yet
	originLearned   origin = "learned"
	originLearning  origin = "learning"
)

// baselineKeeper keeps, in the state folder, the baselines that are no files of
// the user: those that were fetched, and those that were learnt. A nil one has
// none.
type baselineKeeper struct {
	folder string
	log    *slog.Logger
}

const baselinesFolder = "baselines"

func newBaselineKeeper(folder string, log *slog.Logger) (*baselineKeeper, error) {
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return nil, errs.E("keep baselines", errs.Denied, err, "the state folder must be writable")
	}
	return &baselineKeeper{folder, log}, nil
}

// fetched gives the baseline of a digest; nil where it was not fetched, or the
// file is damaged.
func (k *baselineKeeper) fetched(digest signal.Digest) *signal.Baseline {
	if k == nil {
		return nil
	}
	b := k.read(k.fetchedPath(digest))
	if b == nil {
		return nil
	}
	if d, err := b.Digest(); err != nil || d != digest {
		k.log.Warn("a kept baseline is not what its digest says; it is fetched again", "digest", digest.Short(), "error", err)
		return nil
	}
	return b
}

// learned gives the baseline that was learnt of a model; nil where there is none,
// or it no longer fits what the configuration says.
func (k *baselineKeeper) learned(m *monitored) *signal.Baseline {
	if k == nil {
		return nil
	}
	b := k.read(k.learnedPath(m.Name))
	if b == nil {
		return nil
	}
	trial := *m
	trial.baseline = b
	faults := config.NewFaults("the learnt baseline")
	trial.takeOutcome(faults.At("outcome"))
	trial.fits(faults)
	if err := faults.Err(); err != nil {
		k.log.Warn("the baseline that was learnt does not fit the configuration any more; another one is learnt", "model", m.Name, "error", err)
		return nil
	}
	return b
}

func (k *baselineKeeper) read(path string) *signal.Baseline {
	raw, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	var b *signal.Baseline
	if err == nil {
		b, err = signal.ParseBaseline(raw)
	}
	if err != nil {
		k.log.Warn("a kept baseline cannot be read", "file", path, "error", err)
		return nil
	}
	return b
}

// keep writes a baseline, whole or not at all.
func (k *baselineKeeper) keep(path string, b *signal.Baseline) error {
	raw, err := canonical.JSON(b)
	if err == nil {
		err = wholefile.Replace(path, raw)
	}
	if err != nil {
		return errs.E("keep a baseline", errs.Denied, err, "the state folder must be writable")
	}
	return nil
}

func (k *baselineKeeper) fetchedPath(d signal.Digest) string {
	return filepath.Join(k.folder, "fetched-"+canonical.Sum([]byte(d))[len("sha256:"):]+".json")
}

// learnedPath does not let a model's name choose the file.
func (k *baselineKeeper) learnedPath(model string) string {
	return filepath.Join(k.folder, fmt.Sprintf("learned-%s.json", canonical.Sum([]byte(model))[len("sha256:"):]))
}
