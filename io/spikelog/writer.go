package spikelog

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"sync/atomic"

	"github.com/klauspost/compress/zstd"

	"hmn/event"
	"hmn/network"
)

// Numbers of buffers of a stream: one being filled, the others on their way.
// They bound the memory of a Writer, see [Writer].
const (
	spikeBuffers  = 4 // of 65 536 spikes, 1 MiB each
	sampleBuffers = 2 // of about 1 MiB, or of one sample where that is more
	learnBuffers  = 4 // of updates (640 KiB each) and of candidates (1.25 MiB)

	// learnRows is how many updates or candidates a block has, fewer than the
	// format allows: what is read to find one stretch of time is smaller.
	learnRows = 16384
)

// Writer writes a record. It is a [network.SpikeSink], a [network.SampleSink], a
// [network.UpdateSink] and a [network.CandidateSink]. Its methods are called
// from one goroutine; encoding and writing happen in another, and a call waits
// only while all buffers are on their way to the file. They hold at most 4 MiB
// of spikes, 2.5 MiB of updates, 5 MiB of candidates and, per signal, the
// greater of 2 MiB and two samples; encoding takes about 4 MiB more.
//
// An error of the file (a full disk) is returned by a later call and by Close,
// and ends the writing; the blocks before it stay readable.
type Writer struct {
	meta    Meta
	spikes  stream
	updates stream
	cands   stream
	signals []*stream // by record; nil = not a sampled record
	work    chan job
	ended   chan struct{}
	flushed chan struct{}
	closed  bool
	failed  atomic.Pointer[error]
	bytes   atomic.Int64

	out encoder // owned by the goroutine that writes
}

var (
	_ network.SpikeSink     = (*Writer)(nil)
	_ network.SampleSink    = (*Writer)(nil)
	_ network.UpdateSink    = (*Writer)(nil)
	_ network.CandidateSink = (*Writer)(nil)
)

// stream is one sequence of blocks: the spikes, the updates, the candidates, or
// the samples of one record.
type stream struct {
	kind   uint8
	record int
	n      int // values per sample
	rows   int // spikes, samples, … in a block
	made   int
	limit  int
	free   chan *buffer
	cur    *buffer       // being filled; nil or not full
	last   network.Spike // At is the last time of any kind of stream
	lastID network.SynapseID
	any    bool // last is set

	zstd trials // owned by the goroutine that writes
}

// buffer is a block before it is encoded.
type buffer struct {
	from    *stream
	spikes  []network.Spike
	updates []network.WeightUpdate
	cands   []network.Candidate
	times   []event.Time
	values  []float64 // row-major [len(times) × from.n]
}

// len is the number of spikes, updates, candidates or samples in the buffer: of
// the one kind that its stream has.
func (b *buffer) len() int { return len(b.spikes) + len(b.updates) + len(b.cands) + len(b.times) }

// job is a block to write, or a request to report when all before it are written.
type job struct {
	block *buffer
	flush bool
}

// Create creates the file path, which must not exist, and writes its head. The
// caller makes the name durable by syncing the directory, once.
func Create(path string, m Meta) (*Writer, error) {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return nil, fmt.Errorf("spikelog: %w", err)
	}
	w, err := NewWriter(f, m)
	if err != nil {
		f.Close()
		os.Remove(path)
		return nil, err
	}
	return w, nil
}

