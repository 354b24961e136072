package window

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/evenkeel/evenkeel/internal/errs"
)

// What was held under another meaning of favourable, another rate or another
// version is not added, and comes back with its settings.
func TestHeldCountsAreNotMixed(t *testing.T) {
	o := options(t, nil)
	o.MinCell = 5
	f := newOffice(t, o, filepath.Join(t.TempDir(), "held.json"))
	f.p.Observe(people(few("female", 1, 3)))
	f.close()
	for what, change := range map[string]func(o *Options){
		"outcome": func(o *Options) { o.Outcome.Values = []string{"0"} },
		"rate":    func(o *Options) { o.Rate = 0.5 },
		"version": func(o *Options) { o.Model.Version = "2" },
	} {
		f.o = o
		f.o.Sink = f.take
		change(&f.o)
		f.start(t)
		if d := groupsOf(t, f.close()); d.Held != 0 {
			t.Errorf("another %s: %d rows are held", what, d.Held)
		}
	}
	f.o = o
	f.o.Sink = f.take
	f.start(t)
	f.p.Observe(people(few("female", 1, 3)))
	if d := groupsOf(t, f.close()); d.Held != 0 || len(d.Groups) != 1 || d.Groups[0].Total != 6 {
		t.Errorf("with the settings as they were: %+v", d)
	}
}

func TestADamagedCarryStartsEmpty(t *testing.T) {
	for name, content := range map[string]string{
		"cut off":              `[{"model":{"name":"loans"},`,
		"no table":             `{"minimum":5}`,
		"more than there are":  `[{"attribute":"gender","groups":{"few people":{"favourable":3,"total":2}}}]`,
		"negative":             `[{"attribute":"gender","groups":{"a":{"favourable":0,"total":-2}}}]`,
		"the same table twice": `[{"attribute":"gender","groups":{}},{"attribute":"gender","groups":{}}]`,
	} {
		path := filepath.Join(t.TempDir(), "held.json")
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		c, err := OpenCarries(path)
		var fault *errs.Error
		if !errors.As(err, &fault) || fault.Kind != errs.Corrupt || !strings.Contains(fault.Hint, path+".corrupt") {
			t.Errorf("%s: %v", name, err)
		}
		if strings.Contains(err.Error(), "few people") {
			t.Errorf("%s: the log would tell of a group that is too small to be told: %v", name, err)
		}
		if c == nil || c.Faults().Corrupt != 1 {
			t.Fatalf("%s: the corrupt file is not counted", name)
		}
		if kept, err := os.ReadFile(path + ".corrupt"); err != nil || string(kept) != content {
			t.Errorf("%s: put aside as %q, %v", name, kept, err)
		}
		o := options(t, func(*Closed) {})
		o.Carries, o.MinCell = c, 5
		p := profiler(t, o)
		p.Observe(people(few("female", 1, 3)))
		p.Flush()
		if again := carries(t, path); len(again.tables) != 1 {
			t.Errorf("%s: it does not go on: %+v", name, again.tables)
		}
	}
	if c, err := OpenCarries(t.TempDir()); err == nil || c != nil {
		t.Errorf("a folder was opened as a file: %v", err)
	}
}

// tablesOf reads tables as OpenCarries does.
func tablesOf(raw []byte) (tables []heldTable, err error) {
	if err = json.Unmarshal(raw, &tables); err == nil {
		err = checkTables(tables)
	}
	return tables, err
}

// FuzzCarries: what is taken can be written and read again, and nothing that is
// taken has more favourable rows than rows.
func FuzzCarries(f *testing.F) {
	f.Add([]byte(`[{"model":{"name":"loans","version":"1"},"attribute":"gender","bounds":"sha256:00","rate":1,"groups":{"a":{"favourable":1,"total":2,"requests":{"count":1,"rows":2}}}}]`))
	f.Add([]byte(`[]`))
	f.Add([]byte(`[{"groups":{"":{}}}]`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		tables, err := tablesOf(raw)
		if err != nil {
			return
		}
		for _, table := range tables {
			for group, rows := range table.Groups {
				if rows.Favourable > rows.Total || rows.Total == 0 {
					t.Fatalf("%q: %+v", group, rows)
				}
			}
		}
		written, err := json.Marshal(tables)
		if err != nil {
			t.Fatal(err)
		}
		if again, err := tablesOf(written); err != nil || !reflect.DeepEqual(again, tables) {
			t.Fatalf("%v written and read again is %v, %v", tables, again, err)
		}
	})
}
