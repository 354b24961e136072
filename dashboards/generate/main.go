// Command generate writes the dashboards as JSON. It is run by go generate.
package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"

	"github.com/evenkeel/evenkeel/dashboards"
)

func main() {
	out := flag.String("out", ".", "folder to write to")
	flag.Parse()
	if err := write(*out); err != nil {
		fmt.Fprintln(os.Stderr, "generate dashboards:", err)
		os.Exit(1)
	}
}

func write(folder string) error {
	for _, d := range dashboards.All() {
		raw, err := d.JSON()
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(folder, d.UID+".json"), raw, 0o644); err != nil {
			return err
		}
	}
	return nil
}
