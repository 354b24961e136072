package nearest

import "testing"

func TestName(t *testing.T) {
	known := []string{"income", "gender", "age"}
	for written, want := range map[string]string{
		"incme":   "income",
		"income":  "income",
		"gendre":  "gender",
		"postage": "",
		"":        "",
	} {
		if got := Name(written, known); got != want {
			t.Errorf("Name(%q) = %q, want %q", written, got, want)
		}
	}
	if got := Name("anything", nil); got != "" {
		t.Errorf("without known names: %q", got)
	}
}
