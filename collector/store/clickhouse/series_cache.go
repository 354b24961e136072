package clickhouse

import (
	"sync"
	"time"

	"github.com/evenkeel/evenkeel/collector/model"
)

// seriesCache knows which series the table holds, so that they are not written
// with every batch. It only saves work: forgetting a series costs one more row
// that the table replaces.
type seriesCache struct {
	limit   int           // series; when full, everything is forgotten
	refresh time.Duration // how far seen_at in the table may lag behind

	mu    sync.Mutex
	known map[uint64]time.Time // by fingerprint, the seen_at in the table
}

func newSeriesCache(limit int, refresh time.Duration) *seriesCache {
	return &seriesCache{limit: limit, refresh: refresh, known: map[uint64]time.Time{}}
}

// unknown gives the series that must be written, each once.
func (c *seriesCache) unknown(series []model.Series) []model.Series {
	c.mu.Lock()
	defer c.mu.Unlock()
	var out []model.Series
	taken := map[uint64]bool{}
	for _, s := range series {
		seen, known := c.known[s.Fingerprint]
		if taken[s.Fingerprint] || (known && s.SeenAt.Sub(seen) < c.refresh) {
			continue
		}
		taken[s.Fingerprint] = true
		out = append(out, s)
	}
	return out
}

// remember takes note of series that were stored.
func (c *seriesCache) remember(series []model.Series) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.known)+len(series) > c.limit {
		clear(c.known)
	}
	for _, s := range series {
		if s.SeenAt.After(c.known[s.Fingerprint]) {
			c.known[s.Fingerprint] = s.SeenAt
		}
	}
}
