package fleet

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/evenkeel/evenkeel/collector/store/storetest"
	"github.com/evenkeel/evenkeel/signal"
)

// A version that another one has replaced is let go of; one that comes back is
// sealed again at once.
func TestAReplacedVersionIsNotExpected(t *testing.T) {
	w := newWorld(t, storetest.Open(t))
	first, second := loans, signal.ModelRef{Name: "loans", Version: "2"}
	defer func() { loans = first }()
	even := [4]uint64{25, 25, 25, 25}
	slot := func(n int, version signal.ModelRef) {
		loans = version
		w.arrive(w.parts("a", noon.Add(time.Duration(n)*length), even)...)
		w.at(time.Duration(n)*length + 6*time.Second)
	}
	w.at(0)
	for n, version := range []signal.ModelRef{first, first, second, second, second, second, first, first} {
		if n == 5 {
			w.options.StartGrace = 1
			w.restart() // what was replaced stays so
		}
		slot(n+1, version)
	}
	var got []string
	for _, fw := range w.sealed {
		got = append(got, fmt.Sprintf("%s version %s rows %d", fw.End.Sub(noon), fw.Model.Version, fw.Rows))
	}
	want := []string{
		"10s version 1 rows 100", "20s version 1 rows 100", "30s version 2 rows 100", "30s version 1 rows 0",
		"40s version 2 rows 100", "40s version 1 rows 0", "50s version 2 rows 100", "1m0s version 2 rows 100",
		"1m10s version 1 rows 100", "1m10s version 2 rows 0", "1m20s version 1 rows 100", "1m20s version 2 rows 0",
	}
	if !slices.Equal(got, want) {
		t.Errorf("sealed\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// What is known of replicas that are gone for good does not stay.
func TestReplicasOfLongAgoAreForgotten(t *testing.T) {
	s := newLaneState()
	for n := range 1000 {
		i := signal.InstanceID(fmt.Sprint("pod-", n))
		s.sequence[i], s.seen[i] = 7, noon.Add(time.Duration(n)*time.Second)
	}
	s.forgetReplicas(noon.Add(990 * time.Second))
	if len(s.sequence) != 10 || len(s.seen) != 10 || s.sequence["pod-999"] != 7 {
		t.Errorf("%d sequences and %d times are left", len(s.sequence), len(s.seen))
	}
}
