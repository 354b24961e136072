package wire

import (
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/evenkeel/evenkeel/signal"
)

const aTrace = "4bf92f3577b34da6a3ce929d0e0e4736"

// The body's id counts before that of the headers, whatever stands around it.
func TestRequestIsNamedByItsBodyElseByItsHeaders(t *testing.T) {
	const inputs = `"inputs":[{"name":"x","shape":[2],"datatype":"FP64","data":[1,2]}]`
	d := NewOIP(OIPOptions{})
	for body, want := range map[string]string{
		`{` + inputs + `}`:                                         "header",
		`{"id":"body",` + inputs + `}`:                             "body",
		`{` + inputs + `,"id":"body"}`:                             "body",
		`{"id":"b\u00f6\"dy",` + inputs + `}`:                      `bö"dy`,
		`{"id":"",` + inputs + `}`:                                 "header",
		`{"id":null,` + inputs + `}`:                               "header",
		`{"id":17,` + inputs + `}`:                                 "header",
		`{"id":{"id":["x"]},` + inputs + `}`:                       "header",
		`{"parameters":{"id":"no"},` + inputs + `}`:                "header",
		`{"id":"first","id":"second",` + inputs + `}`:              "second",
		`{"id":"` + strings.Repeat("x", 256) + `",` + inputs + `}`: strings.Repeat("x", 256),
		`{"id":"` + strings.Repeat("x", 257) + `",` + inputs + `}`: "header",
	} {
		x := exchange(body, okAnswer)
		x.ID, x.Trace = "header", "00-"+aTrace+"-00f067aa0ba902b7-01"
		o, err := d.Decode(x)
		if err != nil {
			t.Fatalf("%s: %v", body, err)
		}
		if o.Request != want || o.TraceID != aTrace {
			t.Errorf("%s: named %q in trace %q, want %q", body, o.Request, o.TraceID, want)
		}
	}
	o, err := d.Decode(exchange(`{`+inputs+`}`, okAnswer))
	if err != nil || o.Request != "" || o.TraceID != "" {
		t.Errorf("named %q in trace %q, %v: an id of the answer or of an earlier request", o.Request, o.TraceID, err)
	}
}

func TestTraceID(t *testing.T) {
	for header, want := range map[string]string{
		"00-" + aTrace + "-00f067aa0ba902b7-01":                         aTrace,
		" 00-" + aTrace + "-00f067aa0ba902b7-00 ":                       aTrace,
		"cc-" + aTrace + "-00f067aa0ba902b7-01-what-the-future-will-be": aTrace,
		"00-" + aTrace + "-00f067aa0ba902b7-01-more":                    "",
		"cc-" + aTrace + "-00f067aa0ba902b7-01.more":                    "",
		"ff-" + aTrace + "-00f067aa0ba902b7-01":                         "",
		"00-" + strings.ToUpper(aTrace) + "-00f067aa0ba902b7-01":        "",
		"00-" + strings.Repeat("0", 32) + "-00f067aa0ba902b7-01":        "",
		"00-" + aTrace + "-" + strings.Repeat("0", 16) + "-01":          "",
		"00-" + aTrace + "-00f067aa0ba902b7-0":                          "",
		"00-" + aTrace + "-00f067aa0ba902b7-0g":                         "",
		"00_" + aTrace + "-00f067aa0ba902b7-01":                         "",
		"":                                                              "", "00": "", aTrace: "",
	} {
		if got := traceID(header); got != want {
			t.Errorf("%q: %q, want %q", header, got, want)
		}
	}
}

// Whatever the header is, what comes of it is fit to be sent.
func TestTraceIDIsOneOrNone(t *testing.T) {
	digits := rapid.StringOfN(rapid.RuneFrom([]rune("0123456789abcdefg-")), 0, 60, -1)
	rapid.Check(t, func(t *rapid.T) {
		header := digits.Draw(t, "header")
		if rapid.Bool().Draw(t, "well formed") {
			hex := func(n int) string {
				return rapid.StringOfN(rapid.RuneFrom([]rune("0123456789abcdef")), n, n, -1).Draw(t, "hex")
			}
			header = "00-" + hex(32) + "-" + hex(16) + "-" + hex(2)
		}
		p := signal.Prediction{Model: signal.ModelRef{Name: "m"}, ID: "i", TraceID: traceID(header)}
		if err := p.Validate(); err != nil {
			t.Fatalf("%q: %v", header, err)
		}
	})
}
