package spikelog

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"

	"hmn/event"
)

// Errors a caller can act on.
var (
	ErrFormat  = errors.New("spikelog: not an hmn record")
	ErrVersion = errors.New("spikelog: unknown version")
	ErrDamaged = errors.New("spikelog: damaged")
	ErrOrder   = errors.New("spikelog: out of order")
	ErrClosed  = errors.New("spikelog: writer is closed")
)

// Version is the newest version of the format. All versions from 1 on are read;
// a file has the least version that knows the kinds of block it may hold.
const Version = 2

const (
	fileMagic    = "\x89HMNL\r\n\x1a"
	blockMagic   = "HMNB"
	trailerMagic = "HMNE"

	fileHeaderLen  = 16
	blockHeaderLen = 48
	trailerLen     = 16
	indexEntryLen  = 48
)

// Kinds of block.
const (
	kindMeta    = 1
	kindSpikes  = 2
	kindSamples = 3
	kindIndex   = 4
	// From version 2 on.
	kindUpdates    = 5
	kindCandidates = 6
)

// Codings of a payload.
const (
	codingRaw  = 0
	codingZstd = 1
)

// Limits that let a reader refuse a length before it allocates.
const (
	maxSpikes   = 65536   // spikes, updates or candidates in a block
	rawAlways   = 4 << 20 // raw bytes that any block may have
	rawPerByte  = 256     // further raw bytes per stored byte
	targetBytes = 1 << 20 // size at which a writer ends a block of samples
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// header is the head of a block without its magic and checksum.
type header struct {
	kind, coding uint8
	seq          uint32
	record       uint32
	count        uint32
	stored, raw  uint32
	tMin, tMax   event.Time
}

// putFields writes bytes 4–43 of the block header to dst.
func (h *header) putFields(dst []byte) {
	_ = dst[39]
	dst[0], dst[1], dst[2], dst[3] = h.kind, h.coding, 0, 0
	le := binary.LittleEndian
	le.PutUint32(dst[4:], h.seq)
	le.PutUint32(dst[8:], h.record)
	le.PutUint32(dst[12:], h.count)
	le.PutUint32(dst[16:], h.stored)
	le.PutUint32(dst[20:], h.raw)
	le.PutUint64(dst[24:], uint64(h.tMin))
	le.PutUint64(dst[32:], uint64(h.tMax))
}

// fields reads bytes 4–43 of a block header.
func fields(src []byte) header {
	_ = src[39]
	le := binary.LittleEndian
	return header{
		kind: src[0], coding: src[1],
		seq:    le.Uint32(src[4:]),
		record: le.Uint32(src[8:]),
		count:  le.Uint32(src[12:]),
		stored: le.Uint32(src[16:]),
		raw:    le.Uint32(src[20:]),
		tMin:   event.Time(le.Uint64(src[24:])),
		tMax:   event.Time(le.Uint64(src[32:])),
	}
}

// seal completes a block in place: b is room for the header and the payload.
func seal(b []byte, h *header) {
	copy(b, blockMagic)
	h.putFields(b[4:])
	crc := crc32.Update(crc32.Checksum(b[:44], castagnoli), castagnoli, b[blockHeaderLen:])
	binary.LittleEndian.PutUint32(b[44:], crc)
}

// unseal checks a whole block and returns its header.
func unseal(b []byte) (header, error) {
	if len(b) < blockHeaderLen || string(b[:4]) != blockMagic {
		return header{}, errors.New("no block here")
	}
	h := fields(b[4:])
	if int64(len(b)) != blockHeaderLen+int64(h.stored) {
		return h, fmt.Errorf("block of %d B, header says %d", len(b), blockHeaderLen+int64(h.stored))
	}
	want := binary.LittleEndian.Uint32(b[44:])
	got := crc32.Update(crc32.Checksum(b[:44], castagnoli), castagnoli, b[blockHeaderLen:])
	if got != want {
		return h, fmt.Errorf("checksum %08x, stored %08x", got, want)
	}
	return h, nil
}

// check refuses a header whose numbers contradict each other, before anything
// of the stated size is allocated.
func (h *header) check() error {
	switch {
	case h.coding != codingRaw && h.coding != codingZstd:
		return fmt.Errorf("coding %d, want 0 or 1", h.coding)
	case h.coding == codingRaw && h.stored != h.raw:
		return fmt.Errorf("stored %d B, raw %d B, want equal", h.stored, h.raw)
	case uint64(h.raw) > rawLimit(h.stored):
		return fmt.Errorf("raw length %d B of %d B stored", h.raw, h.stored)
	case h.kind == kindSpikes && (h.count == 0 || h.count > maxSpikes):
		return fmt.Errorf("%d spikes in a block, want 1 to %d", h.count, maxSpikes)
	case (h.kind == kindUpdates || h.kind == kindCandidates) && (h.count == 0 || h.count > maxSpikes):
		return fmt.Errorf("%d updates or candidates in a block, want 1 to %d", h.count, maxSpikes)
	case h.kind == kindSamples && h.count == 0:
		return errors.New("no samples in a block, want at least 1")
	case h.tMin > h.tMax:
		return fmt.Errorf("first time %d ps after last time %d ps", h.tMin, h.tMax)
	}
	return nil
}

// rawLimit is the greatest raw length of a payload of the stored length.
func rawLimit(stored uint32) uint64 { return rawAlways + rawPerByte*uint64(stored) }

func fileHeader(version uint32) []byte {
	b := make([]byte, fileHeaderLen)
	copy(b, fileMagic)
	binary.LittleEndian.PutUint32(b[8:], version)
	binary.LittleEndian.PutUint32(b[12:], crc32.Checksum(b[:12], castagnoli))
	return b
}

func checkFileHeader(b []byte) (version uint32, err error) {
	if len(b) < fileHeaderLen || string(b[:8]) != fileMagic {
		return 0, fmt.Errorf("%w: it does not start with the record's magic number", ErrFormat)
	}
	intact := crc32.Checksum(b[:12], castagnoli) == binary.LittleEndian.Uint32(b[12:])
	v := binary.LittleEndian.Uint32(b[8:])
	if v < 1 || v > Version {
		if !intact {
			return 0, fmt.Errorf("%w: %d, this program reads 1 to %d (the header's checksum fails too)", ErrVersion, v, Version)
		}
		return 0, fmt.Errorf("%w: %d, this program reads 1 to %d", ErrVersion, v, Version)
	}
	if !intact {
		return 0, fmt.Errorf("%w: checksum of the file header fails", ErrDamaged)
	}
	return v, nil
}

// trailer is the end of a closed file whose index block stands at off.
func trailer(off int64) []byte {
	b := make([]byte, trailerLen)
	binary.LittleEndian.PutUint64(b, uint64(off))
	copy(b[8:], trailerMagic)
	binary.LittleEndian.PutUint32(b[12:], crc32.Checksum(b[:12], castagnoli))
	return b
}

// indexOffset reads a trailer; ok is false when b is none.
func indexOffset(b []byte) (off int64, ok bool) {
	if string(b[8:12]) != trailerMagic || crc32.Checksum(b[:12], castagnoli) != binary.LittleEndian.Uint32(b[12:]) {
		return 0, false
	}
	u := binary.LittleEndian.Uint64(b)
	return int64(u), u < 1<<62
}
