package main

import (
	"context"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"path/filepath"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/evenkeel/evenkeel/collector"
	"github.com/evenkeel/evenkeel/collector/engine"
	"github.com/evenkeel/evenkeel/internal/scripttest"
	"github.com/evenkeel/evenkeel/internal/shareddata"
)

var update = flag.Bool("update", false, "write what the scripts expect again")

func TestMain(m *testing.M) {
	engine.RunIfChild()
	testscript.Main(m, map[string]func(){"evenkeel": main, "collector": runCollector, "curl": curl})
}

// runCollector is the collector for scripts, with the file that is named first
// as its configuration, until it is interrupted.
func runCollector() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	c, err := collector.LoadConfig(os.Args[1])
	if err == nil {
		err = collector.Run(ctx, c, slog.New(slog.NewTextHandler(os.Stderr, nil)))
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func TestScripts(t *testing.T) {
	commands := scripttest.Commands()
	commands["parquet"] = writeParquet
	commands["service"] = writeService
	commands["guide"] = runGuide
	library, err := engine.DefaultLibrary()
	if err != nil {
		t.Fatal(err)
	}
	guides, err := filepath.Abs("../../docs/guide")
	if err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script", UpdateScripts: *update, Cmds: commands,
		Setup: func(env *testscript.Env) error {
			env.Setenv("LIBRARY", library) // scripts have a home of their own
			env.Setenv("GUIDES", guides)
			return nil
		},
	})
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
