package cli

import (
	"errors"
	"fmt"
	"testing"

	"github.com/evenkeel/evenkeel/internal/errs"
)

// The codes are part of what scripts rely on; the help lists them.
func TestExitCodesFollowFromTheKind(t *testing.T) {
	cause := errors.New("cause")
	for kind, want := range map[errs.Kind]int{
		errs.Other: 1, errs.Invalid: 2, errs.NotFound: 3, errs.Conflict: 4,
		errs.Unavailable: 5, errs.Exhausted: 5, errs.Corrupt: 6, errs.Denied: 7,
	} {
		wrapped := fmt.Errorf("outer: %w", errs.E("op", kind, cause, ""))
		if got := ExitCode(wrapped); got != want {
			t.Errorf("kind %d: exit code %d, want %d", kind, got, want)
		}
	}
	if ExitCode(nil) != 0 || ExitCode(cause) != 1 {
		t.Error("success is 0, an error without a kind is 1")
	}
}
