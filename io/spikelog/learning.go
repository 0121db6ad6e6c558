package spikelog

import (
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"math"

	"hmn/event"
	"hmn/network"
)

// CompareSynapses orders synapses as a record has them at equal times: by
// projection, source, target, multapse number.
func CompareSynapses(a, b network.SynapseID) int {
	return cmp.Or(cmp.Compare(a.Projection, b.Projection), cmp.Compare(a.Source, b.Source),
		cmp.Compare(a.Target, b.Target), cmp.Compare(a.Multapse, b.Multapse))
}

// follows refuses a row of a stream that is out of order, or of a projection of
// which such rows are not recorded, and remembers it otherwise.
func (s *stream) follows(i int, at event.Time, id network.SynapseID) error {
	if s.any && (at < s.last.At || at == s.last.At && CompareSynapses(id, s.lastID) < 0) {
		return fmt.Errorf("%w: row %d of the call: synapse %v at %d ps after %v at %d ps", ErrOrder, i, id, at, s.lastID, s.last.At)
	}
	s.any, s.last.At, s.lastID = true, at, id
	return nil
}

// WriteUpdates appends applied weight updates, which are in order of (time,
// synapse), see [CompareSynapses], and not before those of earlier calls:
// ErrOrder otherwise. Meta must say that the updates of their projection are
// recorded. The slice is free after the call. It does not allocate once the
// buffers exist.
func (w *Writer) WriteUpdates(updates []network.WeightUpdate) error {
	if err := w.err(); err != nil {
		return err
	}
	s := &w.updates
	for i := range updates {
		u := &updates[i]
		if p := u.Synapse.Projection; p < 0 || p >= len(w.meta.Projections) || !w.meta.Projections[p].Updates {
			return fmt.Errorf("spikelog: update of synapse %v: updates of projection %d are not described in this file", u.Synapse, p)
		}
		if err := s.follows(i, u.At, u.Synapse); err != nil {
			return err
		}
		b := s.take()
		b.updates = append(b.updates, *u)
		if len(b.updates) == s.rows {
			w.send(s)
		}
	}
	return nil
}

// WriteCandidates appends candidates, which are in order of (close, synapse)
// and not before those of earlier calls: ErrOrder otherwise. Meta must say that
// the candidates of their projection are recorded, and 0 ≤ Open ≤ Close. The
// slice is free after the call. It does not allocate once the buffers exist.
func (w *Writer) WriteCandidates(candidates []network.Candidate) error {
	if err := w.err(); err != nil {
		return err
	}
	s := &w.cands
	for i := range candidates {
		c := &candidates[i]
		if p := c.Synapse.Projection; p < 0 || p >= len(w.meta.Projections) || !w.meta.Projections[p].Candidates {
			return fmt.Errorf("spikelog: candidate of synapse %v: candidates of projection %d are not described in this file", c.Synapse, p)
		}
		if c.Open < 0 || c.Open > c.Close {
			return fmt.Errorf("spikelog: candidate of synapse %v: window from %v to %v ms, want 0 ≤ open ≤ close", c.Synapse, c.Open, c.Close)
		}
		if err := s.follows(i, c.Close, c.Synapse); err != nil {
			return err
		}
		b := s.take()
		b.cands = append(b.cands, *c)
		if len(b.cands) == s.rows {
			w.send(s)
		}
	}
	return nil
}

// appendColumn packs n values as a column.
func appendColumn(dst []byte, n int, val func(int) uint64) []byte {
	var vals [group]uint64
	for i := 0; i < n; i += group {
		part := vals[:min(group, n-i)]
		or := uint64(0)
		for j := range part {
			part[j] = val(i + j)
			or |= part[j]
		}
		dst = appendGroup(dst, part, or)
	}
	return dst
}

// readColumn unpacks n values from the front of src, hands each to put, and
// returns what follows them.
func readColumn(src []byte, n int, put func(i int, v uint64) bool) ([]byte, error) {
	var vals [group]uint64
	var err error
	for i := 0; i < n; i += group {
		part := vals[:min(group, n-i)]
		if src, err = readGroup(part, src); err != nil {
			return nil, err
		}
		for j, v := range part {
			if !put(i+j, v) {
				return nil, fmt.Errorf("row %d: value out of range", i+j)
			}
		}
	}
	return src, nil
}

// zigzag maps 0, −1, 1, −2, … to 0, 1, 2, 3, …, so that small differences of
// either sign have few bits; unzig is its inverse. Differences are taken modulo
// 2⁶⁴, hence exact for any two numbers.
func zigzag(d uint64) uint64 { return d<<1 ^ uint64(int64(d)>>63) }

func unzig(v uint64) uint64 { return v>>1 ^ -(v & 1) }

// appendTimes encodes n ascending times: the unit, and the column of differences
// in it.
func appendTimes(dst []byte, n int, at func(int) event.Time) []byte {
	unit := uint64(0)
	for i := 1; i < n && unit != 1; i++ {
		unit = gcd(unit, uint64(at(i)-at(i-1)))
	}
	unit = max(unit, 1)
	dst = binary.LittleEndian.AppendUint64(dst, unit)
	return appendColumn(dst, n, func(i int) uint64 {
		if i == 0 {
			return 0
		}
		return uint64(at(i)-at(i-1)) / unit
	})
}

