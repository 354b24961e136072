package export

import (
	"os"
	"path/filepath"
	"testing"
	"time"
)

// What has waited longer than max_age is removed and counted, also after a
// restart, which knows the age from the files; what is younger stays.
func TestSpoolExpires(t *testing.T) {
	folder := t.TempDir()
	now := time.Now()
	s := open(t, folder, 1<<20)
	s.now = func() time.Time { return now }
	old := req(Predictions, "old")
	old.Records = 7
	if err := s.Append(old); err != nil {
		t.Fatal(err)
	}
	now = now.Add(2 * time.Hour)
	if err := s.Append(req(Predictions, "young")); err != nil {
		t.Fatal(err)
	}
	if body, _ := oldest(t, s, Predictions); body != "old" {
		t.Fatalf("without a bound %q comes first", body)
	}
	s.maxAge = time.Hour
	if body, _ := oldest(t, s, Predictions); body != "young" {
		t.Errorf("%q comes first", body)
	}
	c := s.Counts(Predictions)
	if c.Expired != 1 || c.RecordsExpired != 7 || c.Waiting != 1 {
		t.Errorf("counts %+v", c)
	}
	files, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if err := os.Chtimes(filepath.Join(folder, f.Name()), now, now.Add(-4*time.Hour)); err != nil {
			t.Fatal(err)
		}
	}
	s = open(t, folder, 1<<20)
	s.maxAge = time.Hour
	if body, _ := oldest(t, s, Predictions); body != "" {
		t.Errorf("after a restart %q is still there", body)
	}
	if c := s.Counts(Predictions); c.Expired != 1 || c.Waiting != 0 || c.Bytes != 0 {
		t.Errorf("counts after a restart %+v", c)
	}
}
