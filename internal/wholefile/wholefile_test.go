package wholefile_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/evenkeel/evenkeel/internal/wholefile"
)

func TestReplace(t *testing.T) {
	folder := t.TempDir()
	path := filepath.Join(folder, "a.json")
	for _, content := range []string{"long content", "short", ""} {
		if err := wholefile.Replace(path, []byte(content)); err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile(path)
		if err != nil || string(got) != content {
			t.Fatalf("read %q, %v; want %q", got, err, content)
		}
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v; want only the owner to read it", info.Mode(), err)
	}
	if files, _ := os.ReadDir(folder); len(files) != 1 {
		t.Errorf("%d files are left, want 1", len(files))
	}
}

// What cannot be written leaves the old content, and nothing beside it.
func TestReplaceFails(t *testing.T) {
	folder := t.TempDir()
	path := filepath.Join(folder, "taken")
	if err := os.MkdirAll(filepath.Join(path, "child"), 0o700); err != nil { // a folder cannot be replaced
		t.Fatal(err)
	}
	if err := wholefile.Replace(path, []byte("new")); err == nil {
		t.Error("a folder was replaced by a file")
	}
	if err := wholefile.Replace(filepath.Join(folder, "absent", "a"), []byte("new")); err == nil {
		t.Error("a file was written into a folder that is not there")
	}
}