// NewWriter writes a record to dst, which Close syncs and closes if it has the
// methods Sync and Close.
func NewWriter(dst io.Writer, m Meta) (*Writer, error) {
	if err := m.check(); err != nil {
		return nil, err
	}
	js, err := json.Marshal(m)
	if err != nil {
		return nil, fmt.Errorf("spikelog: %w", err)
	}
	z, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1), zstd.WithEncoderLevel(zstd.SpeedFastest),
		zstd.WithEncoderCRC(false), zstd.WithWindowSize(targetBytes), zstd.WithLowerEncoderMem(true))
	if err != nil {
		return nil, fmt.Errorf("spikelog: %w", err)
	}
	w := &Writer{
		ended:   make(chan struct{}),
		flushed: make(chan struct{}, 1),
		meta:    m,
		out:     encoder{dst: dst, zstd: z, index: make([]byte, 0, 1<<12)},
	}
	w.spikes.init(kindSpikes, 0, 0, maxSpikes, spikeBuffers)
	w.updates.init(kindUpdates, 0, 0, learnRows, learnBuffers)
	w.cands.init(kindCandidates, 0, 0, learnRows, learnBuffers)
	buffers := spikeBuffers + 2*learnBuffers
	for _, s := range m.Signals {
		for len(w.signals) <= s.Record {
			w.signals = append(w.signals, nil)
		}
		st := new(stream)
		st.init(kindSamples, s.Record, s.N, max(1, min(maxSpikes, targetBytes/(8*s.N))), sampleBuffers)
		w.signals[s.Record] = st
		buffers += sampleBuffers
	}
	w.work = make(chan job, buffers)

	if err := w.out.start(js, m.version()); err != nil {
		return nil, fmt.Errorf("spikelog: %w", err)
	}
	w.bytes.Store(w.out.off)
	go w.run()
	return w, nil
}

func (s *stream) init(kind uint8, record, n, rows, limit int) {
	*s = stream{kind: kind, record: record, n: n, rows: rows, limit: limit, free: make(chan *buffer, limit)}
}

// take returns the buffer to fill. It waits while all are on their way.
func (s *stream) take() *buffer {
	if s.cur != nil {
		return s.cur
	}
	select {
	case s.cur = <-s.free:
		return s.cur
	default:
	}
	if s.made == s.limit {
		s.cur = <-s.free
		return s.cur
	}
	s.made++
	s.cur = &buffer{from: s}
	switch s.kind {
	case kindSpikes:
		s.cur.spikes = make([]network.Spike, 0, s.rows)
	case kindUpdates:
		s.cur.updates = make([]network.WeightUpdate, 0, s.rows)
	case kindCandidates:
		s.cur.cands = make([]network.Candidate, 0, s.rows)
	default:
		s.cur.times = make([]event.Time, 0, s.rows)
		s.cur.values = make([]float64, 0, s.rows*s.n)
	}
	return s.cur
}

// send hands the buffer being filled to the goroutine that writes.
func (w *Writer) send(s *stream) {
	if s.cur != nil && s.cur.len() > 0 {
		w.work <- job{block: s.cur} // has room for every buffer there is
		s.cur = nil
	}
}

// err is why nothing more can be written, or nil.
func (w *Writer) err() error {
	if w.closed {
		return ErrClosed
	}
	if p := w.failed.Load(); p != nil {
		return *p
	}
	return nil
}

// WriteSpikes appends spikes, which are in order of (time, id) and not before
// those of earlier calls: ErrOrder otherwise. The slice is free after the call.
// It does not allocate once the buffers exist.
func (w *Writer) WriteSpikes(spikes []network.Spike) error {
	if err := w.err(); err != nil {
		return err
	}
	if len(spikes) == 0 {
		return nil
	}
	s := &w.spikes
	last := s.last
	if !s.any {
		last = spikes[0]
		s.any = true
	}
	for i, sp := range spikes {
		if sp.At < last.At || sp.At == last.At && sp.ID < last.ID {
			return fmt.Errorf("%w: spike %d of the call: neuron %d at %d ps after neuron %d at %d ps", ErrOrder, i, sp.ID, sp.At, last.ID, last.At)
		}
		last = sp
	}
	s.last = last
	for len(spikes) > 0 {
		b := s.take()
		k := min(len(spikes), s.rows-len(b.spikes))
		b.spikes = append(b.spikes, spikes[:k]...)
		spikes = spikes[k:]
		if len(b.spikes) == s.rows {
			w.send(s)
		}
	}
	return nil
}

