// Command fetch puts the embedded engine into the user's cache folder, where
// every clone finds it; `make setup` runs it.
//
//	npm pack (pinned version) -> integrity checked -> libchdb.so -> cache folder
//
// Nothing of the package is executed, and nothing is fetched twice.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"

	"github.com/evenkeel/evenkeel/collector/engine"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "fetch the engine:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	if err := supported(runtime.GOOS, runtime.GOARCH); err != nil {
		return err
	}
	library, err := engine.DefaultLibrary()
	if err != nil {
		return err
	}
	return fetch(ctx, source{
		spec:      engine.Package + "@" + engine.Version,
		integrity: engine.Integrity,
		member:    "package/" + filepath.Base(library),
		pack:      npmPack,
	}, library, os.Stdout)
}

// supported says whether there is an engine for this platform.
func supported(system, architecture string) error {
	if system == "linux" && architecture == "amd64" {
		return nil
	}
	return fmt.Errorf("there is no embedded engine for %s/%s, only for linux/amd64; "+
		"set clickhouse.addr in the collector's configuration to use a ClickHouse server", system, architecture)
}
