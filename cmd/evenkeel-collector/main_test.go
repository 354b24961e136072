package main

import (
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/evenkeel/evenkeel/collector/engine"
	"github.com/evenkeel/evenkeel/internal/scripttest"
)

func TestMain(m *testing.M) {
	engine.RunIfChild()
	testscript.Main(m, map[string]func(){"evenkeel-collector": main})
}

func TestScripts(t *testing.T) {
	library, err := engine.DefaultLibrary()
	if err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, testscript.Params{
		Dir:  "testdata/script",
		Cmds: scripttest.Commands(),
		Setup: func(env *testscript.Env) error {
			env.Setenv("LIBRARY", library) // scripts have a home of their own
			return nil
		},
	})
}
