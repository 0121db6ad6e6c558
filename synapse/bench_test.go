package synapse

import (
	"fmt"
	"testing"
)

// BenchmarkDelivery is row delivery alone: rows of different lengths onto a
// block whose accumulators lie in the first-level cache.
func BenchmarkDelivery(b *testing.B) {
	const n = 1563
	for _, size := range []int{10, 156, 1250} {
		r := Rows{Const: 0.1, Target: make([]uint16, size), Ptr: []uint32{0, uint32(size)}}
		for k := range r.Target {
			r.Target[k] = uint16(k * 7 % n)
		}
		weighted := r
		weighted.Weight = make([]float32, size)
		end := uint32(size)
		one, two := make([]float64, n), make([][2]float64, n)
		v, i, room := make([]float64, n), make([]float64, n), make([]float64, n)
		for _, c := range []struct {
			name string
			do   func()
		}{
			{"delta", func() { r.AddJump(one, 0, end, 0.5) }},
			{"delta, own weights", func() { weighted.AddJump(one, 0, end, 0.5) }},
			{"exp", func() { r.AddPair(two, 0, end, 0.5, 0.3) }},
			{"exp, epochs", func() { r.AddRise(v, i, room, 0, end, 0.5, 0.3, nil) }},
		} {
			b.Run(fmt.Sprintf("%s/row=%d", c.name, size), func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					c.do()
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(size), "ns/event")
			})
		}
	}
}
