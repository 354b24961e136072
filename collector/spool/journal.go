package spool

import (
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
)

// The journal says what became of the records, in frames like the segments'.
// An entry is one byte for what it is, then numbers of eight bytes:
//
//	head     lowest next sequence number, watermark
//	cut      first, last
//	settled  first, last, watermark after it
//	key      content or sender (1 byte), key (16 bytes), expiry in unix seconds
//
// Every record up to the watermark is settled: confirmed or put aside.
const (
	opHead    = 'h'
	opCut     = 'c'
	opSettled = 's'
	opKey     = 'k'
)

const (
	journalName = "cuts.journal"
	rewriteAt   = 4 << 20 // bytes of a journal that is worth rewriting
)

// bounds are the first and last record of a cut range.
type bounds struct{ first, last uint64 }

// history is what a journal holds.
type history struct {
	found     bool // a head was read
	next      uint64
	watermark uint64
	cuts      []bounds // in the order they were cut
	settled   map[uint64]bounds
	damaged   int64 // bytes
}

// ranges gives every range that the journal knows, by its first record: also
// one whose cut was damaged and whose settlement was not.
func (h *history) ranges() []bounds {
	all := slices.Clone(h.cuts)
	for _, b := range h.settled {
		if !slices.Contains(h.cuts, b) {
			all = append(all, b)
		}
	}
	slices.SortFunc(all, func(a, b bounds) int { return cmp.Compare(a.first, b.first) })
	return all
}

// journal appends to the file of cuts.
type journal struct {
	fs     FS
	folder string
	file   File
	end    int64
	base   int64 // size after the last rewriting
	seq    uint64
	dirty  bool // appended to since the last sync
}

func appendOp(buf []byte, op byte, numbers ...uint64) []byte {
	buf = append(buf, op)
	for _, n := range numbers {
		buf = binary.LittleEndian.AppendUint64(buf, n)
	}
	return buf
}

func appendKeyOp(buf []byte, e expiry, named bool) []byte {
	kind := byte(0)
	if named {
		kind = 1
	}
	buf = append(buf, opKey, kind)
	buf = append(buf, e.key[:]...)
	return binary.LittleEndian.AppendUint64(buf, uint64(e.at))
}

// append writes entries as frames, without a sync. After an error the file
// ends where it did before.
func (j *journal) append(entries ...[]byte) error {
	var buf []byte
	for i, e := range entries {
		buf = appendFrame(buf, j.seq+uint64(i)+1, e)
	}
	if _, err := j.file.WriteAt(buf, j.end); err != nil {
		return errors.Join(fmt.Errorf("write the journal of cuts: %w", err), j.file.Truncate(j.end))
	}
	j.seq += uint64(len(entries))
	j.end += int64(len(buf))
	j.dirty = true
	return nil
}

// sync makes everything appended durable.
func (j *journal) sync() error {
	if !j.dirty {
		return nil
	}
	if err := j.file.Sync(); err != nil {
		return fmt.Errorf("sync the journal of cuts: %w", err)
	}
	j.dirty = false
	return nil
}

// rewrite replaces the journal by one with only these entries.
func (j *journal) rewrite(entries [][]byte) error {
	path := filepath.Join(j.folder, journalName)
	file, err := j.fs.Open(path + ".new")
	if err != nil {
		return fmt.Errorf("rewrite the journal of cuts: %w", err)
	}
	next := &journal{fs: j.fs, folder: j.folder, file: file}
	err = file.Truncate(0)
	if err == nil {
		err = next.append(entries...)
	}
	if err == nil {
		err = next.sync()
	}
	if err == nil {
		err = j.fs.Rename(path+".new", path)
	}
	if err != nil {
		return fmt.Errorf("rewrite the journal of cuts: %w", errors.Join(err, file.Close()))
	}
	if j.file != nil {
		_ = j.file.Close()
	}
	next.base = next.end
	*j = *next
	if err := j.fs.SyncDir(j.folder); err != nil {
		return fmt.Errorf("rewrite the journal of cuts: %w", err)
	}
	return nil
}

// openJournal reads the journal; keys go to memory through keep. The frames
// behind an interrupted write are cut off.
func openJournal(o *Options, keep func(e expiry, named bool), damaged func(File, string, span) error) (*journal, *history, error) {
	path := filepath.Join(o.Folder, journalName)
	file, err := o.FS.Open(path)
	if err != nil {
		return nil, nil, fmt.Errorf("open the journal of cuts: %w", err)
	}
	j := &journal{fs: o.FS, folder: o.Folder, file: file}
	h := &history{settled: map[uint64]bounds{}}
	size, err := file.Size()
	if err != nil {
		return nil, nil, errors.Join(err, file.Close())
	}
	r := newFrameReader(file, 0, size, func(s span) error {
		h.damaged += s.to - s.from
		return damaged(file, journalName, s)
	})
	for {
		f, err := r.next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, nil, errors.Join(fmt.Errorf("read the journal of cuts: %w", err), file.Close())
		}
		j.seq = f.seq
		h.take(f.payload, keep)
	}
	j.end = size
	if r.torn >= 0 {
		j.end = r.torn
		if err := file.Truncate(j.end); err != nil {
			return nil, nil, errors.Join(err, file.Close())
		}
	}
	j.base = j.end
	return j, h, nil
}

// take reads one entry. An entry of a later version is passed over.
func (h *history) take(p []byte, keep func(e expiry, named bool)) {
	n := make([]uint64, 0, 3)
	for i := 1; len(p) > 0 && p[0] != opKey && i+8 <= len(p); i += 8 {
		n = append(n, binary.LittleEndian.Uint64(p[i:]))
	}
	switch {
	case len(p) == 0:
	case p[0] == opHead && len(n) == 2:
		h.found = true
		h.next = max(h.next, n[0])
		h.watermark = max(h.watermark, n[1])
	case p[0] == opCut && len(n) == 2 && n[0] <= n[1]:
		h.cuts = append(h.cuts, bounds{n[0], n[1]})
	case p[0] == opSettled && len(n) == 3 && n[0] <= n[1]:
		h.settled[n[0]] = bounds{n[0], n[1]}
		h.watermark = max(h.watermark, n[2])
	case p[0] == opKey && len(p) == 2+len(key{})+8:
		at := binary.LittleEndian.Uint64(p[2+len(key{}):])
		keep(expiry{key(p[2 : 2+len(key{})]), int64(at)}, p[1] == 1)
	}
}
