package faults

import (
	"os/exec"
	"strings"
	"testing"
)

// TestTwoCollectorsOnOneFolder starts a second collector on the folder of one
// that runs: it must say what is wrong and leave the first alone. Once the first
// is killed, with its engine still leaving, the second must come up.
func TestTwoCollectorsOnOneFolder(t *testing.T) {
	first := newSite(t)
	out := startSenders(t, first.http)
	first.start("")
	out.waitFor(t, 60)
	second := newSiteIn(t, first.data)
	for _, command := range []string{"run", "migrate"} {
		raw, err := exec.Command(program(t), command, "--config", second.config).CombinedOutput()
		said := string(raw)
		if err == nil {
			t.Errorf("%s beside a collector that runs went well:\n%s", command, said)
		}
		for _, part := range []string{first.data, "stop the other collector", "folder"} {
			if !strings.Contains(said, part) {
				t.Errorf("%s does not say %q:\n%s", command, part, said)
			}
		}
		out.waitFor(t, 60) // the first goes on
	}
	select {
	case <-first.process.done:
		t.Fatal("the first collector ended")
	default:
	}
	for range 3 {
		first.kill()
		second.start("")
		second.untilUp()
		second.kill()
		first.start("")
		out.waitFor(t, 60)
	}
	first.kills += second.kills
	verify(t, first, out)
}
