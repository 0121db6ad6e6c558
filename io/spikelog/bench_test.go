package spikelog

import (
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"testing"

	"hmn/event"
	"hmn/network"
)

// poisson is a raster of n neurons that fire at rate [Hz], k spikes.
func poisson(rng *rand.Rand, n int, rate float64, k int) []network.Spike {
	s := make([]network.Spike, k)
	gap := float64(event.Second) / (float64(n) * rate)
	t := 0.0
	for i := range s {
		t += rng.ExpFloat64() * gap
		s[i] = network.Spike{At: event.Time(t), ID: uint32(rng.IntN(n))}
	}
	return s
}

// onGrid rounds the times to multiples of step and restores the order.
func onGrid(s []network.Spike, step event.Time) []network.Spike {
	for i := range s {
		s[i].At -= s[i].At % step
	}
	sortSpikes(s)
	return s
}

type counter struct{ n int64 }

func (c *counter) Write(b []byte) (int, error) { c.n += int64(len(b)); return len(b), nil }

var rasters = []struct {
	name string
	make func(*rand.Rand) []network.Spike
}{
	{"poisson/n=1e4/5Hz", func(r *rand.Rand) []network.Spike { return poisson(r, 1e4, 5, 1<<20) }},
	{"poisson/n=77169/3Hz", func(r *rand.Rand) []network.Spike { return poisson(r, 77169, 3, 1<<20) }},
	{"grid=0.1ms/n=1e4/5Hz", func(r *rand.Rand) []network.Spike {
		return onGrid(poisson(r, 1e4, 5, 1<<20), 1e8)
	}},
	{"synchronous/n=1024", func(*rand.Rand) []network.Spike {
		s := make([]network.Spike, 1<<20)
		for i := range s {
			s[i] = network.Spike{At: event.Time(i/1024) * 77_005_300_123, ID: uint32(i % 1024)}
		}
		return s
	}},
}

// BenchmarkWriteSpikes is the whole path: the caller's copy, encoding and
// checksums in the writer's goroutine, and a destination that takes no time.
func BenchmarkWriteSpikes(b *testing.B) {
	for _, c := range rasters {
		b.Run(c.name, func(b *testing.B) {
			s := c.make(rand.New(rand.NewPCG(1, 2)))
			b.ReportAllocs()
			var out counter
			for b.Loop() {
				out.n = 0
				w, err := NewWriter(&out, Meta{})
				if err != nil {
					b.Fatal(err)
				}
				for i := 0; i < len(s); i += 500 {
					if err := w.WriteSpikes(s[i:min(i+500, len(s))]); err != nil {
						b.Fatal(err)
					}
				}
				if err := w.Close(); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.N)*float64(len(s))/b.Elapsed().Seconds(), "spikes/s")
			b.ReportMetric(float64(out.n)/float64(len(s)), "B/spike")
		})
	}
}

// BenchmarkEncode is the encoder alone, on one core.
func BenchmarkEncode(b *testing.B) {
	for _, c := range rasters {
		b.Run(c.name, func(b *testing.B) {
			s := c.make(rand.New(rand.NewPCG(1, 2)))
			w, err := NewWriter(io.Discard, Meta{})
			if err != nil {
				b.Fatal(err)
			}
			defer w.Close()
			e := &w.out
			off := e.off
			b.ReportAllocs()
			st := stream{kind: kindSpikes}
			for b.Loop() {
				e.off = off
				e.index = e.index[:0]
				for i := 0; i < len(s); i += maxSpikes {
					if err := e.block(&buffer{from: &st, spikes: s[i:min(i+maxSpikes, len(s))]}); err != nil {
						b.Fatal(err)
					}
				}
			}
			b.ReportMetric(float64(b.N)*float64(len(s))/b.Elapsed().Seconds(), "spikes/s")
			b.ReportMetric(float64(e.off-off)/float64(len(s)), "B/spike")
		})
	}
}

// BenchmarkReadSpikes decodes a Poisson raster from memory.
func BenchmarkReadSpikes(b *testing.B) {
	s := poisson(rand.New(rand.NewPCG(1, 2)), 1e4, 5, 1<<20)
	log := record(b, Meta{}, s)
	for b.Loop() {
		r := open(b, log)
		n := 0
		for s, err := range r.All() {
			if err != nil {
				b.Fatal(err)
			}
			n += len(s)
		}
		if n != len(s) {
			b.Fatal(n)
		}
	}
	b.ReportMetric(float64(b.N)*float64(len(s))/b.Elapsed().Seconds(), "spikes/s")
}

// BenchmarkWriteSamples writes V_m-like signals: an Ornstein-Uhlenbeck process
// with time constant 20 ms around −55 mV, sampled every `every`.
func BenchmarkWriteSamples(b *testing.B) {
	for _, c := range []struct {
		n     int
		every float64 // ms
	}{{10, 1}, {1000, 0.1}, {1000, 1}, {200_000, 1}} {
		b.Run(fmt.Sprintf("n=%d/every=%gms", c.n, c.every), func(b *testing.B) {
			rng := rand.New(rand.NewPCG(1, 2))
			rows := 1 << 20 / c.n
			v := make([]float64, rows*c.n)
			a := math.Exp(-c.every / 20)
			for i := range v {
				prev := -55.0
				if i >= c.n {
					prev = v[i-c.n]
				}
				v[i] = -55 + (prev+55)*a + 3*math.Sqrt(1-a*a)*rng.NormFloat64()
			}
			m := Meta{Signals: []Signal{{Record: 0, What: "V_m", Of: "E", N: c.n, Every: 1e9}}}
			var out counter
			for b.Loop() {
				out.n = 0
				w, err := NewWriter(&out, m)
				if err != nil {
					b.Fatal(err)
				}
				for i := range rows {
					if err := w.WriteSamples(0, event.Time(i)*1e9, v[i*c.n:(i+1)*c.n]); err != nil {
						b.Fatal(err)
					}
				}
				if err := w.Close(); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.N)*float64(len(v))*8/1e6/b.Elapsed().Seconds(), "MB/s")
			b.ReportMetric(float64(out.n)/float64(len(v)), "B/value")
		})
	}
}
