package wire

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestEvents(t *testing.T) {
	for name, c := range map[string]struct {
		body string
		want []string
	}{
		"nothing":           {"", nil},
		"one":               {"data: a\n\n", []string{"a"}},
		"without a blank":   {"data:a\n\ndata:  b\n\n", []string{"a", " b"}},
		"ends of all kinds": {"data: a\r\n\r\ndata: b\r\rdata: c\n\n", []string{"a", "b", "c"}},
		"lines":             {"data: a\ndata: b\ndata\ndata: c\n\n", []string{"a\nb\n\nc"}},
		"other fields":      {":comment\nevent: x\nid: 1\nretry: 2\ndata: a\nother: y\n\n", []string{"a"}},
		"no data":           {"event: x\n\n\n\ndata: a\n\n", []string{"a"}},
		"cut off":           {"data: a\n\ndata: b", []string{"a", "b"}},
		"cut off in a name": {"data: a\n\ndat", []string{"a"}},
		"a byte order mark": {"\xef\xbb\xbfdata: a\n\n", []string{"a"}},
		"a longer name":     {"dataset: a\n\ndata: b\n\n", []string{"b"}},
		"empty":             {"data:\n\ndata\n\n", []string{"", ""}},
	} {
		t.Run(name, func(t *testing.T) {
			var e events
			e.begin([]byte(c.body))
			var got []string
			for data, ok := e.next(); ok; data, ok = e.next() {
				got = append(got, string(data))
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("%q, want %q", got, c.want)
			}
		})
	}
}

// However a text is cut into pieces, and however lines end, the answer is the
// text.
func TestPiecesAreTheWhole(t *testing.T) {
	d, err := NewDecoders(Options{Models: map[string]Model{"m": {}}})
	if err != nil {
		t.Fatal(err)
	}
	rapid.Check(t, func(t *rapid.T) {
		pieces := rapid.SliceOfN(rapid.String(), 1, 12).Draw(t, "pieces")
		end := rapid.SampledFrom([]string{"\n", "\r\n", "\r"}).Draw(t, "end")
		lines := rapid.Bool().Draw(t, "as lines")
		var body strings.Builder
		for i, p := range pieces {
			content, err := json.Marshal(p)
			if err != nil {
				t.Fatal(err)
			}
			last := i == len(pieces)-1
			if lines {
				body.WriteString(`{"message":{"content":` + string(content) + `},"done":` + map[bool]string{true: "true", false: "false"}[last] + "}\n")
				continue
			}
			body.WriteString(`data: {"choices":[{"delta":{"content":` + string(content) + `},"index":0}]}` + end + end)
		}
		if !lines {
			body.WriteString("data: [DONE]" + end + end)
		}
		x := chatExchange(body.String())
		if lines {
			x.Path = "/api/chat"
		}
		if _, err := d.Decode(x); err != nil {
			t.Fatal(err)
		}
		g := d.Generation()
		if want := strings.Join(pieces, ""); g.Truncated || len(g.Answers) > 1 || strings.Join(g.Answers, "") != strings.ToValidUTF8(want, "\ufffd") {
			t.Fatalf("%q, want %q", g.Answers, want)
		}
	})
}
