package spikelog

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"math"
	"os"
	"sort"

	"github.com/klauspost/compress/zstd"

	"hmn/event"
	"hmn/network"
)

// Damage says what a reader could not use of a file that was cut off, or whose
// end or index does not check.
type Damage struct {
	At      int64  // bytes that are good
	Dropped int64  // bytes after them that are not read; 0: only the index is missing
	Reason  string // what was found at byte At
}

func (d Damage) String() string {
	return fmt.Sprintf("not closed properly: %d B read, %d B dropped: %s", d.At, d.Dropped, d.Reason)
}

// Reader reads a record. It is safe for concurrent use: every iteration has
// buffers of its own.
type Reader struct {
	src     io.ReaderAt
	size    int64
	version uint32
	meta    Meta
	spikes  []entry         // in order of time, as are the others
	updates []entry         //
	cands   []entry         //
	signals map[int][]entry // by record
	width   map[int]int     // values per sample, by record
	damage  *Damage
	zstd    *zstd.Decoder
}

// entry is a block and where it stands.
type entry struct {
	off int64
	header
}

// Open opens the record in the file path. A file that was not closed is read as
// far as it is good, see [Reader.Damage]; one whose head is not good gives
// ErrFormat, ErrVersion or ErrDamaged.
func Open(path string) (*Reader, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("spikelog: %w", err)
	}
	st, err := f.Stat()
	if err != nil {
		f.Close()
		return nil, fmt.Errorf("spikelog: %w", err)
	}
	r, err := NewReader(f, st.Size())
	if err != nil {
		f.Close()
		return nil, fmt.Errorf("%w: %s", err, path)
	}
	return r, nil
}

// NewReader reads a record of size bytes. Close closes src if it can be closed.
func NewReader(src io.ReaderAt, size int64) (*Reader, error) {
	r := &Reader{src: src, size: size, signals: map[int][]entry{}, width: map[int]int{}}
	head := make([]byte, min(size, fileHeaderLen))
	if err := r.readAt(head, 0); err != nil {
		return nil, err
	}
	var err error
	if r.version, err = checkFileHeader(head); err != nil {
		return nil, err
	}
	off, err := r.readMeta()
	if err != nil {
		return nil, err
	}
	// WithDecodeAllCapLimit: a frame that claims more than its block's header
	// does gives an error, not memory.
	r.zstd, err = zstd.NewReader(nil, zstd.WithDecoderConcurrency(0), zstd.WithDecodeAllCapLimit(true), zstd.WithDecoderLowmem(true))
	if err != nil {
		return nil, fmt.Errorf("spikelog: %w", err)
	}
	if !r.useIndex(off) {
		r.scan(off)
	}
	return r, nil
}

// readAt fills b from byte off of the file.
func (r *Reader) readAt(b []byte, off int64) error {
	n, err := r.src.ReadAt(b, off)
	if n == len(b) {
		return nil
	}
	if err == nil || err == io.EOF {
		return fmt.Errorf("%w: it ends at byte %d, want %d more", ErrDamaged, off+int64(n), len(b)-n)
	}
	return fmt.Errorf("spikelog: %w", err)
}

// readMeta reads the first block and returns where the second stands.
func (r *Reader) readMeta() (int64, error) {
	b, h, err := r.whole(fileHeaderLen, r.size, nil)
	if err == nil && (h.kind != kindMeta || h.seq != 0 || h.coding != codingRaw) {
		err = fmt.Errorf("kind %d, want meta", h.kind)
	}
	if err == nil {
		err = json.Unmarshal(b[blockHeaderLen:], &r.meta)
	}
	if err == nil {
		err = r.meta.check()
	}
	if err != nil {
		return 0, fmt.Errorf("%w: the block that describes the record: %w", ErrDamaged, err)
	}
	for _, s := range r.meta.Signals {
		r.width[s.Record] = s.N
	}
	return fileHeaderLen + int64(len(b)), nil
}

// whole reads the block at off, which ends at limit or before, into buf or a
// longer slice, and checks it.
func (r *Reader) whole(off, limit int64, buf []byte) ([]byte, header, error) {
	var head [blockHeaderLen]byte
	if limit-off < blockHeaderLen {
		return nil, header{}, fmt.Errorf("%d B, a block needs %d", limit-off, blockHeaderLen)
	}
	if err := r.readAt(head[:], off); err != nil {
		return nil, header{}, err
	}
	if string(head[:4]) != blockMagic {
		return nil, header{}, errors.New("no block here")
	}
	h := fields(head[4:])
	if int64(h.stored) > limit-off-blockHeaderLen {
		return nil, h, fmt.Errorf("block of %d B, %d left", blockHeaderLen+int64(h.stored), limit-off)
	}
	b := grow(buf[:0], blockHeaderLen+int(h.stored))
	copy(b, head[:])
	if err := r.readAt(b[blockHeaderLen:], off+blockHeaderLen); err != nil {
		return nil, h, err
	}
	if _, err := unseal(b); err != nil {
		return nil, h, err
	}
	return b, h, h.check()
}

