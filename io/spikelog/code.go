package spikelog

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"math/bits"

	"hmn/event"
	"hmn/network"
)

// group is the number of values of a column that share one width: few enough
// that one long interval widens few others, enough that the width byte is small
// change (0.06 bit per value).
const group = 128

// appendGroup packs up to 128 values; or is their bitwise or.
func appendGroup(dst []byte, vals []uint64, or uint64) []byte {
	w := uint(bits.Len64(or))
	if w > 56 {
		w = 64
	}
	dst = append(dst, byte(w))
	if w == 64 {
		for _, v := range vals {
			dst = binary.LittleEndian.AppendUint64(dst, v)
		}
		return dst
	}
	// Room for the packed bits and for the last 8-byte store beyond them.
	start, size := len(dst), (len(vals)*int(w)+7)/8
	dst = grow(dst, size+8)
	out := dst[start : start+size+8]
	var acc uint64
	var n uint // bits in acc, < 8 at the top of the loop, so that n+w < 64
	p := 0
	for _, v := range vals {
		acc |= v << (n & 63)
		binary.LittleEndian.PutUint64(out[p:], acc)
		n += w
		p += int(n >> 3)
		acc >>= n & 56
		n &= 7
	}
	binary.LittleEndian.PutUint64(out[p:], acc)
	return dst[:start+size]
}

// grow lengthens dst by n bytes of any content.
func grow(dst []byte, n int) []byte {
	if len(dst)+n <= cap(dst) {
		return dst[:len(dst)+n]
	}
	return append(dst, make([]byte, n)...)
}

var errColumn = errors.New("column ends early")

// readGroup unpacks len(vals) values, at most 128, from the front of src and
// returns what follows them.
func readGroup(vals []uint64, src []byte) ([]byte, error) {
	if len(src) == 0 {
		return nil, errColumn
	}
	w := uint(src[0])
	src = src[1:]
	size := (len(vals)*int(w) + 7) / 8
	if w > 64 || w > 56 && w < 64 {
		return nil, fmt.Errorf("column width %d, want 0 to 56 or 64", w)
	}
	if len(src) < size {
		return nil, errColumn
	}
	if w == 64 {
		for i := range vals {
			vals[i] = binary.LittleEndian.Uint64(src[8*i:])
		}
		return src[size:], nil
	}
	// Eight bytes are loaded at each value's first byte; near the end of the
	// payload they come from a copy with room behind it.
	in := src
	var tail [group*56/8 + 8]byte
	if len(in) < size+8 {
		copy(tail[:], in[:size])
		in = tail[:]
	}
	mask := uint64(1)<<(w&63) - 1
	pos := uint(0)
	for i := range vals {
		vals[i] = binary.LittleEndian.Uint64(in[pos>>3:]) >> (pos & 7) & mask
		pos += w
	}
	return src[size:], nil
}

const spikesHeadLen = 16

// appendSpikes encodes spikes, at least one and in order of (time, id), as the
// payload of a block.
func appendSpikes(dst []byte, spikes []network.Spike) []byte {
	unit := uint64(0)
	least := uint32(math.MaxUint32)
	prev := spikes[0].At
	for _, s := range spikes {
		if unit != 1 {
			if d := uint64(s.At - prev); d != 0 {
				unit = gcd(unit, d)
			}
			prev = s.At
		}
		least = min(least, s.ID)
	}
	if unit == 0 {
		unit = 1
	}
	head := len(dst)
	dst = grow(dst, spikesHeadLen)
	binary.LittleEndian.PutUint64(dst[head:], unit)
	binary.LittleEndian.PutUint32(dst[head+8:], least)

	var vals [group]uint64
	prev = spikes[0].At
	shift, inv := divider(unit)
	for rest := spikes; len(rest) > 0; {
		part := rest[:min(group, len(rest))]
		rest = rest[len(part):]
		or := uint64(0)
		for i, s := range part {
			v := uint64(s.At-prev) >> (shift & 63) * inv
			prev = s.At
			vals[i&(group-1)] = v
			or |= v
		}
		dst = appendGroup(dst, vals[:len(part)], or)
	}
	binary.LittleEndian.PutUint32(dst[head+12:], uint32(len(dst)-head-spikesHeadLen))
	for rest := spikes; len(rest) > 0; {
		part := rest[:min(group, len(rest))]
		rest = rest[len(part):]
		or := uint64(0)
		for i, s := range part {
			v := uint64(s.ID - least)
			vals[i&(group-1)] = v
			or |= v
		}
		dst = appendGroup(dst, vals[:len(part)], or)
	}
	return dst
}

func gcd(a, b uint64) uint64 {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}

// divider turns division by d of its multiples into a shift and a product with
// the inverse of the odd part modulo 2⁶⁴.
func divider(d uint64) (shift uint, inv uint64) {
	shift = uint(bits.TrailingZeros64(d))
	odd := d >> shift
	inv = odd // right to 3 bits; each step doubles them
	for range 5 {
		inv *= 2 - odd*inv
	}
	return shift, inv
}

