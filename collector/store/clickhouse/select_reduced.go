package clickhouse

import "github.com/evenkeel/evenkeel/collector/model"

// notStale leaves out Prometheus' staleness marker, a NaN of its own bits.
const notStale = "reinterpretAsUInt64(value) != 0x7ff0000000000002"

// reduced finishes a query of samples, which ends with their order, so that it
// gives of each series what is asked for. Of two samples of one time that of the
// lower batch counts, so where the value decides, the others are put away first.
// Of equal values the earliest is kept, as Prometheus does, which tells 0 from -0.
func reduced(how model.Reduce, samples string) string {
	one := func(where, order string) string {
		return "SELECT fingerprint, at, value FROM (" + samples + ", batch LIMIT 1 BY fingerprint, at) WHERE " + where +
			" ORDER BY fingerprint, " + order + " LIMIT 1 BY fingerprint"
	}
	switch how {
	case model.ReduceLast:
		return samples + " DESC, batch LIMIT 1 BY fingerprint"
	case model.ReduceNewest:
		return one(notStale, "at DESC")
	case model.ReduceLargest:
		return one(notStale, "isNaN(value), value DESC, at")
	case model.ReduceLeast:
		return one(notStale, "isNaN(value), value, at")
	}
	return samples + ", batch"
}
