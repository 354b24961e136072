package register

import (
	"fmt"

	"github.com/evenkeel/evenkeel/collector/model"
)

// Verify checks one record's events, by seq ascending: numbered from 1 without
// gaps, each hash right, each linked to the one before. It gives the first
// fault, or nil.
func Verify(events []model.RegisterEvent) *model.ChainFault {
	for i := range events {
		ev := &events[i]
		fault := func(format string, args ...any) *model.ChainFault {
			return &model.ChainFault{Record: ev.Record, Seq: ev.Seq, Reason: fmt.Sprintf(format, args...)}
		}
		if want := uint64(i) + 1; ev.Seq != want {
			return fault("expected seq %d here", want)
		}
		if i == 0 && ev.PrevHash != "" {
			return fault("the first event names a predecessor")
		}
		if i > 0 && ev.PrevHash != events[i-1].Hash {
			return fault("it does not follow the event before it")
		}
		hash, err := hashOf(ev)
		if err != nil {
			return fault("%v", err)
		}
		if hash != ev.Hash {
			return fault("its content does not match its hash")
		}
	}
	return nil
}
