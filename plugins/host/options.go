package host

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/evenkeel/evenkeel/internal/errs"
)

// Options say which plugin to run and how.
type Options struct {
	Name string // as configured; names the sink in deliveries
	// Path of the program; empty means the shipped plugin of that name, in
	// the folder plugins/ beside our own program.
	Path string
	// SHA256 of the program in hexadecimal. Required unless it is shipped
	// beside our own program, which is trusted as much as we are.
	SHA256 string
	Config json.RawMessage // handed to Validate; empty means {}
	Log    *slog.Logger    // nil discards

	StartTimeout time.Duration // until the first call is answered; 0 means 20 s
	CallTimeout  time.Duration // of every later call; 0 means 30 s
	StopTimeout  time.Duration // until a stop gives up waiting; 0 means 5 s
	// RestartMin and RestartMax bound the pause before a restart; 0 means
	// 500 ms and 1 minute.
	RestartMin, RestartMax time.Duration
}

// binaryPrefix begins the file name of every shipped plugin.
const binaryPrefix = "evenkeel-plugin-"

func (o *Options) fill() error {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	o.Log = o.Log.With("plugin", o.Name)
	if len(o.Config) == 0 {
		o.Config = json.RawMessage("{}")
	}
	for _, d := range []struct {
		value *time.Duration
		zero  time.Duration
	}{
		{&o.StartTimeout, 20 * time.Second},
		{&o.CallTimeout, 30 * time.Second},
		{&o.StopTimeout, 5 * time.Second},
		{&o.RestartMin, 500 * time.Millisecond},
		{&o.RestartMax, time.Minute},
	} {
		if *d.value == 0 {
			*d.value = d.zero
		}
	}
	return o.resolve()
}

// resolve finds the program and insists on a checksum for what is not ours.
func (o *Options) resolve() error {
	op := "plugin " + o.Name
	folder, err := shippedFolder()
	if err != nil {
		return errs.E(op, errs.Other, err, "")
	}
	if o.Path == "" {
		o.Path = filepath.Join(folder, binaryPrefix+o.Name)
	}
	if o.Path, err = filepath.Abs(o.Path); err != nil {
		return errs.E(op, errs.Invalid, err, "")
	}
	sum, err := checksum(o.Path)
	if err != nil {
		return errs.E(op, errs.NotFound, err, "build it with make, or set path")
	}
	if o.SHA256 == "" {
		if filepath.Dir(o.Path) != folder {
			return errs.E(op, errs.Denied, fmt.Errorf("%s is not shipped with evenkeel and has no checksum", o.Path),
				"if you trust it, set sha256: "+sum)
		}
		o.SHA256 = sum // what runs after a restart is what ran first
	}
	if o.SHA256 != sum {
		return errs.E(op, errs.Denied, fmt.Errorf("%s has sha256 %s, the configuration says %s", o.Path, sum, o.SHA256),
			"find out who changed the program before changing the configuration")
	}
	return nil
}

func shippedFolder() (string, error) {
	self, err := os.Executable()
	if err != nil {
		return "", fmt.Errorf("find our own program: %w", err)
	}
	if self, err = filepath.EvalSymlinks(self); err != nil {
		return "", fmt.Errorf("find our own program: %w", err)
	}
	return filepath.Join(filepath.Dir(self), "plugins"), nil
}

func checksum(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer func() { _ = f.Close() }()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", fmt.Errorf("read %s: %w", path, err)
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}
