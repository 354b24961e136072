package faults

import (
	"fmt"
	"io"
	"sync"
	"text/tabwriter"
)

// figure is what one scenario comes to, over all tables.
type figure struct {
	scenario                               string
	kills                                  int
	acknowledged, stored, lost, duplicated int
}

var figures struct {
	mu  sync.Mutex
	all []figure
}

func (f *figure) add(acknowledged, stored, lost, duplicated int) {
	f.acknowledged += acknowledged
	f.stored += stored
	f.lost += lost
	f.duplicated += duplicated
}

// report keeps a figure for the table at the end.
func (f *figure) report() {
	figures.mu.Lock()
	defer figures.mu.Unlock()
	figures.all = append(figures.all, *f)
}

// printFigures writes the table. What is stored may be more than what was
// acknowledged: the answer to a request can be lost as well.
func printFigures(to io.Writer) {
	figures.mu.Lock()
	defer figures.mu.Unlock()
	if len(figures.all) == 0 {
		return
	}
	w := tabwriter.NewWriter(to, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "kills\tacknowledged\tstored\tlost\tduplicated\t  scenario")
	sum := figure{scenario: "all"}
	for _, f := range append(figures.all, figure{}) {
		if f.scenario == "" {
			f = sum
		}
		fmt.Fprintf(w, "%d\t%d\t%d\t%d\t%d\t  %s\n", f.kills, f.acknowledged, f.stored, f.lost, f.duplicated, f.scenario)
		sum.kills += f.kills
		sum.add(f.acknowledged, f.stored, f.lost, f.duplicated)
	}
	_ = w.Flush() // a table that cannot be printed has no other place either
}
