package narrate

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
	"time"
)

func TestLines(t *testing.T) {
	now := time.Unix(1000, 0)
	for _, c := range []struct {
		colour bool
		want   string
	}{
		{false, "         before\n   1.5s  it drifts\n         by much\n"},
		{true, "         before\n   1.5s  \x1b[1;31mit drifts\n         by much\x1b[0m\n"},
	} {
		var out bytes.Buffer
		n := New(&out, c.colour, func() time.Time { return now })
		n.Say(Plain, "before")
		n.Begin()
		now = now.Add(1500 * time.Millisecond)
		n.Say(Alarm, "it drifts\nby %s", "much")
		if out.String() != c.want {
			t.Errorf("colour %v:\n%q\nwant\n%q", c.colour, out.String(), c.want)
		}
	}
}

func TestNoColourInFilesAndWithNoColor(t *testing.T) {
	f, err := os.Create(filepath.Join(t.TempDir(), "out"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if Colour(f) || Colour(&bytes.Buffer{}) {
		t.Error("colour in a file")
	}
	device, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0) // a character device, as a terminal is
	if err != nil {
		t.Fatal(err)
	}
	defer device.Close()
	t.Setenv("TERM", "xterm")
	t.Setenv("NO_COLOR", "")
	if !Colour(device) {
		t.Error("no colour on a character device")
	}
	t.Setenv("NO_COLOR", "1")
	if Colour(device) {
		t.Error("NO_COLOR is not honoured")
	}
}
