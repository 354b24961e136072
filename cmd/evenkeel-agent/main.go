// Command evenkeel-agent stands beside a model server, sees what goes in and
// comes out, and turns it into signals.
package main

import (
	"os"

	"github.com/evenkeel/evenkeel/internal/cli"
)

func main() {
	os.Exit(cli.Main(newRoot()))
}