// readTimes decodes n times of a block from the front of src.
func readTimes(src []byte, n int, h *header, put func(i int, t event.Time)) ([]byte, error) {
	if len(src) < 8 {
		return nil, errColumn
	}
	unit := binary.LittleEndian.Uint64(src)
	if unit == 0 {
		return nil, errors.New("unit of time is 0")
	}
	span := uint64(h.tMax - h.tMin)
	t := uint64(0)
	src, err := readColumn(src[8:], n, func(i int, v uint64) bool {
		if v > span/unit || v*unit > span-t || i == 0 && v != 0 {
			return false
		}
		t += v * unit
		put(i, h.tMin+event.Time(t))
		return true
	})
	if err == nil && t != span {
		err = errors.New("times do not match the block header")
	}
	return src, err
}

// appendSynapses encodes the synapses of n rows as four columns.
func appendSynapses(dst []byte, n int, id func(int) *network.SynapseID) []byte {
	dst = appendColumn(dst, n, func(i int) uint64 { return uint64(id(i).Projection) })
	prev := uint64(0)
	dst = appendColumn(dst, n, func(i int) uint64 {
		s := uint64(id(i).Source)
		d := zigzag(s - prev)
		prev = s
		return d
	})
	dst = appendColumn(dst, n, func(i int) uint64 { return uint64(id(i).Target) })
	return appendColumn(dst, n, func(i int) uint64 { return uint64(id(i).Multapse) })
}

// readSynapses decodes what appendSynapses wrote, of a file with that many
// projections.
func readSynapses(src []byte, n, projections int, id func(int) *network.SynapseID) ([]byte, error) {
	src, err := readColumn(src, n, func(i int, v uint64) bool {
		id(i).Projection = int(v)
		return v < uint64(projections)
	})
	if err != nil {
		return nil, fmt.Errorf("projection: %w", err)
	}
	prev := uint64(0)
	src, err = readColumn(src, n, func(i int, v uint64) bool {
		prev += unzig(v)
		id(i).Source = uint32(prev)
		return prev <= math.MaxUint32
	})
	if err != nil {
		return nil, fmt.Errorf("source: %w", err)
	}
	src, err = readColumn(src, n, func(i int, v uint64) bool {
		id(i).Target = uint32(v)
		return v <= math.MaxUint32
	})
	if err != nil {
		return nil, fmt.Errorf("target: %w", err)
	}
	src, err = readColumn(src, n, func(i int, v uint64) bool {
		id(i).Multapse = uint32(v)
		return v <= math.MaxUint32
	})
	if err != nil {
		return nil, fmt.Errorf("multapse: %w", err)
	}
	return src, nil
}

// appendChain encodes n numbers, any 64 bits each, as differences from the row
// before.
func appendChain(dst []byte, n int, val func(int) uint64) []byte {
	prev := uint64(0)
	return appendColumn(dst, n, func(i int) uint64 {
		v := val(i)
		d := zigzag(v - prev)
		prev = v
		return d
	})
}

func readChain(src []byte, n int, put func(i int, v uint64) bool) ([]byte, error) {
	prev := uint64(0)
	return readColumn(src, n, func(i int, v uint64) bool {
		prev += unzig(v)
		return put(i, prev)
	})
}

// appendPlanes encodes those of n numbers for which has is true: of all of them
// the bytes of equal significance together.
func appendPlanes(dst []byte, n int, has func(int) bool, val func(int) float64) []byte {
	m := 0
	for i := range n {
		if has(i) {
			m++
		}
	}
	start := len(dst)
	dst = grow(dst, 8*m)
	out := dst[start:]
	k := 0
	for i := range n {
		if !has(i) {
			continue
		}
		w := math.Float64bits(val(i))
		for b := range 8 {
			out[b*m+k] = byte(w >> (8 * b))
		}
		k++
	}
	return dst
}

// readPlanes decodes what appendPlanes wrote, from the front of src.
func readPlanes(src []byte, n int, has func(int) bool, put func(i int, x float64)) ([]byte, error) {
	m := 0
	for i := range n {
		if has(i) {
			m++
		}
	}
	if len(src) < 8*m {
		return nil, errColumn
	}
	k := 0
	for i := range n {
		if !has(i) {
			continue
		}
		w := uint64(0)
		for b := range 8 {
			w |= uint64(src[b*m+k]) << (8 * b)
		}
		put(i, math.Float64frombits(w))
		k++
	}
	return src[8*m:], nil
}

func all(int) bool { return true }

// appendUpdates encodes updates, at least one and in order of time, as the
// payload of a block.
func appendUpdates(dst []byte, u []network.WeightUpdate) []byte {
	n := len(u)
	dst = appendTimes(dst, n, func(i int) event.Time { return u[i].At })
	dst = appendSynapses(dst, n, func(i int) *network.SynapseID { return &u[i].Synapse })
	dst = appendChain(dst, n, func(i int) uint64 { return uint64(u[i].K) })
	return appendPlanes(dst, n, all, func(i int) float64 { return u[i].DW })
}

