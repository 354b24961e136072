package evaluate

import (
	"testing"

	"pgregory.net/rapid"
)

// The key is the canonical JSON, however it is written.
func TestSubjectKeyIsCanonicalJSON(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		subject := rapid.MapOf(rapid.String(), rapid.OneOf(rapid.String(), rapid.StringMatching(`[ -~]{0,20}`))).Draw(t, "subject")
		if got, want := subjectKey(subject), canonicalKey(subject); got != want {
			t.Fatalf("%s, want %s", got, want)
		}
	})
}