// readSpikes decodes the payload of a block of spikes into dst, which has
// h.count elements.
func readSpikes(dst []network.Spike, src []byte, h *header) error {
	if len(src) < spikesHeadLen {
		return errColumn
	}
	unit := binary.LittleEndian.Uint64(src)
	least := binary.LittleEndian.Uint32(src[8:])
	col := uint64(binary.LittleEndian.Uint32(src[12:]))
	src = src[spikesHeadLen:]
	if col > uint64(len(src)) {
		return errColumn
	}
	if unit == 0 {
		return errors.New("unit of time is 0")
	}
	times, ids := src[:col:col], src[col:]
	span := uint64(h.tMax - h.tMin)
	most := span / unit // so that no product overflows
	var vals [group]uint64
	var err error
	t := uint64(0) // since tMin
	for i := 0; i < len(dst); i += group {
		part := dst[i:min(i+group, len(dst))]
		if times, err = readGroup(vals[:len(part)], times); err != nil {
			return err
		}
		for j := range part {
			d := vals[j&(group-1)]
			if d > most || d*unit > span-t {
				return fmt.Errorf("spike %d lies beyond the last time of its block", i+j)
			}
			t += d * unit
			part[j].At = h.tMin + event.Time(t)
		}
		if ids, err = readGroup(vals[:len(part)], ids); err != nil {
			return err
		}
		or := uint64(0)
		for j := range part {
			v := vals[j&(group-1)]
			or |= v | (v + uint64(least))
			part[j].ID = least + uint32(v)
		}
		if or > math.MaxUint32 {
			return errors.New("an id is wider than 32 bits")
		}
	}
	if t != span || dst[0].At != h.tMin || len(times) != 0 || len(ids) != 0 {
		return errors.New("columns do not match the block header")
	}
	return nil
}

// Forms of the times of a block of samples.
const (
	timesEven   = 0
	timesListed = 1
)

// appendSamples encodes samples of n values each, row-major
// [len(times) × n], as the payload of a block.
func appendSamples(dst []byte, times []event.Time, values []float64, n int) []byte {
	if step, ok := even(times); ok && (len(times) < 2 || step > 0) {
		dst = append(dst, timesEven)
	} else {
		dst = append(dst, timesListed)
		var vals [group]uint64
		prev := times[0]
		for rest := times; len(rest) > 0; {
			part := rest[:min(group, len(rest))]
			rest = rest[len(part):]
			or := uint64(0)
			for i, t := range part {
				vals[i] = uint64(t - prev)
				or |= vals[i]
				prev = t
			}
			dst = appendGroup(dst, vals[:len(part)], or)
		}
	}
	m := len(times) * n
	start := len(dst)
	dst = grow(dst, 8*m)
	var plane [8][]byte
	for b := range plane {
		plane[b] = dst[start+b*m : start+(b+1)*m : start+(b+1)*m]
	}
	p0, p1, p2, p3 := plane[0], plane[1][:m], plane[2][:m], plane[3][:m]
	p4, p5, p6, p7 := plane[4][:m], plane[5][:m], plane[6][:m], plane[7][:m]
	k := 0
	for j := range n {
		for i := j; i < len(values); i += n {
			w := math.Float64bits(values[i])
			p0[k], p1[k], p2[k], p3[k] = byte(w), byte(w>>8), byte(w>>16), byte(w>>24)
			p4[k], p5[k], p6[k], p7[k] = byte(w>>32), byte(w>>40), byte(w>>48), byte(w>>56)
			k++
		}
	}
	return dst
}

// even reports whether times are evenly spaced, and the spacing.
func even(times []event.Time) (event.Time, bool) {
	if len(times) < 2 {
		return 0, true
	}
	step := times[1] - times[0]
	for i := 2; i < len(times); i++ {
		if times[i]-times[i-1] != step {
			return 0, false
		}
	}
	return step, true
}

// readSamples decodes the payload of a block of samples of n values each into
// times and, row-major, values; len(values) = len(times)·n.
func readSamples(times []event.Time, values []float64, src []byte, h *header, n int) error {
	if len(src) == 0 {
		return errColumn
	}
	form := src[0]
	src = src[1:]
	span := uint64(h.tMax - h.tMin)
	switch form {
	case timesEven:
		step := uint64(0)
		if k := uint64(len(times) - 1); k > 0 {
			step = span / k
			if step*k != span || step == 0 {
				return errors.New("times are not evenly spaced")
			}
		} else if span != 0 {
			return errors.New("one sample at two times")
		}
		for i := range times {
			times[i] = h.tMin + event.Time(step*uint64(i))
		}
	case timesListed:
		var vals [group]uint64
		var err error
		t := uint64(0)
		for i := 0; i < len(times); i += group {
			part := times[i:min(i+group, len(times))]
			if src, err = readGroup(vals[:len(part)], src); err != nil {
				return err
			}
			for j := range part {
				if vals[j] > span-t || vals[j] == 0 && i+j > 0 {
					return fmt.Errorf("time of sample %d is out of order", i+j)
				}
				t += vals[j]
				part[j] = h.tMin + event.Time(t)
			}
		}
		if t != span || times[0] != h.tMin {
			return errors.New("times do not match the block header")
		}
	default:
		return fmt.Errorf("form of times %d, want 0 or 1", form)
	}
	m := len(values)
	if len(src) != 8*m {
		return fmt.Errorf("%d B of values, want %d", len(src), 8*m)
	}
	p0, p1, p2, p3 := src[:m], src[m:][:m], src[2*m:][:m], src[3*m:][:m]
	p4, p5, p6, p7 := src[4*m:][:m], src[5*m:][:m], src[6*m:][:m], src[7*m:][:m]
	k := 0
	for j := range n {
		for i := j; i < m; i += n {
			u := uint64(p0[k]) | uint64(p1[k])<<8 | uint64(p2[k])<<16 | uint64(p3[k])<<24 |
				uint64(p4[k])<<32 | uint64(p5[k])<<40 | uint64(p6[k])<<48 | uint64(p7[k])<<56
			values[i] = math.Float64frombits(u)
			k++
		}
	}
	return nil
}
