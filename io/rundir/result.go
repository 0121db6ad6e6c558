package rundir

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"hash"
	"math"

	"hmn/network"
)

// ResultHasher is the hash of what a run gave, SHA-256 over
//
//	per spike, in order of (time, id):  int64 time [ps], uint32 id
//	then per AddWeights, in order:      uint32 len(name), name,
//	                                    uint64 len(w), binary64 per weight
//
// all little-endian. Two runs with the same hash gave the same spikes and final
// weights, whatever the files that hold them. It is a [network.SpikeSink]. The
// zero value is not ready: use [NewResultHasher].
type ResultHasher struct {
	h   hash.Hash
	buf []byte // < hashBuffer bytes that are not hashed yet
}

const hashBuffer = 64 << 10

var _ network.SpikeSink = (*ResultHasher)(nil)

// NewResultHasher is the hash of no spikes and no weights.
func NewResultHasher() *ResultHasher {
	return &ResultHasher{h: sha256.New(), buf: make([]byte, 0, hashBuffer)}
}

// WriteSpikes adds spikes. It returns nil.
func (r *ResultHasher) WriteSpikes(spikes []network.Spike) error {
	const size = 12
	for len(spikes) > 0 {
		n := len(r.buf)
		k := min(len(spikes), (hashBuffer-n)/size)
		if k == 0 {
			r.flush()
			continue
		}
		buf := r.buf[n : n+k*size]
		for _, s := range spikes[:k] {
			_ = buf[size-1]
			binary.LittleEndian.PutUint64(buf, uint64(s.At))
			binary.LittleEndian.PutUint32(buf[8:], s.ID)
			buf = buf[size:]
		}
		r.buf = r.buf[:n+k*size]
		spikes = spikes[k:]
	}
	return nil
}

// AddWeights adds the final weights of a projection, after all spikes and in
// the order of the model's projections.
func (r *ResultHasher) AddWeights(projection string, w []float64) {
	r.flush()
	r.buf = binary.LittleEndian.AppendUint32(r.buf, uint32(len(projection)))
	r.buf = append(r.buf, projection...)
	r.buf = binary.LittleEndian.AppendUint64(r.buf, uint64(len(w)))
	for _, x := range w {
		if len(r.buf)+8 > hashBuffer {
			r.flush()
		}
		r.buf = binary.LittleEndian.AppendUint64(r.buf, math.Float64bits(x))
	}
}

func (r *ResultHasher) flush() {
	r.h.Write(r.buf) // never an error, says hash.Hash
	r.buf = r.buf[:0]
}

// Sum is the hash so far, 64 hexadecimal digits. More can be added after it.
func (r *ResultHasher) Sum() string {
	r.flush()
	return hex.EncodeToString(r.h.Sum(nil))
}

// Tee is a sink that hands spikes to each of sinks in turn, up to the first
// error. Nil sinks are left out.
func Tee(sinks ...network.SpikeSink) network.SpikeSink {
	var t tee
	for _, s := range sinks {
		if s != nil {
			t = append(t, s)
		}
	}
	if len(t) == 1 {
		return t[0]
	}
	return t
}

type tee []network.SpikeSink

func (t tee) WriteSpikes(spikes []network.Spike) error {
	for _, s := range t {
		if err := s.WriteSpikes(spikes); err != nil {
			return err
		}
	}
	return nil
}
