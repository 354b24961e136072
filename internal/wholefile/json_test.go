package wholefile_test

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/evenkeel/evenkeel/internal/wholefile"
)

func TestJSONComesBack(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.json")
	got := []int{7}
	if err := wholefile.ReadJSON(path, &got); err != nil || !slices.Equal(got, []int{7}) {
		t.Errorf("a file that is not there: %v, %v", got, err)
	}
	if err := wholefile.ReplaceJSON(path, []int{1, 2}); err != nil {
		t.Fatal(err)
	}
	if err := wholefile.ReadJSON(path, &got); err != nil || !slices.Equal(got, []int{1, 2}) {
		t.Errorf("%v, %v", got, err)
	}
	if err := wholefile.ReplaceJSON(path, func() {}); err == nil {
		t.Error("a function is written")
	}
	if err := os.WriteFile(path, []byte(`[1, 2`), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := wholefile.ReadJSON(path, &got); !errors.Is(err, wholefile.ErrDamaged) {
		t.Errorf("a part of a file: %v", err)
	}
	if err := wholefile.ReadJSON(t.TempDir(), &got); err == nil || errors.Is(err, wholefile.ErrDamaged) {
		t.Errorf("a folder: %v", err)
	}
}
