package clickhouse

import (
	"sync"

	"github.com/evenkeel/evenkeel/collector/model"
)

// labelCacheBytes bounds what is remembered of series that were read: some
// 100,000 of ten labels each.
const labelCacheBytes = 64 << 20

// labelCache remembers series by fingerprint, so that a query that is asked
// again and again reads samples only. A fingerprint is a hash of name and
// labels: what it stands for never changes, and forgetting costs one read.
// The zero value is ready to use.
type labelCache struct {
	mu    sync.RWMutex
	known map[uint64]model.Series
	bytes int
}

// find gives the series of the data that are known, and how many are not.
func (c *labelCache) find(data []model.SeriesData) (missing int) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	for i := range data {
		s, ok := c.known[data[i].Fingerprint]
		if !ok {
			missing++
			continue
		}
		data[i].Series = s
	}
	return missing
}

// keep takes series in; when there is no room, everything else is forgotten.
func (c *labelCache) keep(found map[uint64]model.Series) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for fingerprint, s := range found {
		if _, known := c.known[fingerprint]; known {
			continue
		}
		size := sizeOf(&s)
		if c.known == nil || c.bytes+size > labelCacheBytes {
			c.known, c.bytes = map[uint64]model.Series{}, 0
		}
		c.known[fingerprint] = s
		c.bytes += size
	}
}

// sizeOf is what a series takes in memory: texts, their headers, its place.
func sizeOf(s *model.Series) int {
	n := 200 + len(s.Name) + len(s.Unit)
	for _, l := range s.Labels {
		n += 32 + len(l.Name) + len(l.Value)
	}
	return n
}
