package spool

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"time"
)

// Kind says what a record's body is. The numbers are on disk: they stay.
type Kind uint8

// The kinds: OTLP export requests as protobuf.
const (
	Logs    Kind = 1
	Metrics Kind = 2
	Traces  Kind = 3
)

// String gives the signal's name.
func (k Kind) String() string {
	switch k {
	case Logs:
		return "logs"
	case Metrics:
		return "metrics"
	case Traces:
		return "traces"
	}
	return fmt.Sprintf("kind %d", uint8(k))
}

// Entry is what Append takes. The spool copies Body before it returns.
type Entry struct {
	Kind   Kind
	Body   []byte
	Sender string // the sender's own name for this request, <instance>/<seq>; may be empty

	// Arrived is the request as it came, where Body lacks or adds something:
	// repetitions are told by it. Nil means Body.
	Arrived []byte

	// Received is when it came, by our clock; zero means when it is written. Whoever
	// has judged the body by that time says so, so that it is judged alike later.
	Received time.Time

	packed []byte // the body as it is written, where that is shorter
}

// Record is one entry as it lies on disk.
type Record struct {
	Seq      uint64
	Kind     Kind
	Received time.Time // by our clock
	Body     []byte

	key    key
	named  bool // the key stands for a sender's name, not for the content alone
	packed bool // Body is still as it lies on disk
}

// key identifies a request: a digest over kind, sender's name and the body as
// it came. The body is in it so that a sender that lost its count is not taken for one that
// repeats itself.
type key [16]byte

func (e *Entry) key() key {
	h := sha256.New()
	h.Write([]byte{byte(e.Kind)})
	h.Write(binary.LittleEndian.AppendUint64(nil, uint64(len(e.Sender))))
	h.Write([]byte(e.Sender))
	if e.Arrived != nil {
		h.Write(e.Arrived)
	} else {
		h.Write(e.Body)
	}
	return key(h.Sum(nil)[:len(key{})])
}

// envelopeSize is kind (1), flags (1), received in ns (8) and key (16).
const envelopeSize = 1 + 1 + 8 + len(key{})

// The flags: the key stands for a sender's name; the body is compressed (S2).
const (
	flagNamed  = 1
	flagPacked = 2
)

func appendRecord(buf []byte, e *Entry, k key, received time.Time) []byte {
	var flags byte
	if e.Sender != "" {
		flags |= flagNamed
	}
	if e.packed != nil {
		flags |= flagPacked
	}
	buf = append(buf, byte(e.Kind), flags)
	buf = binary.LittleEndian.AppendUint64(buf, uint64(received.UnixNano()))
	buf = append(buf, k[:]...)
	return append(buf, e.onDisk()...)
}

// readRecord reads a frame's payload; the body aliases it, and is as it was
// written.
func readRecord(f frame) (Record, error) {
	p := f.payload
	if len(p) < envelopeSize {
		return Record{}, fmt.Errorf("record %d: %d bytes are too few for an envelope", f.seq, len(p))
	}
	return Record{
		Seq:      f.seq,
		Kind:     Kind(p[0]),
		named:    p[1]&flagNamed != 0,
		packed:   p[1]&flagPacked != 0,
		Received: time.Unix(0, int64(binary.LittleEndian.Uint64(p[2:]))).UTC(),
		key:      key(p[10:envelopeSize]),
		Body:     p[envelopeSize:],
	}, nil
}
