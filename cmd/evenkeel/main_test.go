package main

import (
	"flag"
	"path/filepath"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/evenkeel/evenkeel/internal/scripttest"
	"github.com/evenkeel/evenkeel/internal/shareddata"
)

var update = flag.Bool("update", false, "write what the scripts expect again")

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"evenkeel": main})
}

func TestScripts(t *testing.T) {
	commands := scripttest.Commands()
	commands["parquet"] = writeParquet
	testscript.Run(t, testscript.Params{Dir: "testdata/script", UpdateScripts: *update, Cmds: commands})
}

// TestScriptsOnSharedData runs the scripts that want the real data files.
func TestScriptsOnSharedData(t *testing.T) {
	folder := filepath.Dir(shareddata.Path(t, "elec2.csv"))
	testscript.Run(t, testscript.Params{
		Dir:           "testdata/shared",
		UpdateScripts: *update,
		Setup: func(env *testscript.Env) error {
			env.Setenv("DATA", folder)
			return nil
		},
	})
}
