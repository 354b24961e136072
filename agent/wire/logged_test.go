package wire

import (
	"errors"
	"fmt"
	"testing"
)

// A payload logger tells the model and the bodies, and not the URL.
func TestExchangesWithoutAURL(t *testing.T) {
	d, err := NewDecoders(Options{Models: map[string]Model{
		"loans":     {},
		"torch":     {Protocol: TorchServe},
		"v2":        {Protocol: OpenInference},
		"elsewhere": {Protocol: Mapped, Path: "/ask", Inputs: Side{At: "/rows"}, Outputs: Side{At: "/answers"}},
	}})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ model, request, answer, want string }{
		{"loans", okRequest, okAnswer, "2 rows"},
		{"loans", `{"parameters":{"instances":1},"id":"i","inputs":[{"name":"x","shape":[2],"datatype":"FP32","data":[1,2]}]}`, okAnswer, "2 rows i"},
		{"loans", `{"instances":[[1,2],[3,4],[5,6]]}`, `{"predictions":[0,1,0]}`, "3 rows"},
		{"loans", `{"inputs":{"x":[1,2]}}`, `{"outputs":{"y":[1,2]}}`, "2 rows"},
		{"loans", `{"dataframe_split":{"columns":["a"],"data":[[1],[2]]}}`, `{"predictions":[1,0]}`, "2 rows"},
		{"loans", `{"data":{"names":["a"],"ndarray":[[1],[2]]}}`, `{"data":{"ndarray":[[1],[2]]}}`, "2 rows"},
		{"loans", `[{"a":1},{"a":2}]`, `{"predictions":[1,0]}`, "2 rows"},
		{"torch", `{"data":[{"x":1}]}`, `[1]`, "1 rows"},
		{"v2", okRequest, okAnswer, "2 rows"},
		{"v2", `{"instances":[[1,2]]}`, `{"predictions":[0]}`, string(NotInference)},
		{"elsewhere", `{"rows":[{"x":1}]}`, `{"answers":[7]}`, "1 rows"},
		{"loans", `{"broken`, okAnswer, string(BadJSON)},
		{"loans", "\x89PNG", okAnswer, string(BadJSON)},
		{"other", okRequest, okAnswer, string(NotInference)},
	} {
		x := exchange(c.request, c.answer)
		x.Path, x.Model = "", c.model
		got := ""
		if obs, err := d.Decode(x); err != nil {
			got = string(err.(*Fault).Reason)
		} else {
			got = fmt.Sprint(obs.Rows, " rows")
			if obs.Request != "" {
				got += " " + obs.Request
			}
			if obs.Model.Name != c.model {
				t.Errorf("%s: an observation of %s", c.request, obs.Model)
			}
		}
		if got != c.want {
			t.Errorf("%s: %s: %s, want %s", c.model, c.request, got, c.want)
		}
	}
}

// Whatever was logged, the outcome is an observation that is whole, or a fault.
func FuzzExchangesWithoutAURL(f *testing.F) {
	for _, body := range []string{okRequest, `{"instances":[[1,2]]}`, `{"inputs":{"x":[1]}}`, `{"data":{"ndarray":[[1]]}}`, `[{"a":1}]`, `{"inputs":[`, `{"`} {
		f.Add([]byte(body), []byte(`{"predictions":[1]}`))
	}
	d, err := NewDecoders(Options{Models: map[string]Model{"loans": {}}, MaxInflated: 1 << 16})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, request, answer []byte) {
		x := &Exchange{Model: "loans", Status: 200, End: answered, Request: Message{Body: request}, Response: Message{Body: answer}}
		obs, err := d.Decode(x)
		if f := new(Fault); err != nil && !errors.As(err, &f) {
			t.Fatalf("%v is no fault", err)
		}
		checkWhole(t, obs)
	})
}
