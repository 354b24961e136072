package collector

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/evenkeel/evenkeel/collector/spool"
	"github.com/evenkeel/evenkeel/internal/config"
	"github.com/evenkeel/evenkeel/internal/errs"
	"github.com/evenkeel/evenkeel/internal/listen"
)

// How a part that the doctor looked at stands.
const (
	healthy = "ok"
	warned  = "warn"
	failed  = "fail"
)

// finding is one line of the doctor's report.
type finding struct {
	part, state, found, cure string
}

// doctor looks at one part after the other.
type doctor struct {
	config   Config
	log      *slog.Logger
	findings []finding
	running  bool // a collector holds the data folder
}

// Doctor looks at everything that a collector needs and writes what it found and
// what cures it, a line for each part. It returns an error if something is
// wrong. The path is that of the configuration; empty: the defaults.
func Doctor(ctx context.Context, path string, out io.Writer, log *slog.Logger) error {
	d := &doctor{log: log}
	if d.readConfig(path) {
		d.readRules()
		d.lookAtData()
		d.lookAtSpool()
		d.lookAtDisk()
		d.lookAtListeners(ctx)
		d.lookAtStore(ctx)
	}
	for _, f := range d.findings {
		line := fmt.Sprintf("%-7s %-5s %s", f.part, f.state, f.found)
		if f.cure != "" {
			line += "; " + f.cure
		}
		if _, err := fmt.Fprintln(out, line); err != nil {
			return fmt.Errorf("write the report: %w", err)
		}
	}
	wrong := 0
	for _, f := range d.findings {
		if f.state == failed {
			wrong++
		}
	}
	if wrong > 0 {
		return errs.E("doctor", errs.Other, fmt.Errorf("%d of %d parts are not well", wrong, len(d.findings)), "")
	}
	return nil
}

func (d *doctor) add(part, state, cure, format string, args ...any) {
	d.findings = append(d.findings, finding{part, state, strings.ReplaceAll(fmt.Sprintf(format, args...), "\n", "\n              "), cure})
}

// fail notes an error, whose text holds its cure.
func (d *doctor) fail(part string, err error) { d.add(part, failed, "", "%v", err) }

func (d *doctor) readConfig(path string) bool {
	var err error
	if d.config, err = LoadConfig(path); err != nil {
		d.fail("config", err)
		return false
	}
	if path == "" {
		path = "the defaults, since no --config is given"
	}
	d.add("config", healthy, "", "%s", path)
	return true
}

func (d *doctor) readRules() {
	set, err := LoadRules(d.config.Rules)
	if err != nil {
		d.fail("rules", err)
		return
	}
	d.add("rules", healthy, "", "%d rules", len(set.For("")))
}

// lookAtData tries what the collector does in its folder.
func (d *doctor) lookAtData() {
	const cure = "make it a folder that this user may write, or set data to another one"
	if err := os.MkdirAll(d.config.Data, 0o700); err != nil {
		d.add("data", failed, cure, "%v", err)
		return
	}
	took, err := timeSync(d.config.Data)
	if err != nil {
		d.add("data", failed, cure, "%v", err)
		return
	}
	info, err := os.Stat(d.config.Data)
	switch {
	case err != nil:
		d.add("data", failed, cure, "%v", err)
	case info.Mode().Perm()&0o077 != 0:
		d.add("data", warned, "chmod 700 "+d.config.Data, "%s: others on this machine may look into it (%s)", d.config.Data, info.Mode().Perm())
	case took > 50*time.Millisecond:
		d.add("data", warned, "every acknowledgement waits for one; use a faster disk", "%s: a sync takes %s", d.config.Data, took.Round(time.Millisecond))
	default:
		d.add("data", healthy, "", "%s: can be written; a sync takes %s", d.config.Data, took.Round(10*time.Microsecond))
	}
}

// timeSync writes and syncs a small file a few times and gives the median.
func timeSync(folder string) (median time.Duration, err error) {
	file, err := os.CreateTemp(folder, "doctor-*")
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, file.Close(), os.Remove(file.Name())) }()
	var took []time.Duration
	for range 5 {
		started := time.Now()
		if _, err = file.Write(make([]byte, 4<<10)); err == nil {
			err = file.Sync()
		}
		if err != nil {
			return 0, err
		}
		took = append(took, time.Since(started))
	}
	slices.Sort(took)
	return took[len(took)/2], nil
}

func (d *doctor) lookAtSpool() {
	folder := filepath.Join(d.config.Data, "spool")
	e, err := spool.Examine(folder)
	d.running = e.InUse
	switch {
	case err != nil:
		d.fail("spool", err)
	case e.Full:
		d.add("spool", warned, "free disk space under "+d.config.Data+" if it is full; the next entry tries again", "its ballast is gone: the disk was full, or an earlier version wrote it")
	case e.Damaged+e.Quarantined > 0:
		d.add("spool", warned, "look at "+filepath.Join(folder, "quarantine")+", and move away what you have seen",
			"%d damaged pieces and %d batches that the store refused were put aside", e.Damaged, e.Quarantined)
	default:
		d.add("spool", healthy, "", "%d bytes in its files, nothing put aside", e.Bytes)
	}
}

// lookAtDisk compares what is free with what the spool may still take.
func (d *doctor) lookAtDisk() {
	var fs syscall.Statfs_t
	if err := syscall.Statfs(d.config.Data, &fs); err != nil {
		d.fail("disk", fmt.Errorf("%s: %w", d.config.Data, err))
		return
	}
	e, _ := spool.Examine(filepath.Join(d.config.Data, "spool")) // its error was told
	free := int64(fs.Bavail) * fs.Bsize
	needed := max(0, int64(d.config.Spool.Max)-e.Bytes)
	room := config.Bytes(free &^ (1<<20 - 1))
	switch {
	case free < 64<<20:
		d.add("disk", failed, "free disk space under "+d.config.Data, "%s are free", room)
	case free < needed:
		d.add("disk", warned, "free disk space, or lower spool.max", "%s are free, but the spool may take %s more", room, config.Bytes(needed))
	default:
		d.add("disk", healthy, "", "%s are free", room)
	}
}

func (d *doctor) lookAtListeners(ctx context.Context) {
	for _, addr := range []string{d.config.OTLP.GRPC.Listen, d.config.OTLP.HTTP.Listen, d.config.API.Listen} {
		l, err := listen.TCP(ctx, addr)
		switch {
		case err == nil:
			_ = l.Close()
		case errs.KindOf(err) == errs.Conflict && d.running: // most likely by it
			d.add("listen", healthy, "", "%s is in use, and a collector runs on the data folder", addr)
			return
		default:
			d.fail("listen", err)
			return
		}
	}
	d.add("listen", healthy, "", "all three addresses are free")
}
