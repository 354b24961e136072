package replica

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"slices"

	"github.com/google/uuid"

	"github.com/evenkeel/evenkeel/collector/model"
	"github.com/evenkeel/evenkeel/internal/errs"
	"github.com/evenkeel/evenkeel/internal/wholefile"
)

// Era is a number of the store's and the first record that is counted with it.
type Era struct {
	Number uint32 `json:"number"`
	Base   uint64 `json:"base"`
}

// Replica is who a data folder is to its store. It does not change after Open,
// and is safe for concurrent use.
type Replica struct {
	ID   string `json:"id"`
	Eras []Era  `json:"eras"` // by base
}

// tries is how many numbers are claimed before giving up: others would have to be
// as fast as often.
const tries = 32

// spread is among how many free numbers one is chosen by chance, so that replicas
// which start together seldom meet.
const spread = 16

// Open reads who the data folder is from a file, or makes it, and makes sure that
// the newest number is its own in this store. Next is the first record that no
// batch has yet (spool.Uncut). A file that cannot be read as such is
// errs.Corrupt: without it batches that are under way have no number.
func Open(ctx context.Context, path string, store model.ReplicaStore, next uint64) (*Replica, error) {
	r, err := read(path)
	if err != nil {
		return nil, err
	}
	own, err := r.ownsNewest(ctx, store, next)
	if err != nil {
		return nil, fmt.Errorf("who this replica is: %w", err)
	}
	if own {
		return r, nil
	}
	number, err := claim(ctx, store, r.ID)
	if err != nil {
		return nil, fmt.Errorf("who this replica is: %w", err)
	}
	r.begin(Era{Number: number, Base: next})
	raw, err := json.MarshalIndent(r, "", "  ")
	if err == nil {
		err = wholefile.Replace(path, append(raw, '\n'))
	}
	if err != nil {
		return nil, errs.E("keep who this replica is", errs.Other, err, "make sure that "+path+" can be written")
	}
	return r, nil
}

func read(path string) (*Replica, error) {
	raw, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return &Replica{ID: uuid.NewString()}, nil
	}
	r := &Replica{}
	if err == nil {
		err = json.Unmarshal(raw, r)
	}
	if err == nil {
		err = r.check()
	}
	if err != nil {
		return nil, errs.E("read who this replica is", errs.Corrupt, fmt.Errorf("%s: %w", path, err),
			"put the file back; it may be removed only while the spool is empty")
	}
	return r, nil
}

func (r *Replica) check() error {
	switch {
	case r.ID == "" || len(r.Eras) == 0:
		return errors.New("no id, or no number")
	case !slices.IsSortedFunc(r.Eras, func(a, b Era) int { return cmp.Compare(a.Base, b.Base) }):
		return errors.New("eras are not in order")
	}
	for _, e := range r.Eras {
		if e.Number < model.FirstReplica || e.Number > model.LastReplica {
			return fmt.Errorf("there is no number %d", e.Number)
		}
	}
	return nil
}

// ownsNewest says whether the newest era goes on. A number that nobody has in
// this store, since it is a new one, is claimed again.
func (r *Replica) ownsNewest(ctx context.Context, store model.ReplicaStore, next uint64) (bool, error) {
	if len(r.Eras) == 0 {
		return false, nil
	}
	newest := r.Eras[len(r.Eras)-1]
	if next < newest.Base || next-newest.Base >= model.ReplicaSpan/2 {
		return false, nil
	}
	claims, err := store.Replicas(ctx)
	if err != nil {
		return false, err
	}
	mine := model.ReplicaClaim{Number: newest.Number, ID: r.ID}
	if slices.Contains(claims, mine) {
		return alone(claims, mine), nil
	}
	return try(ctx, store, mine)
}

// begin adds an era. One that begins before the newest means that the spool was
// made anew by a clock that was set back: nothing is under way then.
func (r *Replica) begin(e Era) {
	r.Eras = slices.DeleteFunc(r.Eras, func(o Era) bool { return o.Base >= e.Base })
	r.Eras = append(r.Eras, e)
}

// Batch gives the number of a range of the spool by its first record. Half of a
// number's batches are free when the process starts, which are more than it can
// take in its life. What was cut before the first era has the number that it had.
func (r *Replica) Batch(first uint64) model.Batch {
	for _, e := range slices.Backward(r.Eras) {
		if first >= e.Base {
			return model.ReplicaBatch(e.Number, first-e.Base)
		}
	}
	return model.SpoolBatch(first)
}

// Number is that of the newest era.
func (r *Replica) Number() uint32 { return r.Eras[len(r.Eras)-1].Number }

// claim finds a number that nobody else has.
func claim(ctx context.Context, store model.ReplicaStore, id string) (uint32, error) {
	for range tries {
		claims, err := store.Replicas(ctx)
		if err != nil {
			return 0, err
		}
		least := uint32(model.FirstReplica)
		for _, c := range claims {
			least = max(least, c.Number+1)
		}
		want := model.ReplicaClaim{Number: least + rand.Uint32N(spread), ID: id}
		if want.Number > model.LastReplica {
			return 0, errs.E("claim a replica's number", errs.Other, fmt.Errorf("all %d are taken", model.LastReplica), "use another clickhouse.database")
		}
		if got, err := try(ctx, store, want); got || err != nil {
			return want.Number, err
		}
	}
	return 0, errs.E("claim a replica's number", errs.Unavailable, fmt.Errorf("others were as fast %d times", tries), "")
}

// try claims one number and says whether it is got.
func try(ctx context.Context, store model.ReplicaStore, want model.ReplicaClaim) (bool, error) {
	if err := store.ClaimReplica(ctx, want); err != nil {
		return false, err
	}
	claims, err := store.Replicas(ctx)
	return err == nil && alone(claims, want), err
}

func alone(claims []model.ReplicaClaim, mine model.ReplicaClaim) bool {
	return !slices.ContainsFunc(claims, func(c model.ReplicaClaim) bool { return c.Number == mine.Number && c.ID != mine.ID })
}
