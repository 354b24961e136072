package measure

import (
	"fmt"
	"slices"
)

// Carry holds back the counts of groups that are too small to be told, window
// after window, until they have become large enough. Dropping them instead
// would erase minorities from every sum over windows and replicas. Nothing is
// lost: at any time, what was released and what is held add up to what was
// given. It is plain data, so that what is held can outlive a restart.
type Carry struct {
	Minimum uint64              `json:"minimum"` // rows from which on a group is released; 0 and 1 hold nothing back
	Held    map[string][]uint64 `json:"held,omitempty"`
}

// Pass gives what may be told of a group: the window's counts together with
// those held from before where they reach the minimum, else nil, and then they
// are held. The counts are disjoint cells, in the same order every time, for
// example favourable and unfavourable rows, and their sum is the group's rows.
// A group without rows is neither held nor released.
//
// It refuses another number of cells than is held and sums beyond 64 bits, and
// then changes nothing. The result is the caller's.
func (c *Carry) Pass(group string, counts []uint64) ([]uint64, error) {
	together := slices.Clone(counts)
	if held, ok := c.Held[group]; ok {
		if len(held) != len(counts) {
			return nil, fmt.Errorf("carry group %q: %d cells are held and %d given: %w", group, len(held), len(counts), ErrUndefined)
		}
		for i := range together {
			t := add(together[i], held[i])
			if t.overflow {
				return nil, fmt.Errorf("carry group %q: the counts add up to more than 64 bits: %w", group, ErrUndefined)
			}
			together[i] = t.count
		}
	}
	rows, ok := sum(together)
	if !ok {
		return nil, fmt.Errorf("carry group %q: the counts add up to more than 64 bits: %w", group, ErrUndefined)
	}
	switch {
	case rows == 0:
		return nil, nil
	case rows >= c.Minimum:
		delete(c.Held, group)
		return together, nil
	}
	if c.Held == nil {
		c.Held = map[string][]uint64{}
	}
	c.Held[group] = together
	return nil, nil
}

// Rows counts what is held back at present, over all groups.
func (c *Carry) Rows() uint64 {
	var rows uint64
	for _, counts := range c.Held {
		for _, n := range counts {
			rows += n
		}
	}
	return rows
}
