package spool

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"io"
)

// A frame is a header of headerSize bytes and a payload. The header, little
// endian: magic (4), payload length (4), sequence number (8), crc32c of the
// payload (4), crc32c of the twenty bytes before (4).
const (
	headerSize = 24
	maxPayload = 256 << 20
)

var (
	magic      = []byte{0xE7, 'K', 'S', 0x01}
	castagnoli = crc32.MakeTable(crc32.Castagnoli)
)

// frame is one that was read whole and agrees with its checksums.
type frame struct {
	offset  int64 // of the header
	seq     uint64
	payload []byte
}

// end is the offset of the first byte after the frame.
func (f frame) end() int64 { return f.offset + headerSize + int64(len(f.payload)) }

// span is a piece of a file that holds no frame.
type span struct{ from, to int64 }

// appendFrame appends a frame to buf.
func appendFrame(buf []byte, seq uint64, payload []byte) []byte {
	start := len(buf)
	buf = append(buf, make([]byte, headerSize)...)
	buf = append(buf, payload...)
	sealFrame(buf[start:], seq)
	return buf
}

// sealFrame writes the header in front of a payload that already stands
// behind headerSize free bytes.
func sealFrame(f []byte, seq uint64) {
	payload := f[headerSize:]
	copy(f, magic)
	binary.LittleEndian.PutUint32(f[4:], uint32(len(payload)))
	binary.LittleEndian.PutUint64(f[8:], seq)
	binary.LittleEndian.PutUint32(f[16:], crc32.Checksum(payload, castagnoli))
	binary.LittleEndian.PutUint32(f[20:], crc32.Checksum(f[:20], castagnoli))
}

// readHeader checks a header; ok is false if it is not one.
func readHeader(h []byte) (length int64, seq uint64, sum uint32, ok bool) {
	if !bytes.Equal(h[:4], magic) || crc32.Checksum(h[:20], castagnoli) != binary.LittleEndian.Uint32(h[20:]) {
		return 0, 0, 0, false
	}
	length = int64(binary.LittleEndian.Uint32(h[4:]))
	return length, binary.LittleEndian.Uint64(h[8:]), binary.LittleEndian.Uint32(h[16:]), length <= maxPayload
}

// frameReader reads the frames of a piece of a file in order. What lies
// between them is reported to damaged, a piece once; where the end of the file
// looks like an interrupted write, torn says from where.
type frameReader struct {
	file    io.ReaderAt
	offset  int64 // next byte to look at
	end     int64
	damaged func(span) error
	torn    int64 // -1: the last byte read belongs to a frame or to damage

	records bool   // frames hold records, numbered without gaps from first
	first   uint64 // of the first frame of the file
	last    uint64 // number of the last frame that was read; 0: none yet
}

func newFrameReader(file io.ReaderAt, from, to int64, damaged func(span) error) *frameReader {
	return &frameReader{file: file, offset: from, end: to, damaged: damaged, torn: -1}
}

// newRecordReader reads a segment. It takes for a frame only what bears a number
// that can stand there: senders choose what is in their requests, and where a
// request is damaged, something in it that looks like a frame must not be taken
// for one.
func newRecordReader(file io.ReaderAt, first uint64, from, to int64, damaged func(span) error) *frameReader {
	r := newFrameReader(file, from, to, damaged)
	r.records, r.first = true, first
	return r
}

// header checks the header of a frame at an offset.
func (r *frameReader) header(h []byte, offset int64) (length int64, seq uint64, sum uint32, ok bool) {
	length, seq, sum, ok = readHeader(h)
	if ok && r.records {
		before := uint64(offset / int64(headerSize+envelopeSize)) // frames that have room in front of it
		ok = length >= int64(envelopeSize) && seq >= r.first && seq-r.first <= before && seq > r.last
	}
	return length, seq, sum, ok
}

// next gives the next intact frame, or io.EOF after the last one.
func (r *frameReader) next() (frame, error) {
	bad := span{r.offset, r.offset}
	for r.offset < r.end {
		f, after, err := r.at(r.offset)
		if err != nil {
			return frame{}, err
		}
		if f.payload != nil {
			r.offset, r.last = after, f.seq
			return f, r.report(bad)
		}
		if err := r.pass(after); err != nil {
			return frame{}, err
		}
		if r.torn < 0 {
			bad.to = r.offset
		}
	}
	return frame{}, r.finish(bad)
}

