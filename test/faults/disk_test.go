package faults

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/evenkeel/evenkeel/collector/store/clickhouse"
)

// smallDisk is the size of a file system with room for an empty engine and little
// more, in MiB.
const smallDisk = 192

// diskTurns is how often the disk gets full.
const diskTurns = 3

// TestDiskFull lets the disk get full under a collector and its engine, kills
// both there once, and makes room again, several times.
func TestDiskFull(t *testing.T) {
	disk := mountSmall(t, smallDisk)
	s := newSiteIn(t, filepath.Join(disk.inside, "data"))
	s.within = disk.enter
	out := startSenders(t, s.http)
	s.start("")
	out.waitFor(t, 60)
	for turn := range diskTurns {
		fill(t, disk.seen)
		s.untilRefused(out.journal, turn)
		before := out.journal.count()
		if turn == 1 {
			s.kill()
			s.start("") // it may come up or leave; either way nothing is lost
			<-time.After(2 * time.Second)
		}
		if turn == 2 {
			s.killEngine()
		}
		t.Logf("full: %d ids were acknowledged until then, %d while it was", before, out.journal.count()-before)
		if err := os.Remove(filepath.Join(disk.seen, "filler")); err != nil {
			t.Fatal(err)
		}
		out.waitForReviving(t, s, 60)
	}
	out.finish()
	s.data = filepath.Join(disk.seen, "data")
	s.empty()
	s.nothingAside()
	here := t.TempDir() // an engine wants to see its folder from the root
	if err := os.CopyFS(filepath.Join(here, "data"), os.DirFS(s.data)); err != nil {
		t.Fatal(err)
	}
	s.data = filepath.Join(here, "data")
	s.read(func(store *clickhouse.Store) { out.journal.hold(t, s, store, tables) })
}

// untilRefused waits until a sender is told that there is no room.
func (s *site) untilRefused(j *journal, turn int) {
	s.t.Helper()
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: 5 * time.Second}
	for n, until := 0, time.Now().Add(deadline); time.Now().Before(until); n++ {
		ids := []string{fmt.Sprintf("%s/full/%d/%d", kindTraces, turn, n)}
		j.note(ids, false)
		body := bytes.NewReader(request(kindTraces, ids))
		resp, err := client.Post("http://"+s.http+pathOf(kindTraces), "application/x-protobuf", body)
		if err != nil {
			continue
		}
		_ = resp.Body.Close()
		if resp.StatusCode == http.StatusTooManyRequests && resp.Header.Get("Retry-After") != "" {
			return
		}
		if resp.StatusCode != http.StatusOK {
			s.t.Fatalf("a full disk is answered with %s", resp.Status)
		}
	}
	s.t.Fatal("no request is refused, though the disk is full")
}

// fill writes a file until the disk has no room for another byte.
func fill(t *testing.T, disk string) {
	t.Helper()
	f, err := os.Create(filepath.Join(disk, "filler"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	for size := 1 << 20; size > 0; {
		if _, err := f.Write(make([]byte, size)); errors.Is(err, syscall.ENOSPC) {
			size /= 2
		} else if err != nil {
			t.Fatal(err)
		}
	}
}

// disk is a file system that only the processes of one namespace see.
type disk struct {
	inside string   // where it is for them
	seen   string   // how everybody else finds its files
	enter  []string // the command before theirs
}

// mountSmall gives a folder on a file system of its own. It is mounted in a
// namespace that a child of ours keeps, so that no rights are needed.
func mountSmall(t *testing.T, mib int) disk {
	t.Helper()
	folder := t.TempDir()
	keeper := exec.Command("sh", "-c", `mount -t tmpfs -o size="$1"m,mode=0700 evenkeel "$2" && echo mounted && exec cat`, "sh", fmt.Sprint(mib), folder)
	keeper.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags:  syscall.CLONE_NEWUSER | syscall.CLONE_NEWNS,
		UidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}},
		Pdeathsig:   syscall.SIGKILL,
	}
	life, err := keeper.StdinPipe() // the keeper ends with it
	if err != nil {
		t.Fatal(err)
	}
	said, err := keeper.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := keeper.Start(); err != nil {
		withoutDisk(t, err)
	}
	t.Cleanup(func() {
		_ = life.Close()
		_, _ = io.Copy(io.Discard, said)
		_ = keeper.Wait()
	})
	if line, err := bufio.NewReader(said).ReadString('\n'); line != "mounted\n" {
		withoutDisk(t, fmt.Errorf("mount: %q, %w", line, err))
	}
	pid := fmt.Sprint(keeper.Process.Pid)
	return disk{
		inside: folder, seen: "/proc/" + pid + "/root" + folder,
		enter: []string{"nsenter", "--preserve-credentials", "--user", "--mount", "--target", pid, "--"},
	}
}

// withoutDisk skips where namespaces are forbidden, unless all faults are asked
// for.
func withoutDisk(t *testing.T, why error) {
	t.Helper()
	if killsAsked(t) > 0 {
		t.Fatalf("no file system of its own: %v", why)
	}
	t.Skipf("no file system of its own: %v", why)
}
