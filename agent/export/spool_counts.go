package export

// Counts is what happened to one kind of request.
type Counts struct {
	Waiting     int64 // requests on disk
	Bytes       int64 // of those
	Appended    int64
	Sent        int64 // acknowledged by the collector
	Retried     int64 // attempts that failed and will be repeated
	Refused     int64 // did not fit in the spool, or could not be written
	Quarantined int64 // the collector will never take them; put aside
	Damaged     int64 // files whose content was not what was written; put aside
	Forgotten   int64 // quarantined files removed to make room for newer ones
	Rejected    int64 // records that the collector dropped from a request that it took
	Evicted     int64 // removed to make room for logs
	Expired     int64 // removed because they had waited too long

	// Records in requests that said how many they hold, which predictions do.
	RecordsSent    int64 // taken by the collector
	RecordsEvicted int64 // removed to make room
	RecordsExpired int64 // waited too long
	RecordsRefused int64 // quarantined, or rejected
	RecordsDamaged int64 // as far as it is known
}

// add changes the counters of one kind under the lock.
func (s *spool) add(k Kind, change func(*Counts)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change(s.counts[k])
}

// Counts gives a copy of the account of one kind.
func (s *spool) Counts(k Kind) Counts {
	s.mu.Lock()
	defer s.mu.Unlock()
	return *s.counts[k]
}
