package children

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/evenkeel/evenkeel/internal/errs"
)

// Programs are the files that the demo runs.
type Programs struct {
	Collector, Agent, Webhook string
}

// FindPrograms looks for them in dir, where make build puts them all.
func FindPrograms(dir string) (Programs, error) {
	p := Programs{
		Collector: filepath.Join(dir, "evenkeel-collector"),
		Agent:     filepath.Join(dir, "evenkeel-agent"),
		Webhook:   filepath.Join(dir, "plugins", "evenkeel-plugin-webhook"),
	}
	for _, path := range []string{p.Collector, p.Agent, p.Webhook} {
		info, err := os.Stat(path)
		if err == nil && (info.IsDir() || info.Mode()&0o111 == 0) {
			err = fmt.Errorf("%s is not a program", path)
		}
		if err != nil {
			return Programs{}, errs.E("find the demo's programs", errs.NotFound, err, "build them with: make build")
		}
	}
	return p, nil
}

// BesideExecutable is FindPrograms in the folder of the running program.
func BesideExecutable() (Programs, error) {
	self, err := os.Executable()
	if err == nil {
		self, err = filepath.EvalSymlinks(self)
	}
	if err != nil {
		return Programs{}, fmt.Errorf("find the running program: %w", err)
	}
	return FindPrograms(filepath.Dir(self))
}
