package privacy

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"math"
	"os"
	"strings"

	"github.com/evenkeel/evenkeel/internal/category"
	"github.com/evenkeel/evenkeel/signal"
)

// Options say what a Filter leaves.
type Options struct {
	Drop  []signal.FeatureName // inputs and outputs
	Allow []signal.FeatureName // the only inputs that stay; empty: all
	Keep  []signal.FeatureName // inputs that Allow need not name
	Hash  []signal.FeatureName // inputs and outputs whose values are replaced
	IDs   bool                 // the request's id is replaced
	Key   []byte               // for hashing; needed where anything is hashed
}

// Digits is how many hexadecimal digits a hashed value has: 128 bits.
const Digits = 32

// minKey is the least length of a key in bytes.
const minKey = 16

// maxHashed bounds the values whose digests are remembered, of all columns.
const maxHashed = 4096

// Filter applies Options. One goroutine may use it at a time; HashID is for any.
type Filter struct {
	drop, allow, hashed map[signal.FeatureName]bool
	ids                 bool
	key                 []byte

	out     signal.Observation
	columns []signal.Column
	known   map[string]string // digest by value
	mac     hash.Hash
	sum     []byte
}

// ReadKey reads a key file. White space around the key does not count.
func ReadKey(path string) ([]byte, error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("%w; write a random key to it: openssl rand -hex 32", err)
	}
	key := bytes.TrimSpace(raw)
	if len(key) < minKey {
		return nil, fmt.Errorf("%s: %d bytes, a key has at least %d; make one with openssl rand -hex 32", path, len(key), minKey)
	}
	return key, nil
}

// NewFilter gives nil where there is nothing to do; a nil Filter changes nothing.
func NewFilter(o Options) (*Filter, error) {
	if len(o.Drop)+len(o.Allow)+len(o.Hash) == 0 && !o.IDs {
		return nil, nil
	}
	if (len(o.Hash) > 0 || o.IDs) && len(o.Key) < minKey {
		return nil, errors.New("privacy: hashing needs a key")
	}
	f := &Filter{drop: setOf(o.Drop), hashed: setOf(o.Hash), ids: o.IDs, key: o.Key, known: map[string]string{}}
	if len(o.Allow) > 0 {
		f.allow = setOf(append(append([]signal.FeatureName{}, o.Allow...), o.Keep...))
	}
	if len(o.Key) > 0 {
		f.mac = hmac.New(sha256.New, o.Key)
	}
	return f, nil
}

func setOf(names []signal.FeatureName) map[signal.FeatureName]bool {
	out := make(map[signal.FeatureName]bool, len(names))
	for _, n := range names {
		out[n] = true
	}
	return out
}

// Apply gives the observation as the rest may see it; it is valid as long as the
// one it was made of, and until the next Apply.
func (f *Filter) Apply(obs *signal.Observation) *signal.Observation {
	if f == nil {
		return obs
	}
	f.out = *obs
	f.columns = f.columns[:0]
	for i := range obs.Columns {
		c := &obs.Columns[i]
		if f.drop[c.Name] || f.allow != nil && c.Target == signal.TargetFeature && !f.allow[c.Name] {
			continue
		}
		if f.hashed[c.Name] {
			f.columns = append(f.columns, f.hash(c))
			continue
		}
		f.columns = append(f.columns, *c)
	}
	f.out.Columns = f.columns
	return &f.out
}

// hash gives a column of digests. Numbers are hashed as categories are written,
// so that 1 and 1.0 are one value; what is missing stays missing.
func (f *Filter) hash(c *signal.Column) signal.Column {
	rows := max(len(c.Numbers), len(c.Strings))
	out := signal.Column{Name: c.Name, Target: c.Target, Strings: make([]string, rows), Missing: make([]bool, rows)}
	for i := range rows {
		switch {
		case c.Strings == nil && math.IsNaN(c.Numbers[i]), c.Strings != nil && c.Missing != nil && c.Missing[i]:
			out.Missing[i] = true
		case c.Strings == nil:
			out.Strings[i] = f.value(category.OfNumber(c.Numbers[i]))
		default:
			out.Strings[i] = f.value(c.Strings[i])
		}
	}
	return out
}

func (f *Filter) value(text string) string {
	if digest, ok := f.known[text]; ok {
		return digest
	}
	f.mac.Reset()
	_, _ = f.mac.Write([]byte(text)) // never fails
	f.sum = f.mac.Sum(f.sum[:0])
	digest := hex.EncodeToString(f.sum[:Digits/2])
	if len(f.known) < maxHashed {
		f.known[strings.Clone(text)] = digest
	}
	return digest
}

// HashID gives what an id is called where ids are hashed; else, and where it is
// empty, the id itself.
func (f *Filter) HashID(id string) string {
	if f == nil || !f.ids || id == "" {
		return id
	}
	mac := hmac.New(sha256.New, f.key)
	_, _ = mac.Write([]byte(id)) // never fails
	return hex.EncodeToString(mac.Sum(nil)[:Digits/2])
}

// IsHashed says that a text can have come from hashing.
func IsHashed(text string) bool {
	return len(text) == Digits && strings.Trim(text, "0123456789abcdef") == ""
}
