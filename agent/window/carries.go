package window

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"sync"

	"github.com/evenkeel/evenkeel/internal/errs"
	"github.com/evenkeel/evenkeel/internal/wholefile"
	"github.com/evenkeel/evenkeel/measure"
	"github.com/evenkeel/evenkeel/signal"
)

// Carries keeps, in a file, the counts of groups that are too small to be told,
// so that a restart goes on carrying them. The file is replaced as a whole, and
// synced, when a window closes and before it is handed over. A crash between the
// two loses what that window was to tell, with the rest of the window, and its
// sequence number, which is taken already, shows the gap; the other way round
// the rows would be told twice, and nobody could see it.
//
// Counts are kept apart by what they may be added to: model version, attribute,
// meaning of favourable and sampling rate. What was held under settings that have
// changed stays in the file, and comes back with them.
//
// A nil *Carries keeps nothing: what is held does not outlive the process. One
// process may use the file at a time; the owner of the state folder sees to that.
type Carries struct {
	path string

	mu      sync.Mutex
	tables  []heldTable
	unsaved bool // the file lacks rows that are held
	faults  CarryFaults
}

// CarryFaults counts what went wrong with the file since it was opened.
type CarryFaults struct {
	Corrupt uint64 // 1 where the file could not be understood and was put aside
	Unsaved uint64 // windows that closed while it could not be written
}

// heldTable is what is held of one attribute; a table without groups is not kept.
type heldTable struct {
	heldKey
	Groups map[string]measure.GroupRows `json:"groups"`
}

// heldKey is what counts may be added under.
type heldKey struct {
	Model     signal.ModelRef    `json:"model"`
	Attribute signal.FeatureName `json:"attribute"`
	Bounds    signal.Digest      `json:"bounds"`
	Rate      float64            `json:"rate"`
}

// OpenCarries reads the file at path, which need not exist yet; its folder must.
//
// A file that cannot be understood is renamed to path.corrupt, and Carries begins
// empty: monitoring goes on without the few rows that it held. Both results are
// then there: the error is for the log. Where the file cannot be read at all
// there is only an error.
func OpenCarries(path string) (*Carries, error) {
	c := &Carries{path: path}
	err := wholefile.ReadJSON(path, &c.tables)
	switch {
	case err == nil:
		err = checkTables(c.tables)
	case !errors.Is(err, wholefile.ErrDamaged):
		return nil, fmt.Errorf("read small groups that are held back: %w", err)
	}
	if err == nil {
		return c, nil
	}
	c.tables, c.faults.Corrupt = nil, 1
	aside := path + ".corrupt"
	hint := "it begins anew; the rows held in it are in no window unless you mend " + aside + ", stop the agent and put it back"
	if moved := os.Rename(path, aside); moved != nil {
		err = errors.Join(err, moved)
		hint = "it begins anew and is replaced; the rows held in it are in no window"
	}
	return c, errs.E("read small groups that are held back, "+path, errs.Corrupt, err, hint)
}

// checkTables refuses what cannot have been written.
func checkTables(tables []heldTable) error {
	for i, t := range tables {
		carry := measure.Carry{Held: t.Groups}
		if err := carry.Check(); err != nil {
			return err
		}
		if slices.ContainsFunc(tables[:i], func(o heldTable) bool { return o.heldKey == t.heldKey }) {
			return fmt.Errorf("attribute %s of %s is there twice", t.Attribute, t.Model)
		}
	}
	return nil
}

// Faults gives the running counts.
func (c *Carries) Faults() CarryFaults {
	if c == nil {
		return CarryFaults{}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.faults
}

// held gives the groups that are held under a key; the map is the caller's.
func (c *Carries) held(key heldKey) map[string]measure.GroupRows {
	if c == nil {
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, t := range c.tables {
		if t.heldKey == key {
			return maps.Clone(t.Groups)
		}
	}
	return nil
}

// save puts tables in the place of those of the same keys and makes them durable.
// On an error Carries is as it was, and so is the file or what a crash makes of
// it.
func (c *Carries) save(tables []heldTable) error {
	if c == nil {
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	after, changed := c.with(tables)
	if !changed && !c.unsaved {
		return nil
	}
	if err := wholefile.ReplaceJSON(c.path, after); err != nil {
		c.unsaved = true
		c.faults.Unsaved++
		return fmt.Errorf("save small groups that are held back: %w", err)
	}
	c.tables, c.unsaved = after, false
	return nil
}

// keep puts tables in the place of those of the same keys until the next save.
func (c *Carries) keep(tables []heldTable) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.tables, _ = c.with(tables)
	c.unsaved = true
}

// with gives all tables with the given ones in place, and says whether that is
// a change.
func (c *Carries) with(tables []heldTable) (after []heldTable, changed bool) {
	after = slices.Clone(c.tables)
	for _, t := range tables {
		t.Groups = maps.Clone(t.Groups) // the caller goes on counting in its own
		i := slices.IndexFunc(after, func(o heldTable) bool { return o.heldKey == t.heldKey })
		switch {
		case i < 0 && len(t.Groups) > 0:
			after, changed = append(after, t), true
		case i >= 0 && len(t.Groups) == 0:
			after, changed = slices.Delete(after, i, i+1), true
		case i >= 0 && !maps.Equal(after[i].Groups, t.Groups):
			after[i], changed = t, true
		}
	}
	return after, changed
}
