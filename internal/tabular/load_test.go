package tabular

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// Chunks of any size, put together, are what Load gives at once.
func TestChunksAreThePartsOfTheWhole(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var text strings.Builder
		cell := rapid.SampledFrom([]string{"1", "2.0", "null", `"x"`, `""`, "true"})
		rows := rapid.IntRange(0, 30).Draw(t, "rows")
		for range rows {
			text.WriteString("{")
			for i, name := range []string{"a", "b", "c"} {
				if i == 0 || rapid.Bool().Draw(t, "has "+name) {
					fmt.Fprintf(&text, "%s%q:%s", strings.Repeat(",", min(i, 1)), name, cell.Draw(t, name))
				}
			}
			text.WriteString("}\n")
		}
		if rows == 0 {
			text.WriteString("\n")
		}
		want := []Want{{Column: 2}, {Column: 0, Served: true}}
		whole, err := Load(jsonReader(t, text.String()), want, 0, nil)
		if err != nil {
			t.Fatal(err)
		}
		size := rapid.IntRange(1, 10).Draw(t, "size")
		parts := make([]Values, len(want))
		err = Chunks(jsonReader(t, text.String()), want, size, nil, func(n int, values []Values) error {
			if n == 0 || n > size || len(values[0].Texts) != n || len(values[1].Missing) != n {
				t.Fatalf("a chunk of %d rows: %+v", n, values)
			}
			for i := range values {
				parts[i].Texts = append(parts[i].Texts, values[i].Texts...)
				parts[i].Missing = append(parts[i].Missing, values[i].Missing...)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		for i := range want {
			if !slices.Equal(parts[i].Texts, whole[i].Texts) || !slices.Equal(parts[i].Missing, whole[i].Missing) {
				t.Fatalf("parts %+v\nwhole %+v", parts[i], whole[i])
			}
		}
	})
}

func TestChunksTrimNumbersAndPassOnErrors(t *testing.T) {
	const text = "a,b\n 1 , x \n2,y\n"
	var got []string
	err := Chunks(reader(t, text), []Want{{Column: 0, Numeric: true}, {Column: 1}}, 1, nil, func(_ int, v []Values) error {
		got = append(got, v[0].Texts[0], v[1].Texts[0])
		return nil
	})
	if want := []string{"1", " x ", "2", "y"}; err != nil || !slices.Equal(got, want) {
		t.Errorf("got %q, %v", got, err)
	}
	stop := errors.New("enough")
	if err := Chunks(reader(t, text), []Want{{}}, 9, nil, func(int, []Values) error { return stop }); !errors.Is(err, stop) {
		t.Errorf("got %v", err)
	}
}