// pass goes behind what is no intact frame. Its header, if it has one, says where
// it should end: that is believed where another one begins there, or the file
// ends; else bytes are missing, and the next header is looked for. Without one,
// and with an end beyond that of the file, the write was interrupted.
func (r *frameReader) pass(after int64) error {
	if after > 0 && after <= r.end {
		follows, err := r.beginsAt(after)
		if err != nil {
			return err
		}
		if follows {
			r.offset = after
			return nil
		}
	}
	found, err := r.resynchronise(r.offset + 1)
	if err != nil {
		return err
	}
	if after > r.end && found == r.end {
		r.torn, r.end = r.offset, r.offset
		return nil
	}
	r.offset = found
	return nil
}

// beginsAt says whether a header or the end stands at an offset.
func (r *frameReader) beginsAt(offset int64) (bool, error) {
	if offset == r.end {
		return true, nil
	}
	if r.end-offset < headerSize {
		return false, nil
	}
	var h [headerSize]byte
	err := readFull(r.file, h[:], offset)
	_, _, _, ok := r.header(h[:], offset)
	return ok, err
}

// at looks at one offset. A frame with its end; or no payload and the end that
// a valid header promises; or an end of 0 where no valid header stands.
func (r *frameReader) at(offset int64) (frame, int64, error) {
	var h [headerSize]byte
	if r.end-offset < headerSize {
		return frame{}, 0, nil
	}
	if err := readFull(r.file, h[:], offset); err != nil {
		return frame{}, 0, err
	}
	length, seq, sum, ok := r.header(h[:], offset)
	if !ok {
		return frame{}, 0, nil
	}
	after := offset + headerSize + length
	if after > r.end {
		return frame{}, after, nil
	}
	payload := make([]byte, length)
	if err := readFull(r.file, payload, offset+headerSize); err != nil {
		return frame{}, 0, err
	}
	if crc32.Checksum(payload, castagnoli) != sum {
		return frame{}, after, nil
	}
	return frame{offset: offset, seq: seq, payload: payload}, after, nil
}

// resynchronise finds the next valid header at or after offset, or the end.
func (r *frameReader) resynchronise(offset int64) (int64, error) {
	buf := make([]byte, 64<<10)
	for offset+headerSize <= r.end {
		n := min(int64(len(buf)), r.end-offset)
		if err := readFull(r.file, buf[:n], offset); err != nil {
			return 0, err
		}
		at := int64(bytes.Index(buf[:n], magic))
		switch {
		case at < 0:
			offset += n - int64(len(magic)) + 1
		case at+headerSize > n:
			offset += at // look again, from here
		default:
			if _, _, _, ok := r.header(buf[at:at+headerSize], offset+at); ok {
				return offset + at, nil
			}
			offset += at + 1
		}
	}
	return r.end, nil
}

// finish tells an interrupted write at the end from damage, and ends.
func (r *frameReader) finish(bad span) error {
	if bad.to > bad.from {
		interrupted, err := r.interrupted(bad)
		if err != nil {
			return err
		}
		if interrupted {
			r.torn = bad.from
			return io.EOF
		}
		if err := r.report(bad); err != nil {
			return err
		}
	}
	return io.EOF
}

// interrupted says whether the bytes at the end of a file are what a crash
// leaves of a write: zeros, or too few for a header that starts like one.
func (r *frameReader) interrupted(bad span) (bool, error) {
	n := min(bad.to-bad.from, 1<<20)
	tail := make([]byte, n)
	if err := readFull(r.file, tail, bad.from); err != nil {
		return false, err
	}
	if n < headerSize && bytes.HasPrefix(tail, magic[:min(n, int64(len(magic)))]) {
		return true, nil
	}
	return n == bad.to-bad.from && len(bytes.Trim(tail, "\x00")) == 0, nil
}

func (r *frameReader) report(bad span) error {
	if bad.to == bad.from || r.damaged == nil {
		return nil
	}
	return r.damaged(bad)
}

// readFull is ReadAt for a piece that is known to be there.
func readFull(file io.ReaderAt, p []byte, offset int64) error {
	n, err := file.ReadAt(p, offset)
	if n == len(p) {
		return nil
	}
	if err == nil || err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}
