package ports

import (
	"fmt"
	"net"
	"os"
	"strings"
	"testing"
)

func TestFreePortsDiffer(t *testing.T) {
	s, err := Free()
	if err != nil {
		t.Fatal(err)
	}
	seen := map[int]bool{}
	err = s.Each(func(port int, purpose string) error {
		if port == 0 || seen[port] || purpose == "" {
			t.Errorf("port %d for %q", port, purpose)
		}
		seen[port] = true
		return nil
	})
	if err != nil || len(seen) != 5 {
		t.Errorf("%d ports, %v", len(seen), err)
	}
}

func TestATakenPortIsNamedWithItsHolder(t *testing.T) {
	s, err := Free()
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Check(); err != nil {
		t.Fatalf("all free, and yet: %v", err)
	}
	l, err := net.Listen("tcp4", Addr(s.API))
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	err = s.Check()
	if err == nil {
		t.Fatal("a taken port was not noticed")
	}
	for _, want := range []string{
		fmt.Sprintf("port %d", s.API), "page and API", fmt.Sprintf("process %d)", os.Getpid()), "--ports auto",
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q does not say %q", err, want)
		}
	}
	if strings.Contains(err.Error(), "gRPC") {
		t.Errorf("%q names a port that is free", err)
	}
}
