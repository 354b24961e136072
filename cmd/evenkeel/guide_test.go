package main

import (
	"os"
	"regexp"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/evenkeel/evenkeel/internal/scripttest"
)

// guideBlock is a file that a guide shows, a command, or what a command prints.
var guideBlock = regexp.MustCompile("(?:(?m:^)`([a-z_]+[.](?:json|csv))`:\n\n)?```(json|csv|sh|text)\n((?s:.*?))```")

// runGuide runs the commands of a guide, as a reader would, against the API that
// is named: files are written, commands run, and what they print is what the page
// says. The second argument is a metrics address; before each command the
// collector has stored everything.
func runGuide(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) != 2 {
		ts.Fatalf("usage: guide PAGE METRICS")
	}
	page, err := os.ReadFile(args[0])
	ts.Check(err)
	settled, printed, commands := scripttest.Commands()["get"], "", 0
	for _, m := range guideBlock.FindAllStringSubmatch(string(page), -1) {
		file, kind, text := m[1], m[2], m[3]
		switch {
		case file != "":
			ts.Check(os.WriteFile(ts.MkAbs(file), []byte(text), 0o600))
		case kind == "sh":
			settled(ts, false, []string{args[1], "200", "evenkeel_spool_records 0"})
			ts.Check(ts.Exec("sh", "-ec", text))
			printed = strings.TrimRight(ts.ReadFile("stdout"), "\n") + "\n"
			commands++
		case kind == "text" && printed != text:
			ts.Fatalf("the guide says\n%s\nand its commands\n%s", text, printed)
		}
	}
	if commands == 0 {
		ts.Fatalf("%s has no commands", args[0])
	}
}
