package export

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/evenkeel/evenkeel/internal/errs"
)

func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }

func open(t testing.TB, folder string, max int64) *spool {
	t.Helper()
	s, err := openSpool(folder, max, 1, quiet())
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func req(k Kind, body string) *request {
	return &request{Kind: k, Path: "/v1/" + string(k), ContentType: "application/x-protobuf", Body: []byte(body)}
}

func oldest(t testing.TB, s *spool, k Kind) (string, uint64) {
	t.Helper()
	r, n, err := s.Oldest(k)
	if err != nil {
		t.Fatal(err)
	}
	if r == nil {
		return "", 0
	}
	return string(r.Body), n
}

func TestSpoolGivesBackWhatItTookInOrderAlsoAfterACrash(t *testing.T) {
	folder := t.TempDir()
	s := open(t, folder, 1<<20)
	for i := range 5 {
		for _, k := range kinds {
			if err := s.Append(req(k, fmt.Sprint(k, i))); err != nil {
				t.Fatal(err)
			}
		}
	}
	_, first := oldest(t, s, Logs)
	s = open(t, folder, 1<<20) // nothing was closed: as after kill -9
	for i := range 5 {
		for _, k := range kinds {
			body, n := oldest(t, s, k)
			if want := fmt.Sprint(k, i); body != want {
				t.Fatalf("%s: got %q, want %q", k, body, want)
			}
			if k == Logs && i == 0 && n != first {
				t.Errorf("the number changed over the restart: %d, was %d", n, first)
			}
			if err := s.Done(k, n); err != nil {
				t.Fatal(err)
			}
		}
	}
	if body, _ := oldest(t, s, Logs); body != "" {
		t.Errorf("%q was acknowledged but is still there", body)
	}
	if c := s.Counts(Logs); c.Bytes != 0 || c.Waiting != 0 || c.Sent != 5 {
		t.Errorf("counts %+v", c)
	}
}

// Whatever is appended, acknowledged, quarantined and interrupted: the order
// holds for each kind, no number is given twice, and the account is the disk's.
func TestSpoolLaws(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		folder, err := os.MkdirTemp(t.TempDir(), "spool")
		if err != nil {
			rt.Fatal(err)
		}
		const max = 4096
		s := open(t, folder, max)
		model := map[Kind][]string{}
		used := map[uint64]string{}
		for i := range rapid.IntRange(1, 40).Draw(rt, "steps") {
			k := rapid.SampledFrom(kinds).Draw(rt, "kind")
			switch rapid.SampledFrom([]string{"append", "append", "done", "aside", "crash"}).Draw(rt, "step") {
			case "append":
				body := fmt.Sprint(k, i, strings.Repeat("x", rapid.IntRange(0, 600).Draw(rt, "size")))
				err := s.Append(req(k, body))
				if err == nil {
					model[k] = append(model[k], body)
				} else if errs.KindOf(err) != errs.Exhausted {
					rt.Fatal(err)
				}
				if k == Logs { // the oldest traces and predictions may have made room
					for _, gave := range []Kind{Traces, Predictions} {
						waiting := int(s.Counts(gave).Waiting)
						if waiting < len(model[gave]) && s.Counts(Logs).Waiting != int64(len(model[Logs])) {
							rt.Fatalf("%s made room for nothing", gave)
						}
						model[gave] = model[gave][len(model[gave])-waiting:]
					}
				}
			case "done", "aside":
				body, n := oldest(t, s, k)
				if len(model[k]) == 0 {
					if body != "" {
						rt.Fatalf("%s: %q, want nothing", k, body)
					}
					continue
				}
				if body != model[k][0] {
					rt.Fatalf("%s: the oldest is %q, want %q", k, body, model[k][0])
				}
				if before, twice := used[n]; twice && before != body {
					rt.Fatalf("number %d was given to two requests", n)
				}
				used[n] = body
				if i%2 == 0 {
					s.Quarantine(k, n)
				} else if err := s.Done(k, n); err != nil {
					rt.Fatal(err)
				}
				model[k] = model[k][1:]
			case "crash":
				s = open(t, folder, max)
			}
			accountIsTheDisk(rt, s, folder, max)
		}
	})
}

