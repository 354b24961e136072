package tap

import (
	"errors"
	"io"
	"strings"
	"testing"
)

// closedAfter fails reads behind its content, as a closed body does.
type closedAfter struct{ *strings.Reader }

func (c closedAfter) Read(p []byte) (int, error) {
	if c.Len() == 0 {
		return 0, errors.New("read on closed body")
	}
	return c.Reader.Read(p)
}

func (closedAfter) Close() error { return nil }

func TestExactBodyIsNotReadBehindItsLength(t *testing.T) {
	b := exactly(closedAfter{strings.NewReader("abc")}, 3)
	if got, err := io.ReadAll(b); err != nil || string(got) != "abc" {
		t.Errorf("%q, %v", got, err)
	}
	short := exactly(io.NopCloser(strings.NewReader("ab")), 3)
	if got, err := io.ReadAll(short); err != nil || string(got) != "ab" {
		t.Errorf("a short body ends as it ended: %q, %v", got, err)
	}
}

func TestSizeClassesHoldWhatTheyAreAskedFor(t *testing.T) {
	for n := 1; n < 8<<20; n += 1 + n/97 {
		class := sizeClass(n)
		if classBytes(class) < n || class > 0 && classBytes(class-1) >= n {
			t.Fatalf("%d bytes are in class %d of %d", n, class, classBytes(class))
		}
		if sizeClass(classBytes(class)) != class {
			t.Fatalf("class %d does not find its own pool", class)
		}
	}
}
