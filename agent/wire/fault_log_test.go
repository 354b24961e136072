package wire

import (
	"bytes"
	"errors"
	"log/slog"
	"reflect"
	"strings"
	"testing"
	"time"
)

func TestFaultLogCountsAllAndLogsSome(t *testing.T) {
	var out bytes.Buffer
	now := time.Unix(0, 0)
	l := NewFaultLog(slog.New(slog.NewTextHandler(&out, nil)), time.Minute, func() time.Time { return now })
	x := exchange("12345", "")
	for range 3 {
		l.Record("loans", x, fault(BadJSON, "at byte 1"))
		l.Record("loans", x, fault(Binary, "tensors"))
	}
	l.Record("loans", x, fault(ErrorStatus, "a stream that ends in an error"))
	refused := *x
	refused.Status = 400
	l.Record("loans", &refused, fault(ErrorStatus, "status 400"))
	l.Record("loans", x, fault(TooWide, "tensor"))
	l.Record("other", x, errors.New("value 4711"))
	now = now.Add(time.Minute)
	l.Record("loans", x, fault(BadJSON, "at byte 1"))

	want := map[string]map[Reason]uint64{"loans": {BadJSON: 4, Binary: 3, ErrorStatus: 1, TooWide: 1}, "other": {BadJSON: 1}}
	if got := l.Counts(); !reflect.DeepEqual(got, want) {
		t.Errorf("counts %v, want %v", got, want)
	}
	if n := l.Undecodable("loans"); n != 8 {
		t.Errorf("undecodable %d, want 8: all but the one that is only not whole", n)
	}
	if n := l.Failed("loans"); n != 1 {
		t.Errorf("failed %d, want the one that was refused", n)
	}
	if lines := strings.Count(out.String(), "\n"); lines != 5 {
		t.Errorf("%d lines, want one of each kind but the error status, and one more after a minute:\n%s", lines, out.String())
	}
	if strings.Contains(out.String(), "4711") || strings.Contains(out.String(), "12345") {
		t.Errorf("the log tells a value:\n%s", out.String())
	}
}
