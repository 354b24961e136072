package spool

import (
	"fmt"
	"log/slog"
	"time"
)

// Options say how a spool works. Default gives all but Folder and Log.
type Options struct {
	Folder  string // made if it is not there
	Max     int64  // bytes of segments; Append refuses beyond
	Segment int64  // bytes after which a new segment is begun; at most a quarter of Max is used

	BatchRecords int   // a cut range holds at most so many records
	BatchBytes   int64 // and so many bytes, unless one record alone is larger

	PackAbove int // bodies of so many bytes are compressed; 0: none is

	RetryAfter      time.Duration // suggested to senders while full
	RememberSender  time.Duration // after the store confirmed
	RememberContent time.Duration // after the request came
	Remember        int           // confirmed keys of each of the two kinds kept in memory, about 60 bytes each

	FS  FS
	Now func() time.Time
	Log *slog.Logger
}

// Default gives the options that the documentation names.
func Default() Options {
	return Options{
		Max:             1 << 30,
		Segment:         64 << 20,
		BatchRecords:    1000,
		BatchBytes:      8 << 20,
		PackAbove:       4 << 10,
		RetryAfter:      5 * time.Second,
		RememberSender:  24 * time.Hour,
		RememberContent: 10 * time.Minute,
		Remember:        1 << 19,
		FS:              Disk{},
		Now:             time.Now,
		Log:             slog.New(slog.DiscardHandler),
	}
}

func (o *Options) check() error {
	switch {
	case o.Folder == "":
		return fmt.Errorf("no folder given")
	case o.Max <= 0 || o.Segment <= 0:
		return fmt.Errorf("max %d and segment %d must be positive", o.Max, o.Segment)
	case o.BatchRecords <= 0 || o.BatchBytes <= 0:
		return fmt.Errorf("a batch of %d records and %d bytes can hold nothing", o.BatchRecords, o.BatchBytes)
	}
	return nil
}

// segmentSize keeps segments small enough that confirming gives room back.
func (o *Options) segmentSize() int64 { return max(1, min(o.Segment, o.Max/4)) }
