package errs

import (
	"errors"
	"fmt"
	"io"
	"testing"
)

func TestErrorReadsAsOneLine(t *testing.T) {
	err := E("open spool", Conflict, io.ErrClosedPipe, "stop the other collector")
	if got, want := err.Error(), "open spool: io: read/write on closed pipe; stop the other collector"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if !errors.Is(err, io.ErrClosedPipe) {
		t.Error("the cause is lost")
	}
}

func TestOfAddsAKindAndNoText(t *testing.T) {
	err := Of(Invalid, io.ErrClosedPipe)
	if err.Error() != io.ErrClosedPipe.Error() || KindOf(err) != Invalid || !errors.Is(err, io.ErrClosedPipe) {
		t.Errorf("got %q of kind %d", err, KindOf(err))
	}
}

func TestKindOfFindsTheOutermostKind(t *testing.T) {
	inner := E("insert", Unavailable, io.EOF, "")
	for _, tc := range []struct {
		err  error
		want Kind
	}{
		{nil, Other},
		{io.EOF, Other},
		{inner, Unavailable},
		{fmt.Errorf("drain: %w", inner), Unavailable},
		{E("drain", Other, fmt.Errorf("batch 3: %w", inner), ""), Unavailable},
		{E("drain", Corrupt, inner, ""), Corrupt},
	} {
		if got := KindOf(tc.err); got != tc.want {
			t.Errorf("%v: got %d, want %d", tc.err, got, tc.want)
		}
	}
	if !Retryable(inner) || Retryable(io.EOF) || Retryable(nil) {
		t.Error("only unavailable and exhausted are worth another try")
	}
}