func accountIsTheDisk(t *rapid.T, s *spool, folder string, max int64) {
	var onDisk int64
	files, err := filepath.Glob(filepath.Join(folder, "0*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		info, err := os.Stat(f)
		if err != nil {
			t.Fatal(err)
		}
		onDisk += info.Size()
	}
	logs, metrics, predictions, traces := s.Counts(Logs).Bytes, s.Counts(Metrics).Bytes, s.Counts(Predictions).Bytes, s.Counts(Traces).Bytes
	if logs+metrics+predictions+traces != onDisk || onDisk > max || metrics > max/2 || predictions > max/4 || traces > max/8 {
		t.Fatalf("%d bytes on disk; counted logs %d, metrics %d, predictions %d, traces %d, bound %d", onDisk, logs, metrics, predictions, traces, max)
	}
}

// rowsOf is a request that says how many records it holds.
func rowsOf(k Kind, records int64, size int) *request {
	r := req(k, strings.Repeat("x", size))
	r.Records = records
	return r
}

// A full spool: predictions give their room to windows, the oldest first, and
// each that is given up is counted, also of those that an earlier process wrote
// and of the one that is being sent.
func TestPredictionsMakeRoomForWindows(t *testing.T) {
	const max = 64 << 10
	folder := t.TempDir()
	s := open(t, folder, max)
	appendAll := func(k Kind, records int64) (n int64) {
		for s.Append(rowsOf(k, records, 1000)) == nil {
			n++
		}
		return n
	}
	predictions := appendAll(Predictions, 7)
	if bytes := s.Counts(Predictions).Bytes; predictions < 10 || bytes > max/4 {
		t.Fatalf("%d requests of predictions take %d of %d bytes", predictions, bytes, max)
	}
	s = open(t, folder, max)
	metrics := appendAll(Metrics, 0)
	_, first := oldest(t, s, Predictions) // it is being sent
	logs := appendAll(Logs, 0)
	c := s.Counts(Predictions)
	if c.Waiting != 0 || c.Evicted != predictions || c.RecordsEvicted != 7*predictions || c.Bytes != 0 {
		t.Errorf("of %d predictions: %+v", predictions, c)
	}
	if logs < metrics || s.Counts(Logs).Bytes+s.Counts(Metrics).Bytes < max-2000 {
		t.Errorf("%d windows and %d metrics fit in %d bytes", logs, metrics, max)
	}
	s.Reject(Predictions, first, 3)
	s.Quarantine(Predictions, first)
	if err := s.Done(Predictions, first); err != nil {
		t.Errorf("an answer for a request that is gone: %v", err)
	}
	if c := s.Counts(Predictions); c.Sent != 0 || c.RecordsSent != 0 || c.Quarantined != 0 || c.RecordsRefused != 0 {
		t.Errorf("counted twice: %+v", c)
	}
	if err := s.Append(rowsOf(Predictions, 7, 1000)); errs.KindOf(err) != errs.Exhausted {
		t.Errorf("a window made room for predictions: %v", err)
	}
}

// A request that the spool refused is not there after a restart either: its
// window is written again, under another number.
func TestRefusedRequestLeavesNothingBehind(t *testing.T) {
	folder := t.TempDir()
	s := open(t, folder, 1<<20)
	s.syncFolder = func(string) error { return errors.New("the disk does not answer") }
	if err := s.Append(req(Logs, "first try")); !errs.Retryable(err) || !strings.Contains(err.Error(), "does not answer") {
		t.Fatalf("got %v", err)
	}
	s.syncFolder = syncFolder
	if err := s.Append(req(Logs, "second try")); err != nil {
		t.Fatal(err)
	}
	s = open(t, folder, 1<<20)
	if body, n := oldest(t, s, Logs); body != "second try" || n != 2 || s.Counts(Logs).Waiting != 1 {
		t.Errorf("after a restart %q waits under %d, %d in all", body, n, s.Counts(Logs).Waiting)
	}
}

func TestFullSpoolRefusesTheNewestAndLeavesEvidenceTheLargerPart(t *testing.T) {
	const max = 64 << 10
	s := open(t, t.TempDir(), max)
	fill := func(k Kind) (n int, err error) {
		for ; err == nil; n++ {
			err = s.Append(req(k, strings.Repeat("x", 1000)))
		}
		return n - 1, err
	}
	metrics, err := fill(Metrics)
	if errs.KindOf(err) != errs.Exhausted {
		t.Fatalf("metrics: %v, want exhausted", err)
	}
	logs, err := fill(Logs)
	if errs.KindOf(err) != errs.Exhausted || !strings.Contains(err.Error(), "export.spool.max") {
		t.Fatalf("logs: %v, want exhausted and the cure", err)
	}
	if metrics < 20 || logs < metrics {
		t.Errorf("%d metrics and %d logs fit in %d bytes", metrics, logs, max)
	}
	if r := s.Counts(Logs).Refused; r != 1 || s.Counts(Metrics).Refused != 1 {
		t.Errorf("%d refusals of logs counted, want 1", r)
	}
}

func TestHalfWrittenFilesAreForgottenAndDamagedOnesPutAside(t *testing.T) {
	folder := t.TempDir()
	s := open(t, folder, 1<<20)
	for i := range 4 {
		if err := s.Append(req(Logs, fmt.Sprint("body", i))); err != nil {
			t.Fatal(err)
		}
	}
	files, _ := filepath.Glob(filepath.Join(folder, "*.logs"))
	slices.Sort(files)
	raw, err := os.ReadFile(files[1])
	if err != nil {
		t.Fatal(err)
	}
	flipped := slices.Clone(raw)
	flipped[len(flipped)-1] ^= 1
	for path, content := range map[string][]byte{
		files[0]:                       raw[:len(raw)-2], // torn
		files[1]:                       flipped,
		files[2]:                       {},
		files[3] + "0.logs" + partial:  raw[:10],
		filepath.Join(folder, "notes"): []byte("not ours"),
	} {
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	s = open(t, folder, 1<<20)
	if body, _ := oldest(t, s, Logs); body != "body3" {
		t.Errorf("got %q, want the only whole request, body3", body)
	}
	if c := s.Counts(Logs); c.Damaged != 3 || c.Waiting != 1 {
		t.Errorf("counts %+v, want 3 damaged and 1 waiting", c)
	}
	aside, _ := os.ReadDir(filepath.Join(folder, quarantineIn))
	if len(aside) != 3 {
		t.Errorf("%d files in quarantine, want 3", len(aside))
	}
	if left, _ := filepath.Glob(filepath.Join(folder, "*"+partial)); len(left) != 0 {
		t.Errorf("half written files are left: %v", left)
	}
}

func TestNumbersNeverRepeatAlsoWhenTheSpoolWasEmpty(t *testing.T) {
	folder := t.TempDir()
	last := uint64(0)
	for range 3 {
		s := open(t, folder, 1<<20)
		for range 3 {
			if err := s.Append(req(Logs, "x")); err != nil {
				t.Fatal(err)
			}
			_, n := oldest(t, s, Logs)
			if n <= last {
				t.Fatalf("number %d after %d", n, last)
			}
			last = n
			if err := s.Done(Logs, n); err != nil {
				t.Fatal(err)
			}
		}
	}
}

func TestNumbersGoOnBeyondOneGrant(t *testing.T) {
	folder := t.TempDir()
	s := open(t, folder, 1<<20)
	s.next = s.granted - 1 // as after many requests
	for range 3 {
		if err := s.Append(req(Logs, "x")); err != nil {
			t.Fatal(err)
		}
	}
	highest := s.next - 1
	files, _ := filepath.Glob(filepath.Join(folder, "*.logs"))
	for _, f := range files {
		if err := os.Remove(f); err != nil {
			t.Fatal(err)
		}
	}
	if again := open(t, folder, 1<<20); again.next <= highest {
		t.Errorf("after a restart numbers begin at %d, %d was used", again.next, highest)
	}
}

func TestQuarantineKeepsTheNewestWithinItsBound(t *testing.T) {
	folder := t.TempDir()
	s := open(t, folder, 64<<10)
	for i := range 30 {
		if err := s.Append(req(Logs, strings.Repeat("x", 1000)+fmt.Sprint(i))); err != nil {
			t.Fatal(err)
		}
		_, n := oldest(t, s, Logs)
		s.Quarantine(Logs, n)
	}
	files, _ := os.ReadDir(filepath.Join(folder, quarantineIn))
	c := s.Counts(Logs)
	if len(files) == 0 || int64(len(files)) != 30-c.Forgotten || len(files) > 8 || c.Quarantined != 30 {
		t.Errorf("%d files, counts %+v", len(files), c)
	}
	raw, err := os.ReadFile(filepath.Join(folder, quarantineIn, files[len(files)-1].Name()))
	if err != nil || !strings.HasSuffix(string(raw), "x29") {
		t.Errorf("the newest is not kept: %v", err)
	}
}

func TestUnwritableFolderIsAClearError(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := openSpool(filepath.Join(file, "spool"), 1<<20, 1, quiet())
	var pathErr *fs.PathError
	if !errors.As(err, &pathErr) || !strings.Contains(err.Error(), "open export spool") || !strings.Contains(err.Error(), "writable") {
		t.Errorf("got %v", err)
	}
}

func FuzzDecodeRequest(f *testing.F) {
	f.Add(req(Logs, "body").encode())
	f.Add([]byte("{}\n"))
	f.Add([]byte("{\"length\":-1}\n"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		r, err := decodeRequest(Logs, raw)
		if err != nil {
			return
		}
		again, err := decodeRequest(Logs, r.encode())
		if err != nil || string(again.Body) != string(r.Body) || again.Path != r.Path || again.ContentEncoding != r.ContentEncoding {
			t.Errorf("decode of encode differs: %+v, %+v, %v", r, again, err)
		}
	})
}