// useIndex takes the blocks from the index. It reports false when there is no
// index, or none that fits the file: blocks in sequence from byte off without a
// gap, then the index, then the trailer.
func (r *Reader) useIndex(off int64) bool {
	var tail [trailerLen]byte
	if r.size < off+trailerLen || r.readAt(tail[:], r.size-trailerLen) != nil {
		return false
	}
	at, ok := indexOffset(tail[:])
	if !ok || at < off || at > r.size-trailerLen {
		return false
	}
	b, h, err := r.whole(at, r.size-trailerLen, nil)
	if err != nil || h.kind != kindIndex || h.coding != codingRaw || at+int64(len(b)) != r.size-trailerLen ||
		h.stored%indexEntryLen != 0 || h.count != h.stored/indexEntryLen || h.seq != h.count || h.count == 0 {
		return false
	}
	rows := b[blockHeaderLen+indexEntryLen:] // the first is the meta block
	for seq := uint32(1); len(rows) > 0; seq++ {
		e := entry{off: int64(binary.LittleEndian.Uint64(rows)), header: fields(rows[8:])}
		if e.off != off || e.seq != seq || int64(e.stored) > at-off-blockHeaderLen || r.add(e) != nil {
			off = -1
			break
		}
		off += blockHeaderLen + int64(e.stored)
		rows = rows[indexEntryLen:]
	}
	if off != at {
		r.spikes, r.updates, r.cands, r.signals = nil, nil, nil, map[int][]entry{}
		return false
	}
	return true
}

// scan takes the blocks from the file itself, from byte off to the first that
// is not good.
func (r *Reader) scan(off int64) {
	var buf []byte
	for seq := uint32(1); ; seq++ {
		r.damage = &Damage{At: off, Dropped: r.size - off}
		if off == r.size {
			r.damage.Reason = "the file ends without an index"
			return
		}
		b, h, err := r.whole(off, r.size, buf)
		if err == nil && h.seq != seq {
			err = fmt.Errorf("block %d, want %d", h.seq, seq)
		}
		if err == nil && h.kind == kindIndex {
			// All data came before. The index itself was of no use, or what
			// follows it is not the trailer.
			r.damage.Reason = "the index is not followed by the trailer, or does not fit the blocks"
			return
		}
		if err == nil {
			err = r.add(entry{off, h})
		}
		if err != nil {
			r.damage.Reason = err.Error()
			return
		}
		off += int64(len(b))
		buf = b
	}
}

// add notes a block of data after those of its kind.
func (r *Reader) add(e entry) error {
	if err := e.check(); err != nil {
		return err
	}
	follow := func(to *[]entry, what string) error {
		if k := len(*to); k > 0 && e.tMin < (*to)[k-1].tMax {
			return fmt.Errorf("%s of %d ps after those of %d ps", what, e.tMin, (*to)[k-1].tMax)
		}
		*to = append(*to, e)
		return nil
	}
	if (e.kind == kindUpdates || e.kind == kindCandidates) && r.version < 2 {
		return fmt.Errorf("kind %d in a file of version %d, which has no such kind", e.kind, r.version)
	}
	switch e.kind {
	case kindSpikes:
		return follow(&r.spikes, "spikes")
	case kindUpdates:
		return follow(&r.updates, "updates")
	case kindCandidates:
		return follow(&r.cands, "candidates")
	case kindSamples:
		n, ok := r.width[int(e.record)]
		if !ok {
			return fmt.Errorf("samples of record %d, which is not described", e.record)
		}
		if uint64(e.raw) < uint64(e.count)*uint64(n)*8 {
			return fmt.Errorf("%d samples of %d values in %d B", e.count, n, e.raw)
		}
		s := r.signals[int(e.record)]
		if k := len(s); k > 0 && e.tMin <= s[k-1].tMax {
			return fmt.Errorf("samples of %d ps after those of %d ps", e.tMin, s[k-1].tMax)
		}
		r.signals[int(e.record)] = append(s, e)
	default:
		return fmt.Errorf("kind %d, want spikes, samples, updates or candidates", e.kind)
	}
	return nil
}

// Close closes the file.
func (r *Reader) Close() error {
	r.zstd.Close()
	if c, ok := r.src.(io.Closer); ok {
		if err := c.Close(); err != nil {
			return fmt.Errorf("spikelog: %w", err)
		}
	}
	return nil
}

