package measure

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// A sketch is written in one of two forms, the shorter one of them:
//
//	plain   its registers, one byte each
//	sparse  hllSparse, then for each register that is not 0, in order,
//	        the number of zeros before it times 64 plus what it holds,
//	        as a varint; the number of registers stands before the first
//
// No register of the plain form is as large as hllSparse. A window of 1,000
// different rows takes about 2 KiB, a full sketch 16 KiB.
const (
	hllSparse   = 0xFF
	hllRankBits = 6 // hold hllLargest
)

// MarshalBinary gives the sketch in the shorter form.
func (s *HyperLogLog) MarshalBinary() ([]byte, error) {
	var used uint64
	for _, rank := range s.registers {
		if rank > 0 {
			used++
		}
	}
	raw := make([]byte, 0, min(hllRegisters, 1+binary.MaxVarintLen16+3*used))
	raw = binary.AppendUvarint(append(raw, hllSparse), used)
	zeros := uint64(0)
	for _, rank := range s.registers {
		if rank == 0 {
			zeros++
			continue
		}
		raw = binary.AppendUvarint(raw, zeros<<hllRankBits|uint64(rank))
		if len(raw) >= hllRegisters {
			return append(raw[:0], s.registers[:]...), nil
		}
		zeros = 0
	}
	return raw, nil
}

// UnmarshalBinary takes what MarshalBinary gave, and the plain form of any
// sketch; it refuses anything that no sketch of this size can have written, and
// then leaves s as it was.
func (s *HyperLogLog) UnmarshalBinary(raw []byte) error {
	if len(raw) > 0 && raw[0] == hllSparse {
		registers, err := readSparse(raw[1:])
		if err != nil {
			return fmt.Errorf("a sparse sketch of %d bytes: %w", len(raw), err)
		}
		s.registers = registers
		return nil
	}
	if len(raw) != hllRegisters {
		return fmt.Errorf("a sketch of %d bytes, not %d", len(raw), hllRegisters)
	}
	for i, rank := range raw {
		if rank > hllLargest {
			return fmt.Errorf("register %d of the sketch holds %d, more than %d", i, rank, hllLargest)
		}
	}
	copy(s.registers[:], raw)
	return nil
}

func readSparse(raw []byte) (registers [hllRegisters]uint8, err error) {
	used, raw, err := readUvarint(raw)
	if err != nil {
		return registers, err
	}
	at := uint64(0)
	for range used {
		var word uint64
		if word, raw, err = readUvarint(raw); err != nil {
			return registers, err
		}
		zeros, rank := word>>hllRankBits, word&(1<<hllRankBits-1)
		switch {
		case zeros >= hllRegisters-at: // at is never beyond the last register
			return registers, fmt.Errorf("a register after the last one, %d", hllRegisters-1)
		case rank == 0 || rank > hllLargest:
			return registers, fmt.Errorf("register %d holds %d, which is not from 1 to %d", at+zeros, rank, hllLargest)
		}
		registers[at+zeros] = uint8(rank)
		at += zeros + 1
	}
	if len(raw) > 0 {
		return registers, fmt.Errorf("%d bytes after its %d registers", len(raw), used)
	}
	return registers, nil
}

// readUvarint reads a varint in its shortest form, so that a sketch has one
// sparse form only.
func readUvarint(raw []byte) (x uint64, rest []byte, err error) {
	x, n := binary.Uvarint(raw)
	if n <= 0 || n > 1 && raw[n-1] == 0 {
		return 0, nil, errors.New("it ends within a register, or holds a number in more bytes than it takes")
	}
	return x, raw[n:], nil
}