// WriteSamples appends one sample of the signal whose Meta has that record;
// len(values) is its N, and at is later than in the call before for this
// record: ErrOrder otherwise. The slice is free after the call. It does not
// allocate once the buffers exist.
func (w *Writer) WriteSamples(record int, at event.Time, values []float64) error {
	if err := w.err(); err != nil {
		return err
	}
	if record < 0 || record >= len(w.signals) || w.signals[record] == nil {
		return fmt.Errorf("spikelog: record %d is not a sampled signal of this file", record)
	}
	s := w.signals[record]
	if len(values) != s.n {
		return fmt.Errorf("spikelog: record %d: %d values at %v ms, want %d", record, len(values), at, s.n)
	}
	if s.any && at <= s.last.At {
		return fmt.Errorf("%w: record %d: sample at %d ps after sample at %d ps", ErrOrder, record, at, s.last.At)
	}
	s.any, s.last.At = true, at
	b := s.take()
	b.times = append(b.times, at)
	b.values = append(b.values, values...)
	if len(b.times) == s.rows {
		w.send(s)
	}
	return nil
}

// Flush ends the current blocks and waits until they are handed to the
// operating system: they then survive the death of the process, not that of
// the machine. Flushing often makes small blocks; every few seconds is enough.
func (w *Writer) Flush() error {
	if err := w.err(); err != nil {
		return err
	}
	w.send(&w.spikes)
	w.send(&w.updates)
	w.send(&w.cands)
	for _, s := range w.signals {
		if s != nil {
			w.send(s)
		}
	}
	w.work <- job{flush: true}
	<-w.flushed
	return w.err()
}

// Sync is Flush and then a sync of the file: what was written survives the
// machine too.
func (w *Writer) Sync() error {
	if err := w.Flush(); err != nil {
		return err
	}
	if f, ok := w.out.dst.(interface{ Sync() error }); ok {
		if err := f.Sync(); err != nil {
			err = fmt.Errorf("spikelog: %w", err)
			w.failed.Store(&err)
			return err
		}
	}
	return nil
}

// Bytes is the size of the file so far.
func (w *Writer) Bytes() int64 { return w.bytes.Load() }

// Close writes what is left and the index, syncs and closes the file. It
// returns the first error of the file; the file is closed in any case. Further
// calls give ErrClosed.
func (w *Writer) Close() error {
	if w.closed {
		return ErrClosed
	}
	err := w.Flush()
	w.closed = true
	close(w.work)
	<-w.ended
	if err == nil {
		if err = w.out.finish(); err != nil {
			err = fmt.Errorf("spikelog: %w", err)
		}
		w.bytes.Store(w.out.off)
	}
	if f, ok := w.out.dst.(interface{ Sync() error }); ok {
		if serr := f.Sync(); err == nil && serr != nil {
			err = fmt.Errorf("spikelog: %w", serr)
		}
	}
	if c, ok := w.out.dst.(io.Closer); ok {
		if cerr := c.Close(); err == nil && cerr != nil {
			err = fmt.Errorf("spikelog: %w", cerr)
		}
	}
	w.out.zstd.Close()
	return err
}

// run encodes and writes blocks until the channel is closed. After an error it
// only gives buffers back, so that no caller waits for ever.
func (w *Writer) run() {
	defer close(w.ended)
	for j := range w.work {
		if j.flush {
			w.flushed <- struct{}{}
			continue
		}
		b := j.block
		if w.failed.Load() == nil {
			if err := w.out.block(b); err != nil {
				err = fmt.Errorf("spikelog: %w", err)
				w.failed.Store(&err)
			}
			w.bytes.Store(w.out.off)
		}
		b.spikes, b.updates, b.cands = b.spikes[:0], b.updates[:0], b.cands[:0]
		b.times, b.values = b.times[:0], b.values[:0]
		b.from.free <- b
	}
}

// encoder turns buffers into blocks and writes them.
type encoder struct {
	dst    io.Writer
	zstd   *zstd.Encoder
	off    int64 // bytes written
	seq    uint32
	index  []byte // payload of the index block so far
	first  event.Time
	last   event.Time
	plain  []byte // a block with its payload as it is
	packed []byte // the same with a zstd frame
}