// Meta describes the record.
func (r *Reader) Meta() Meta { return r.meta }

// Damage is nil for a file that was closed. Otherwise everything before its
// byte At can be read.
func (r *Reader) Damage() *Damage { return r.damage }

// Version is the version of the file.
func (r *Reader) Version() int { return int(r.version) }

// NumSpikes is the number of spikes that can be read.
func (r *Reader) NumSpikes() uint64 { return rowsIn(r.spikes) }

// NumUpdates is the number of applied weight updates that can be read.
func (r *Reader) NumUpdates() uint64 { return rowsIn(r.updates) }

// NumCandidates is the number of candidates that can be read.
func (r *Reader) NumCandidates() uint64 { return rowsIn(r.cands) }

// NumSamples is the number of samples of a record that can be read.
func (r *Reader) NumSamples(record int) uint64 { return rowsIn(r.signals[record]) }

func rowsIn(blocks []entry) (n uint64) {
	for _, e := range blocks {
		n += uint64(e.count)
	}
	return n
}

func bytesOf(blocks []entry) (n int64) {
	for _, e := range blocks {
		n += blockHeaderLen + int64(e.stored)
	}
	return n
}

// Bytes is the size of the file.
func (r *Reader) Bytes() int64 { return r.size }

// SpikeBytes is the number of bytes that the blocks of spikes take.
func (r *Reader) SpikeBytes() int64 { return bytesOf(r.spikes) }

// UpdateBytes is the number of bytes that the blocks of updates take.
func (r *Reader) UpdateBytes() int64 { return bytesOf(r.updates) }

// CandidateBytes is the number of bytes that the blocks of candidates take.
func (r *Reader) CandidateBytes() int64 { return bytesOf(r.cands) }

// Span is the time of the first and of the last spike, sample, update or
// candidate; ok is false when there is none.
func (r *Reader) Span() (first, last event.Time, ok bool) {
	first, last = math.MaxInt64, math.MinInt64
	see := func(es []entry) {
		if len(es) > 0 {
			first, last, ok = min(first, es[0].tMin), max(last, es[len(es)-1].tMax), true
		}
	}
	see(r.spikes)
	see(r.updates)
	see(r.cands)
	for _, es := range r.signals {
		see(es)
	}
	if !ok {
		return 0, 0, false
	}
	return first, last, true
}

// payload reads and checks the block e and returns its decoded payload. The two
// buffers are reused between calls.
func (r *Reader) payload(e entry, stored, raw *[]byte) ([]byte, error) {
	b, h, err := r.whole(e.off, e.off+blockHeaderLen+int64(e.stored), *stored)
	if err == nil && h != e.header {
		err = errors.New("the header differs from the index")
	}
	if err != nil {
		return nil, e.damaged(err)
	}
	*stored = b
	if h.coding == codingRaw {
		return b[blockHeaderLen:], nil
	}
	if cap(*raw) < int(h.raw) {
		*raw = make([]byte, 0, h.raw)
	}
	p, err := r.zstd.DecodeAll(b[blockHeaderLen:], (*raw)[:0:h.raw])
	if err == nil && len(p) != int(h.raw) {
		err = fmt.Errorf("%d B after zstd, want %d", len(p), h.raw)
	}
	if err != nil {
		return nil, e.damaged(err)
	}
	return p, nil
}

func (e entry) damaged(err error) error {
	if errors.Is(err, ErrDamaged) {
		return err
	}
	return fmt.Errorf("%w: block %d at byte %d, times %v to %v ms: %w", ErrDamaged, e.seq, e.off, e.tMin, e.tMax, err)
}

// All yields all spikes, as [Reader.Spikes].
func (r *Reader) All() iter.Seq2[[]network.Spike, error] {
	return rows(r, r.spikes, readSpikes, nil)
}

// Spikes yields the spikes of [t0, t1) in order of (time, id), a block at a
// time, and reads only the blocks that hold any. A slice is reused in the next
// step. An error, ErrDamaged or of the file, is the last that is yielded.
func (r *Reader) Spikes(t0, t1 event.Time) iter.Seq2[[]network.Spike, error] {
	return rows(r, during(r.spikes, t0, t1), readSpikes, within(t0, t1, func(s *network.Spike) event.Time { return s.At }))
}

// AllUpdates yields all applied weight updates, as [Reader.Updates].
func (r *Reader) AllUpdates() iter.Seq2[[]network.WeightUpdate, error] {
	return rows(r, r.updates, r.readUpdates, nil)
}

// Updates yields the applied weight updates of [t0, t1) in order of (time,
// synapse), as [Reader.Spikes].
func (r *Reader) Updates(t0, t1 event.Time) iter.Seq2[[]network.WeightUpdate, error] {
	return rows(r, during(r.updates, t0, t1), r.readUpdates, within(t0, t1, func(u *network.WeightUpdate) event.Time { return u.At }))
}

