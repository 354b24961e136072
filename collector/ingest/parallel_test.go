package ingest

import (
	"context"
	"fmt"
	"sync"
	"testing"

	"github.com/evenkeel/evenkeel/collector/model"
	"github.com/evenkeel/evenkeel/collector/spool"
	"github.com/evenkeel/evenkeel/collector/store/storetest"
)

// together lets nobody write before so many are there at once.
type together struct {
	store model.Writer
	size  int

	mu     sync.Mutex
	here   int
	gather chan struct{} // closed when all are there
}

func (w *together) Write(ctx context.Context, batch model.Batch, rows *model.Rows, doubt model.Doubt) error {
	w.mu.Lock()
	if w.here == 0 {
		w.gather = make(chan struct{})
	}
	gather := w.gather
	if w.here++; w.here == w.size {
		w.here = 0
		close(gather)
	}
	w.mu.Unlock()
	select {
	case <-gather:
	case <-ctx.Done():
		return ctx.Err()
	}
	return w.store.Write(ctx, batch, rows, doubt)
}

// TestWhatPiledUpIsStoredInParallel stores batches four at a time: were it fewer, none
// would be stored at all. Each is there once, and the spool is empty.
func TestWhatPiledUpIsStoredInParallel(t *testing.T) {
	store := storetest.Open(t)
	s := serve(t, nil, func(o *spool.Options) { o.BatchRecords = 1 })
	client := s.logsClient(t)
	const batches = 12
	for i := range batches {
		if _, err := client.Export(t.Context(), oneLog(fmt.Sprint(i))); err != nil {
			t.Fatal(err)
		}
	}
	front := &together{store: store, size: 4}
	o := drainOptions()
	o.Parallel = 4
	stop := run(t, NewDrain(o, s.spool, front, s.health).Run)
	s.waitUntilStored(t)
	stop()
	expectCounted(t, store, batches)
	if st := s.spool.Stats(); st.Settled != st.Last {
		t.Errorf("%+v", st)
	}
}
