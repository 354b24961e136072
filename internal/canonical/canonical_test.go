package canonical

import (
	"math"
	"testing"

	"pgregory.net/rapid"
)

func TestJSONOrdersKeysAndWritesNumbersOneWay(t *testing.T) {
	got, err := JSON(map[string]any{"b": 1e21, "a": []any{1.0, "é", nil}, "": true})
	if err != nil {
		t.Fatal(err)
	}
	if want := `{"":true,"a":[1,"é",null],"b":1e+21}`; string(got) != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if _, err := JSON(math.NaN()); err == nil {
		t.Error("NaN has no JSON form")
	}
}

func TestEqualContentHasEqualDigest(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := rapid.MapOf(rapid.String(), rapid.Float64()).Draw(t, "content")
		copied := make(map[string]float64, len(m))
		for k, v := range m {
			copied[k] = v
		}
		a, errA := Digest(m)
		b, errB := Digest(copied)
		if a != b || (errA == nil) != (errB == nil) {
			t.Fatalf("%v: %s %v, %s %v", m, a, errA, b, errB)
		}
	})
}