// AllCandidates yields all candidates, as [Reader.Candidates].
func (r *Reader) AllCandidates() iter.Seq2[[]network.Candidate, error] {
	return rows(r, r.cands, r.readCandidates, nil)
}

// Candidates yields the candidates that close in [t0, t1), in order of (close,
// synapse), as [Reader.Spikes].
func (r *Reader) Candidates(t0, t1 event.Time) iter.Seq2[[]network.Candidate, error] {
	return rows(r, during(r.cands, t0, t1), r.readCandidates, within(t0, t1, func(c *network.Candidate) event.Time { return c.Close }))
}

// within cuts rows in order of time down to those of [t0, t1).
func within[T any](t0, t1 event.Time, at func(*T) event.Time) func([]T) []T {
	return func(s []T) []T {
		s = s[sort.Search(len(s), func(i int) bool { return at(&s[i]) >= t0 }):]
		return s[:sort.Search(len(s), func(i int) bool { return at(&s[i]) >= t1 })]
	}
}

// rows yields what is in blocks of spikes, updates or candidates, each block cut
// down by cut if that is not nil.
func rows[T any](r *Reader, blocks []entry, read func([]T, []byte, *header) error, cut func([]T) []T) iter.Seq2[[]T, error] {
	return func(yield func([]T, error) bool) {
		var stored, raw []byte
		var buf []T
		for _, e := range blocks {
			p, err := r.payload(e, &stored, &raw)
			if err != nil {
				yield(nil, err)
				return
			}
			if cap(buf) < int(e.count) { // at most maxSpikes
				buf = make([]T, e.count)
			}
			buf = buf[:e.count]
			if err := read(buf, p, &e.header); err != nil {
				yield(nil, e.damaged(err))
				return
			}
			out := buf
			if cut != nil {
				out = cut(out)
			}
			if len(out) > 0 && !yield(out, nil) {
				return
			}
		}
	}
}

// during returns the blocks that may hold something of [t0, t1).
func during(blocks []entry, t0, t1 event.Time) []entry {
	i := sort.Search(len(blocks), func(i int) bool { return blocks[i].tMax >= t0 })
	blocks = blocks[i:]
	return blocks[:sort.Search(len(blocks), func(i int) bool { return blocks[i].tMin >= t1 })]
}

// Samples is a stretch of one signal.
type Samples struct {
	Times  []event.Time // ascending
	Values []float64    // row-major [len(Times) × N]: entity j of sample i is Values[i·N+j]
	N      int
}

// Samples yields the samples of a record with times in [t0, t1), as
// [Reader.Spikes]. A record that Meta does not describe gives an error.
func (r *Reader) Samples(record int, t0, t1 event.Time) iter.Seq2[Samples, error] {
	return r.samplesOf(record, during(r.signals[record], t0, t1), func(s Samples) Samples {
		i := sort.Search(len(s.Times), func(i int) bool { return s.Times[i] >= t0 })
		k := i + sort.Search(len(s.Times)-i, func(k int) bool { return s.Times[i+k] >= t1 })
		return Samples{Times: s.Times[i:k], Values: s.Values[i*s.N : k*s.N], N: s.N}
	})
}

// AllSamples yields all samples of a record, as [Reader.Samples].
func (r *Reader) AllSamples(record int) iter.Seq2[Samples, error] {
	return r.samplesOf(record, r.signals[record], nil)
}

func (r *Reader) samplesOf(record int, blocks []entry, cut func(Samples) Samples) iter.Seq2[Samples, error] {
	return func(yield func(Samples, error) bool) {
		n, ok := r.width[record]
		if !ok {
			yield(Samples{}, fmt.Errorf("spikelog: record %d is not a sampled signal of this file", record))
			return
		}
		var stored, raw []byte
		s := Samples{N: n}
		for _, e := range blocks {
			p, err := r.payload(e, &stored, &raw)
			if err != nil {
				yield(Samples{}, err)
				return
			}
			if k := int(e.count); cap(s.Times) < k || cap(s.Values) < k*n {
				s.Times = make([]event.Time, k)
				s.Values = make([]float64, k*n) // ≤ len(p)/8, see add
			}
			s.Times, s.Values = s.Times[:e.count], s.Values[:int(e.count)*n]
			if err := readSamples(s.Times, s.Values, p, &e.header, n); err != nil {
				yield(Samples{}, e.damaged(err))
				return
			}
			out := s
			if cut != nil {
				out = cut(s)
			}
			if len(out.Times) > 0 && !yield(out, nil) {
				return
			}
		}
	}
}
