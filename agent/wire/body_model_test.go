package wire

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
)

func TestBodyModel(t *testing.T) {
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	_, _ = z.Write([]byte(`{"model":"packed"}`))
	_ = z.Close()
	b := NewBodyModel(1 << 10)
	for _, c := range []struct{ body, encoding, want string }{
		{`{"model":"a","messages":[]}`, "", "a"},
		{`{"messages":[{"role":"user","content":"{\"model\":\"no\"}","model":"no"}],"model":"last"}`, "", "last"},
		{`{"model":"first","model":"second"}`, "", "first"},
		{`{"model":"a\u002fb"}`, "", "a/b"},
		{packed.String(), "gzip", "packed"},
		{`{"model":"a"`, "", "a"}, // what follows does not matter
		{`{"model":7}`, "", ""},
		{`{"messages":[]}`, "", ""},
		{`["model","a"]`, "", ""},
		{`{"x":`, "", ""},
		{"", "", ""},
		{`{"model":"` + strings.Repeat("x", maxName+1) + `"}`, "", ""},
		{`{"model":"a"}`, "snappy", ""},
	} {
		got, ok := b.Of(&Message{Body: []byte(c.body), ContentEncoding: c.encoding})
		if !ok {
			got = ""
		}
		if got != c.want || ok != (c.want != "") {
			t.Errorf("%.60q: %q %v, want %q", c.body, got, ok, c.want)
		}
	}
}

// URLs that name no model are of the shared one, whatever others there are; those
// that name one are of that.
func TestSharedModel(t *testing.T) {
	d, err := NewDecoders(Options{Models: map[string]Model{
		";openai": {Protocol: OpenAI, Shared: true}, "small": {Protocol: OpenAI}, "large": {Protocol: OpenAI}, "trees": {},
	}})
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		"/v1/chat/completions": ";openai", "/openai/deployments/small/embeddings": "small", "/v2/models/trees/infer": "trees", "/api/chat": "trees",
	} {
		r, _ := http.NewRequest(http.MethodPost, path, nil)
		if got, ok := d.Wants(r); got != want || !ok {
			t.Errorf("%s is of %q %v, want %q", path, got, ok, want)
		}
	}
}

// Of every object the model is what encoding/json finds first.
func FuzzBodyModel(f *testing.F) {
	for _, seed := range []string{`{"model":"a"}`, `{"a":{"model":1},"model":"b"}`, `{"model":"\ud800"}`, `{"model":null,"model":"x"}`, "{"} {
		f.Add([]byte(seed))
	}
	b := NewBodyModel(1 << 16)
	f.Fuzz(func(t *testing.T, body []byte) {
		got, ok := b.Of(&Message{Body: body})
		if len(got) > maxName && ok {
			t.Errorf("a name of %d bytes", len(got))
		}
		var plain map[string]json.RawMessage
		if json.Unmarshal(body, &plain) != nil || bytes.Count(body, []byte(`model`)) != 1 || bytes.Contains(body, []byte(`\`)) {
			return // what is no object, or has several, is judged above
		}
		var want string
		err := json.Unmarshal(plain["model"], &want)
		if wanted := err == nil && plain["model"] != nil && plain["model"][0] == '"' && len(want) <= maxName; wanted != ok || ok && got != want {
			t.Errorf("%q: %q %v, want %q", body, got, ok, want)
		}
	})
}
