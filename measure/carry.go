package measure

import "fmt"

// GroupRows are the rows of one group of a protected attribute: how many there
// are, how many of them are favourable, and the sums over the requests that they
// came in. Parts of the data add up; the zero value is empty.
type GroupRows struct {
	Favourable uint64   `json:"favourable"`
	Total      uint64   `json:"total"`
	Requests   Requests `json:"requests"`
}

// plus adds two parts of the data; false where that takes more than 64 bits.
func (r GroupRows) plus(o GroupRows) (GroupRows, bool) {
	total := add(r.Total, o.Total)
	r.Total = total.count
	r.Favourable += o.Favourable // never more than the total
	r.Requests.Merge(o.Requests)
	return r, !total.overflow
}

// Carry holds back the counts of groups that are too small to be told, window
// after window, until they have become large enough. Dropping them instead
// would erase minorities from every sum over windows and replicas. Nothing is
// lost: at any time, what was released and what is held add up to what was
// given. It is plain data, so that what is held can outlive a restart.
type Carry struct {
	Minimum uint64               `json:"minimum"` // rows from which on a group is released; 0 and 1 hold nothing back
	Held    map[string]GroupRows `json:"held,omitempty"`
}

// Pass gives what may be told of a group: the window's rows together with those
// held from before where they reach the minimum; else false, and then they are
// held. A group without rows is neither held nor released, and one that was held
// under a larger minimum is released by a window without any of its rows.
//
// It refuses more favourable rows than rows and sums beyond 64 bits, and then
// changes nothing. No error names the group: it is too small to be told, in a log
// as well.
func (c *Carry) Pass(group string, rows GroupRows) (GroupRows, bool, error) {
	together, err := c.together(group, rows)
	switch {
	case err != nil:
		return GroupRows{}, false, err
	case together.Total == 0:
		return GroupRows{}, false, nil
	case together.Total >= c.Minimum:
		delete(c.Held, group)
		return together, true, nil
	}
	c.hold(group, together)
	return GroupRows{}, false, nil
}

// Hold holds rows back however many they are: those that Pass released and that
// could not be told after all. It refuses what Pass refuses.
func (c *Carry) Hold(group string, rows GroupRows) error {
	together, err := c.together(group, rows)
	if err == nil && together.Total > 0 {
		c.hold(group, together)
	}
	return err
}

func (c *Carry) together(group string, rows GroupRows) (GroupRows, error) {
	if rows.Favourable > rows.Total {
		return GroupRows{}, fmt.Errorf("carry a group: %d favourable among %d rows: %w", rows.Favourable, rows.Total, ErrUndefined)
	}
	together, ok := c.Held[group].plus(rows)
	if !ok {
		return GroupRows{}, fmt.Errorf("carry a group: the counts add up to more than 64 bits: %w", ErrUndefined)
	}
	return together, nil
}

func (c *Carry) hold(group string, rows GroupRows) {
	if c.Held == nil {
		c.Held = map[string]GroupRows{}
	}
	c.Held[group] = rows
}

// Check says whether a carry that was read from elsewhere can have been written
// by one: no group has more favourable rows than rows, or none at all.
func (c *Carry) Check() error {
	for _, rows := range c.Held {
		if rows.Total == 0 || rows.Favourable > rows.Total {
			return fmt.Errorf("carry a group: %d favourable among %d rows: %w", rows.Favourable, rows.Total, ErrUndefined)
		}
	}
	return nil
}

// Rows counts what is held back at present, over all groups.
func (c *Carry) Rows() uint64 {
	var rows uint64
	for _, held := range c.Held {
		rows += held.Total
	}
	return rows
}
