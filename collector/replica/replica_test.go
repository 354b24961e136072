package replica_test

import (
	"context"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"pgregory.net/rapid"

	"github.com/evenkeel/evenkeel/collector/model"
	"github.com/evenkeel/evenkeel/collector/replica"
	"github.com/evenkeel/evenkeel/collector/store/clickhouse"
	"github.com/evenkeel/evenkeel/collector/store/storetest"
	"github.com/evenkeel/evenkeel/internal/errs"
)

func TestMain(m *testing.M) { storetest.Main(m) }

func open(t *testing.T, path string, store model.ReplicaStore, next uint64) *replica.Replica {
	t.Helper()
	r, err := replica.Open(t.Context(), path, store, next)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestADataFolderKeepsItsNumber(t *testing.T) {
	store, path := storetest.Open(t), filepath.Join(t.TempDir(), "replica.json")
	first := open(t, path, store, 1000)
	again := open(t, path, store, 5000)
	if first.Number() != again.Number() || first.Batch(4000) != again.Batch(4000) {
		t.Errorf("number %d and batch %d, after a restart %d and %d", first.Number(), first.Batch(4000), again.Number(), again.Batch(4000))
	}
	if got, want := again.Batch(999), model.SpoolBatch(999); got != want {
		t.Errorf("a range cut before there were numbers is batch %d, not %d", got, want)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info, err)
	}
}

// TestReplicasThatStartTogetherHaveNumbersOfTheirOwn lets more of them claim at
// once than there are numbers to choose from at a time.
func TestReplicasThatStartTogetherHaveNumbersOfTheirOwn(t *testing.T) {
	store, folder := storetest.Open(t), t.TempDir()
	const many = 24
	found := make([]*replica.Replica, many)
	var all sync.WaitGroup
	for i := range many {
		all.Go(func() {
			var err error
			path := filepath.Join(folder, string(rune('a'+i)))
			for found[i] == nil { // Unavailable: others were as fast too often
				if found[i], err = replica.Open(context.Background(), path, store, 77); err != nil && !errs.Retryable(err) {
					t.Error(err)
					return
				}
			}
		})
	}
	all.Wait()
	owner := map[model.Batch]int{}
	for i, r := range found {
		if r == nil {
			continue
		}
		if other, taken := owner[r.Batch(77)]; taken {
			t.Errorf("replicas %d and %d both have number %d", i, other, r.Number())
		}
		owner[r.Batch(77)] = i
	}
}

// taken answers as a store in which somebody else claims, right before the answer,
// what was claimed: the one that reads last sees both and must leave it.
type taken struct {
	*clickhouse.Store
	left int
}

func (s *taken) ClaimReplica(ctx context.Context, c model.ReplicaClaim) error {
	if s.left > 0 {
		s.left--
		if err := s.Store.ClaimReplica(ctx, model.ReplicaClaim{Number: c.Number, ID: "somebody else"}); err != nil {
			return err
		}
	}
	return s.Store.ClaimReplica(ctx, c)
}

func TestANumberThatAnotherClaimsIsLeft(t *testing.T) {
	store := &taken{Store: storetest.Open(t), left: 3}
	r := open(t, filepath.Join(t.TempDir(), "replica.json"), store, 1)
	claims, err := store.Replicas(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range claims {
		if c.Number == r.Number() && c.ID != r.ID {
			t.Errorf("number %d is also %s's", c.Number, c.ID)
		}
	}
	if len(claims) != 7 {
		t.Errorf("%d claims: %v", len(claims), claims)
	}
}

func TestAnotherStoreWhereTheNumberIsTakenBeginsAnEra(t *testing.T) {
	path := filepath.Join(t.TempDir(), "replica.json")
	old, other := storetest.Open(t), storetest.Open(t)
	before := open(t, path, old, 100)
	for n := range uint32(40) {
		if err := other.ClaimReplica(t.Context(), model.ReplicaClaim{Number: model.FirstReplica + n, ID: "somebody else"}); err != nil {
			t.Fatal(err)
		}
	}
	after := open(t, path, other, 200)
	if after.Number() == before.Number() {
		t.Fatalf("number %d is somebody else's", after.Number())
	}
	if before.Batch(150) != after.Batch(150) {
		t.Error("what was cut before has another number now")
	}
	if fresh := open(t, path, storetest.Open(t), 300); fresh.Number() != after.Number() {
		t.Errorf("in an empty store the number became %d, from %d", fresh.Number(), after.Number())
	}
}

func TestAnEraEndsBeforeItsNumbersDo(t *testing.T) {
	store, path := storetest.Open(t), filepath.Join(t.TempDir(), "replica.json")
	first := open(t, path, store, 1)
	later := open(t, path, store, 1+model.ReplicaSpan/2)
	if first.Number() == later.Number() {
		t.Error("a number is used until it overflows")
	}
	if first.Batch(9) != later.Batch(9) {
		t.Error("what was cut in the first era has another number now")
	}
	if back := open(t, path, store, 5); back.Number() == later.Number() || back.Number() == first.Number() || len(back.Eras) != 2 {
		t.Errorf("a spool that was made anew with an earlier clock goes on as %+v", back.Eras)
	}
}

func TestAFileThatIsNoneIsRefused(t *testing.T) {
	store := storetest.Open(t)
	for name, content := range map[string]string{
		"cut short": `{"id": "a", "er`, "no number": `{"id": "a"}`, "not ours": `{"id": "a", "eras": [{"number": 5, "base": 1}]}`,
		"no order": `{"id": "a", "eras": [{"number": 200, "base": 9}, {"number": 201, "base": 1}]}`,
	} {
		path := filepath.Join(t.TempDir(), "replica.json")
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := replica.Open(t.Context(), path, store, 1); errs.KindOf(err) != errs.Corrupt {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestNumbersNeverMeet: whatever two replicas count, and whatever is derived or
// revised or was numbered before there were replicas, no two numbers are equal.
func TestNumbersNeverMeet(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		numbers := rapid.Uint32Range(model.FirstReplica, model.LastReplica)
		offsets := rapid.Uint64Range(0, model.ReplicaSpan-1)
		a, b := numbers.Draw(t, "replica"), numbers.Draw(t, "other")
		x, y := offsets.Draw(t, "offset"), offsets.Draw(t, "other offset")
		one := model.ReplicaBatch(a, x)
		if two := model.ReplicaBatch(b, y); (one == two) != (a == b && x == y) {
			t.Fatalf("%d/%d and %d/%d are %d and %d", a, x, b, y, one, two)
		}
		if one.Derived() || one == model.SpoolBatch(rapid.Uint64Range(0, 1<<51-1).Draw(t, "old")) {
			t.Fatalf("%d is of another kind as well", one)
		}
		hash := rapid.Uint64().Draw(t, "hash")
		if one == model.DerivedBatch(hash) || one == model.RevisedBatch(hash, rapid.Uint32().Draw(t, "revision")) {
			t.Fatalf("%d is derived as well", one)
		}
	})
}
