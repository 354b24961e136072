package detect

import (
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func all(t testing.TB) *Set {
	t.Helper()
	s, err := NewSet(Detectors())
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func scan(t testing.TB, d Detector, text string) uint64 {
	t.Helper()
	s, err := NewSet([]Detector{d})
	if err != nil {
		t.Fatal(err)
	}
	var c Counts
	s.Scan(text, &c)
	for _, other := range Detectors() {
		if other != d && c.Of(other) != 0 {
			t.Errorf("%s was not asked for and has counted", other)
		}
	}
	return c.Of(d)
}

// Every positive is found as often as it stands there, and no near miss is. The
// log says how many there are, which is what precision and recall are of.
func TestTableOfPositivesAndNearMisses(t *testing.T) {
	for _, d := range Detectors() {
		var right, found, expected, near uint64
		for _, s := range samples[d] {
			got := scan(t, d, s.text)
			if got != s.want {
				t.Errorf("%s: %d, want %d in %q", d, got, s.want, s.text)
			}
			right, found, expected = right+min(got, s.want), found+got, expected+s.want
			if s.want == 0 {
				near++
			}
		}
		if expected == 0 || near == 0 {
			t.Fatalf("%s has %d positives and %d near misses", d, expected, near)
		}
		t.Logf("%-12s precision %.2f, recall %.2f of %d positives, %d near misses", d, float64(right)/float64(found), float64(right)/float64(expected), expected, near)
	}
}

// A finding does not depend on the blanks and lines around it, and two texts
// behind each other have the findings of both.
func TestFindingsAddUp(t *testing.T) {
	var texts []string
	for _, d := range Detectors() {
		if d == Refusal { // is about where a text begins
			continue
		}
		for _, s := range samples[d] {
			texts = append(texts, s.text)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		a, b := rapid.SampledFrom(texts).Draw(t, "a"), rapid.SampledFrom(texts).Draw(t, "b")
		gap := rapid.SampledFrom([]string{"\n", "\n\n", "\nand then\n", " | "}).Draw(t, "gap")
		for i, find := range finders {
			if Detectors()[i] == Refusal {
				continue
			}
			if got, want := find(a+gap+b), find(a)+find(b); got != want {
				t.Fatalf("%s: %d in both, %d in %q and %q", Detectors()[i], got, want, a, b)
			}
		}
	})
}

// One changed digit of a number with a check digit is seen.
func TestCheckDigits(t *testing.T) {
	for d, text := range map[Detector]string{Card: "4539526018159083", IBAN: "DE87911862527601895559"} {
		for i := range text {
			if !isDigit(text[i]) {
				continue
			}
			for c := byte('0'); c <= '9'; c++ {
				changed := text[:i] + string(c) + text[i+1:]
				if got := scan(t, d, changed); (got == 1) != (changed == text) {
					t.Errorf("%s: %d in %s", d, got, changed)
				}
			}
		}
	}
}

func TestSetsAreChecked(t *testing.T) {
	if _, err := NewSet([]Detector{"emails"}); err == nil || !strings.Contains(err.Error(), "email, phone") {
		t.Errorf("%v", err)
	}
	if _, err := NewSet([]Detector{Email, Email}); err == nil {
		t.Error("one is named twice")
	}
	var none Set
	var c Counts
	none.Scan("jane@acme.com", &c)
	if c != (Counts{}) || c.Of("other") != 0 {
		t.Errorf("%v", c)
	}
}

func TestScanAllocatesNothing(t *testing.T) {
	s, text := all(t), everything()
	var c Counts
	if n := testing.AllocsPerRun(20, func() { s.Scan(text, &c) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// everything is one text of all samples.
func everything() string {
	var b strings.Builder
	for _, d := range Detectors() {
		for _, s := range samples[d] {
			b.WriteString(s.text + "\n")
		}
	}
	return b.String()
}

// No text is too odd: a detector ends, stays within the text, and finds nothing
// twice in the same place.
func FuzzScan(f *testing.F) {
	for _, d := range Detectors() {
		for _, s := range samples[d] {
			f.Add(s.text)
		}
	}
	f.Fuzz(func(t *testing.T, text string) {
		var c Counts
		all(t).Scan(text, &c)
		for i, d := range Detectors() {
			if shortest := map[bool]uint64{true: 1, false: 5}[d == Refusal]; c[i] > 0 && c[i]*shortest > uint64(len(text)) || d == Refusal && c[i] > 1 {
				t.Errorf("%s: %d in %d bytes", d, c[i], len(text))
			}
		}
	})
}

// prose is an answer of 4 KB with nothing in it, which most are.
var prose = strings.Repeat("The quarterly report of 2024 shows that 3.5% of the parcels (1,204 of them) came late; see section 4-2. ", 40)[:4096]

func BenchmarkScan(b *testing.B) {
	for name, text := range map[string]string{"prose": prose, "findings": everything()} {
		b.Run(name, func(b *testing.B) {
			s := all(b)
			var c Counts
			b.SetBytes(int64(len(text)))
			b.ReportAllocs()
			for b.Loop() {
				s.Scan(text, &c)
			}
		})
	}
}