// readUpdates decodes the payload of a block of updates into dst, which has
// h.count elements.
func (r *Reader) readUpdates(dst []network.WeightUpdate, src []byte, h *header) error {
	n := len(dst)
	src, err := readTimes(src, n, h, func(i int, t event.Time) { dst[i].At = t })
	if err != nil {
		return err
	}
	if src, err = readSynapses(src, n, len(r.meta.Projections), func(i int) *network.SynapseID { return &dst[i].Synapse }); err != nil {
		return err
	}
	src, err = readChain(src, n, func(i int, v uint64) bool {
		dst[i].K = int64(v)
		return true
	})
	if err != nil {
		return fmt.Errorf("k: %w", err)
	}
	if src, err = readPlanes(src, n, all, func(i int, x float64) { dst[i].DW = x }); err != nil {
		return err
	}
	if len(src) != 0 {
		return fmt.Errorf("%d B after the columns", len(src))
	}
	return nil
}

// Flags of a candidate. Most windows of a sparse network hold no opportunity
// and most opportunities are refused: their numbers are left out.
const (
	flagNumbers = 1 // Value, P and U are stored; otherwise they are 0, NaN, NaN
	flagApplied = 2
	flagDW      = 4 // DW is stored; otherwise it is 0
	flagsAll    = 7
)

func flags(c *network.Candidate) (f uint64) {
	if math.Float64bits(c.Value) != 0 || !math.IsNaN(c.P) || !math.IsNaN(c.U) {
		f |= flagNumbers
	}
	if c.Applied {
		f |= flagApplied
	}
	if math.Float64bits(c.DW) != 0 {
		f |= flagDW
	}
	return f
}

// appendCandidates encodes candidates, at least one and in order of closing, as
// the payload of a block.
func appendCandidates(dst []byte, c []network.Candidate) []byte {
	n := len(c)
	dst = appendTimes(dst, n, func(i int) event.Time { return c[i].Close })
	dst = appendSynapses(dst, n, func(i int) *network.SynapseID { return &c[i].Synapse })
	dst = appendChain(dst, n, func(i int) uint64 { return uint64(c[i].K) })
	dst = appendChain(dst, n, func(i int) uint64 { return uint64(c[i].Close - c[i].Open) })
	dst = appendColumn(dst, n, func(i int) uint64 { return flags(&c[i]) })
	numbers := func(i int) bool { return flags(&c[i])&flagNumbers != 0 }
	dst = appendPlanes(dst, n, numbers, func(i int) float64 { return c[i].Value })
	dst = appendPlanes(dst, n, numbers, func(i int) float64 { return c[i].P })
	dst = appendPlanes(dst, n, numbers, func(i int) float64 { return c[i].U })
	return appendPlanes(dst, n, func(i int) bool { return flags(&c[i])&flagDW != 0 }, func(i int) float64 { return c[i].DW })
}

// readCandidates decodes the payload of a block of candidates into dst, which
// has h.count elements.
func (r *Reader) readCandidates(dst []network.Candidate, src []byte, h *header) error {
	n := len(dst)
	src, err := readTimes(src, n, h, func(i int, t event.Time) { dst[i].Close = t })
	if err != nil {
		return err
	}
	if src, err = readSynapses(src, n, len(r.meta.Projections), func(i int) *network.SynapseID { return &dst[i].Synapse }); err != nil {
		return err
	}
	src, err = readChain(src, n, func(i int, v uint64) bool {
		dst[i].K = int64(v)
		return true
	})
	if err != nil {
		return fmt.Errorf("k: %w", err)
	}
	src, err = readChain(src, n, func(i int, v uint64) bool {
		dst[i].Open = dst[i].Close - event.Time(v)
		return int64(v) >= 0 && dst[i].Open >= 0
	})
	if err != nil {
		return fmt.Errorf("length of the window: %w", err)
	}
	has := make([]uint8, n)
	src, err = readColumn(src, n, func(i int, v uint64) bool {
		c := &dst[i]
		c.Value, c.P, c.U, c.DW = 0, math.NaN(), math.NaN(), 0
		c.Applied = v&flagApplied != 0
		has[i] = uint8(v)
		return v <= flagsAll
	})
	if err != nil {
		return fmt.Errorf("flags: %w", err)
	}
	numbers := func(i int) bool { return has[i]&flagNumbers != 0 }
	for _, put := range []func(int, float64){
		func(i int, x float64) { dst[i].Value = x },
		func(i int, x float64) { dst[i].P = x },
		func(i int, x float64) { dst[i].U = x },
	} {
		if src, err = readPlanes(src, n, numbers, put); err != nil {
			return err
		}
	}
	src, err = readPlanes(src, n, func(i int) bool { return has[i]&flagDW != 0 }, func(i int, x float64) { dst[i].DW = x })
	if err != nil {
		return err
	}
	if len(src) != 0 {
		return fmt.Errorf("%d B after the columns", len(src))
	}
	return nil
}