func (e *encoder) start(meta []byte, version uint32) error {
	if err := e.write(fileHeader(version)); err != nil {
		return err
	}
	e.plain = append(grow(e.plain[:0], blockHeaderLen), meta...)
	return e.put(header{kind: kindMeta}, nil)
}

func (e *encoder) block(b *buffer) error {
	e.plain = grow(e.plain[:0], blockHeaderLen)
	n := b.len()
	h := header{kind: b.from.kind, record: uint32(b.from.record), count: uint32(n)}
	switch h.kind {
	case kindSpikes:
		e.plain = appendSpikes(e.plain, b.spikes)
		h.tMin, h.tMax = b.spikes[0].At, b.spikes[n-1].At
	case kindUpdates:
		e.plain = appendUpdates(e.plain, b.updates)
		h.tMin, h.tMax = b.updates[0].At, b.updates[n-1].At
	case kindCandidates:
		e.plain = appendCandidates(e.plain, b.cands)
		h.tMin, h.tMax = b.cands[0].Close, b.cands[n-1].Close
	default:
		e.plain = appendSamples(e.plain, b.times, b.values, b.from.n)
		h.tMin, h.tMax = b.times[0], b.times[n-1]
	}
	return e.put(h, &b.from.zstd)
}

// put completes the block in e.plain, compressed if t says to try and it pays,
// writes it and notes it in the index.
func (e *encoder) put(h header, t *trials) error {
	h.seq = e.seq
	h.raw = uint32(len(e.plain) - blockHeaderLen)
	h.stored = h.raw
	out := e.plain
	if t != nil && t.due() {
		e.packed = e.zstd.EncodeAll(e.plain[blockHeaderLen:], grow(e.packed[:0], blockHeaderLen))
		n := uint32(len(e.packed) - blockHeaderLen)
		pays := n < h.raw-h.raw/32 && uint64(h.raw) <= rawLimit(n)
		if pays {
			h.coding, h.stored = codingZstd, n
			out = e.packed
		}
		t.result(pays)
	}
	seal(out, &h)
	off := e.off
	if err := e.write(out); err != nil {
		return err
	}
	e.seq++
	if h.kind == kindIndex {
		return nil
	}
	n := len(e.index)
	e.index = grow(e.index, indexEntryLen)
	binary.LittleEndian.PutUint64(e.index[n:], uint64(off))
	h.putFields(e.index[n+8:])
	if h.kind != kindMeta {
		if e.seq == 2 {
			e.first = h.tMin
			e.last = h.tMax
		}
		e.first = min(e.first, h.tMin)
		e.last = max(e.last, h.tMax)
	}
	return nil
}

// finish writes the index and the trailer.
func (e *encoder) finish() error {
	off := e.off
	if uint64(len(e.index)) > 1<<32-1 {
		return errors.New("too many blocks for an index")
	}
	e.plain = append(grow(e.plain[:0], blockHeaderLen), e.index...)
	h := header{kind: kindIndex, count: uint32(len(e.index) / indexEntryLen), tMin: e.first, tMax: e.last}
	if err := e.put(h, nil); err != nil {
		return err
	}
	return e.write(trailer(off))
}

func (e *encoder) write(b []byte) error {
	n, err := e.dst.Write(b)
	e.off += int64(n)
	if err == nil && n < len(b) {
		err = io.ErrShortWrite
	}
	return err
}

// trials decides when to try zstd on a block of a stream. Each failure doubles
// the number of blocks that are not tried, to at most 64: the work wasted on a
// raster that does not compress is 1/65, and one that starts to compress is
// found out. It counts blocks, so the file is a function of the data alone.
type trials struct{ wait, pause uint }

func (t *trials) due() bool {
	if t.wait > 0 {
		t.wait--
		return false
	}
	return true
}

func (t *trials) result(pays bool) {
	if pays {
		t.pause = 0
	} else {
		t.pause = min(max(1, 2*t.pause), 64)
	}
	t.wait = t.pause
}
