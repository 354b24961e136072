package main

import "testing"

// FuzzConfig holds that a configuration is refused or complete: a URL with a
// host, a positive timeout, and never a secret that is empty.
func FuzzConfig(f *testing.F) {
	for _, s := range []string{
		`{"url":"https://example.org/hook"}`, `{"url":"http://10.0.0.1"}`, `{"url":"http://[::1]:80","allow_private":true}`,
		`{"url":"https://u:p@example.org","timeout":"1h"}`, `{}`, `null`, `[]`, `{"url":"http://0x7f.1"}`, `{"url":"//example.org"}`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		c, err := parseConfig(raw)
		if err != nil {
			return
		}
		if c.url.Hostname() == "" || c.timeout <= 0 || c.secret != nil && len(c.secret) == 0 {
			t.Errorf("%s was accepted as %+v", raw, c)
		}
	})
}
