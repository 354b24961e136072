// Command evenkeel is the people's command line: baselines, rules, records and
// the demo. The services are evenkeel-agent and evenkeel-collector.
package main

import (
	"os"

	"github.com/evenkeel/evenkeel/internal/cli"
)

func main() {
	os.Exit(cli.Main(newRoot()))
}
