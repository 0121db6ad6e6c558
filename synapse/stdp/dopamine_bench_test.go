package stdp

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"hmn/event"
	"hmn/synapse"
)

// BenchmarkDopamine is the kernel alone: rows of 1000 synapses onto 2000 targets,
// both sides firing at 5 Hz, dopamine every 100 ms on average. An event is a synapse that sees
// an arrival or a post spike.
func BenchmarkDopamine(b *testing.B) {
	for _, c := range []struct {
		name    string
		sources int
		p       DopamineParams
		each    bool
	}{
		{"exact", 1000, DopamineParams{Semantics: Exact}, false},
		{"exact", 10000, DopamineParams{Semantics: Exact}, false},
		{"exact, signed", 1000, DopamineParams{Semantics: Exact, B: 0.1}, false},
		{"exact, delays", 1000, DopamineParams{Semantics: Exact}, true},
		{"nest", 1000, DopamineParams{Semantics: Nest, B: 0.001}, false},
		{"daspnet", 1000, DopamineParams{Semantics: Daspnet, Set: true, B: -0.002, Grid: 10 * event.Millisecond, PostLag: event.Millisecond}, false},
	} {
		b.Run(fmt.Sprintf("%s/synapses=%d", c.name, 1000*c.sources), func(b *testing.B) {
			const targets, row = 2000, 1000
			p := c.p
			p.APlus, p.AMinus, p.TauPlus, p.TauMinus, p.TauC, p.Eta, p.WMax = 0.1, -0.15, 20, 20, 1000, 1e-3, 4
			rng := rand.New(rand.NewPCG(1, 2))
			rows := &synapse.Rows{Ptr: []uint32{0}, MinDelay: event.Millisecond, MaxDelay: event.Millisecond}
			for range c.sources {
				for k := range row {
					rows.Target = append(rows.Target, uint16(2*k+rng.IntN(2)))
				}
				rows.Ptr = append(rows.Ptr, uint32(len(rows.Target)))
			}
			if c.each {
				rows.Delay = make([]uint32, len(rows.Target))
				for k := range rows.Delay {
					rows.Delay[k] = uint32(k%row) * 4e6
				}
			}
			d := synapse.NewDrive([]float64{1. / 200})
			l := NewDopamine(p, &synapse.Wiring{Rows: rows, Weight: 1, Targets: targets}, d)
			events, now, da := 0, event.Time(0), 0.0
			d.Add(0, 0, []float64{0})
			for b.Loop() {
				for range 200 { // ms
					now += event.Millisecond
					da *= 0.995
					if rng.IntN(100) == 0 {
						da += 0.5
						d.Add(now, 0, []float64{da})
					}
					l.Begin(now, now+10*event.Millisecond)
					for range 5 * c.sources / 1000 {
						src := uint32(rng.IntN(c.sources))
						lo, hi := rows.Ptr[src], rows.Ptr[src+1]
						if c.each {
							for i := lo; i < hi; i++ {
								l.Arrive(src, i, i+1, now+rows.DelayAt(int(i)), nil)
							}
						} else {
							l.Arrive(src, lo, hi, now+event.Millisecond, nil)
						}
						l.EndRow(src, now+event.Millisecond)
						events += row
					}
					for range targets * 5 / 1000 {
						l.Post(rng.IntN(targets), now)
						events += c.sources * row / targets
					}
					if now%(4*event.Second) == 0 {
						l.Settle(now, true)
					}
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(events), "ns/event")
		})
	}
}
