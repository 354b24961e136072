// Command evenkeel-collector receives what the agents measured, keeps it,
// judges it against the rules and opens nonconformity records.
package main

import (
	"os"

	"github.com/evenkeel/evenkeel/collector/engine"
	"github.com/evenkeel/evenkeel/internal/cli"
)

func main() {
	engine.RunIfChild() // the embedded engine is this program, started by itself
	os.Exit(cli.Main(newRoot()))
}
