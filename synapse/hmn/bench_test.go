package hmn_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"hmn/event"
	"hmn/event/quantity"
	"hmn/event/random"
	"hmn/synapse"
	"hmn/synapse/hmn"
)

// block makes n synapses from n/100 sources onto 1000 targets: 100 per source,
// with the preset hmn-core unless values say otherwise.
func block(b *testing.B, n int, v quantity.Values) (*hmn.Spikes, *synapse.Drive) {
	v["w_max"] = quantity.Value{Number: 1}
	p, err := hmn.Resolve(v, false)
	if err != nil {
		b.Fatal(err)
	}
	const out = 100
	targets := 1000
	sources := n / out
	r := &synapse.Rows{Ptr: make([]uint32, sources+1), Target: make([]uint16, n), MinDelay: event.Millisecond, MaxDelay: event.Millisecond}
	rng := rand.New(rand.NewPCG(1, 2))
	for s := range sources {
		r.Ptr[s+1] = r.Ptr[s] + out
		for k := range out {
			r.Target[s*out+k] = uint16(rng.IntN(targets))
		}
	}
	w := synapse.Wiring{Rows: r, Weight: 0.5, Targets: targets, Keys: []random.Key{random.NewKey(1, random.StreamUpdate, 1)}}
	if p.PhaseUniform {
		w.Phases = make([]float64, n)
		for k := range w.Phases {
			w.Phases[k] = 2 * 3.141592653589793 * float64(rng.IntN(16)) / 16
		}
	}
	d := synapse.NewDrive([]float64{1. / 200})
	d.Add(0, p.EtaLocal, []float64{p.EtaGlobal * 0.1})
	return hmn.NewSpikes(p, w, d), d
}

// BenchmarkVisit: sources at 10 Hz, targets at 10 Hz; a visit is a synapse and an
// arrival, a post spike or the close of a window with a candidate.
func BenchmarkVisit(b *testing.B) {
	for _, c := range []struct {
		name string
		v    quantity.Values
	}{
		{"core", quantity.Values{}},
		{"phases=16", quantity.Values{"phase": {Text: "uniform"}}},
		{"continuous", quantity.Values{"update": {Text: "continuous"}, "bernoulli": {}, "gate": {}}},
	} {
		for _, n := range []int{1e4, 1e5, 1e6, 1e7} {
			b.Run(fmt.Sprintf("%s/synapses=%d", c.name, n), func(b *testing.B) {
				l, d := block(b, n, c.v)
				rng := rand.New(rand.NewPCG(3, 4))
				sources := n / 100
				visits, t := 0, event.Time(0)
				step := event.Second / event.Time(10*sources) // one source spike each
				posts := 0.0
				b.ReportAllocs()
				b.ResetTimer()
				for b.Loop() {
					t += step
					for posts += 10 * 1000 * step.Seconds(); posts >= 1; posts-- {
						l.Post(rng.IntN(1000), t-event.Time(rng.Int64N(int64(step))))
						visits += n / 1000
					}
					l.Begin(t, t)
					s := uint32(rng.IntN(sources))
					l.Arrive(s, l.W.Rows.Ptr[s], l.W.Rows.Ptr[s+1], t, nil)
					l.EndRow(s, t)
					visits += 100
					if t%(event.Second*8) < step {
						l.Settle(t, true)
						d.Drop(t - event.Second)
					}
				}
				visits += int(l.Counts.Opportunities)
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(visits), "ns/visit")
				b.ReportMetric(float64(l.W.Bytes(48))/float64(n), "B/synapse")
				b.ReportMetric(float64(l.Counts.Opportunities)/float64(visits), "closes/visit")
			})
		}
	}
}

// BenchmarkAttention: one post spike of a target with 100 inputs and embeddings of
// 8 dimensions, its share of 100 arrivals included: the difference of the two is
// what attention adds to a post spike.
func BenchmarkAttention(b *testing.B) {
	for _, beta := range []float64{0, 1} {
		b.Run(fmt.Sprintf("beta_a=%g", beta), func(b *testing.B) {
			v := quantity.Values{}
			if beta > 0 {
				v["beta_a"] = quantity.Value{Number: beta}
			}
			l, _ := block(b, 1e5, v)
			var a *hmn.Attention
			if beta > 0 {
				rng := rand.New(rand.NewPCG(5, 6))
				x := make([]float64, 1000*8)
				for k := range x {
					x[k] = rng.NormFloat64()
				}
				var err error
				if a, err = hmn.NewAttention([]*hmn.Spikes{l}, []*hmn.Embedding{hmn.NewEmbedding(8, x)}); err != nil {
					b.Fatal(err)
				}
			}
			rng := rand.New(rand.NewPCG(3, 4))
			t := event.Time(0)
			b.ReportAllocs()
			for b.Loop() {
				t += 100 * event.Microsecond // 1000 targets at 10 Hz, 1000 sources at 10 Hz
				s := uint32(rng.IntN(1000))
				l.Begin(t, t)
				l.Arrive(s, l.W.Rows.Ptr[s], l.W.Rows.Ptr[s+1], t, nil)
				l.EndRow(s, t)
				if j := rng.IntN(1000); a != nil {
					a.Arrive(l, s, l.W.Rows.Ptr[s], l.W.Rows.Ptr[s+1], t)
					a.Post(j, t)
				} else {
					l.Post(j, t)
				}
				if t%(8*event.Second) == 0 {
					l.Settle(t, true)
				}
			}
		})
	}
}

// BenchmarkShared: what all synapses share costs the same however many there are:
// a jump of a modulator, and the passing of 16 phase windows.
func BenchmarkShared(b *testing.B) {
	for _, n := range []int{1e3, 1e4, 1e5, 1e6, 1e7} {
		b.Run(fmt.Sprintf("synapses=%d", n), func(b *testing.B) {
			l, d := block(b, n, quantity.Values{"phase": {Text: "uniform"}})
			t := event.Time(0)
			for b.Loop() {
				t += event.Second / 8 // a cycle: every window opens and closes
				d.Add(t, 1e-6, []float64{1e-3})
				l.Begin(t, t)
				d.Drop(t - event.Second)
			}
		})
	}
}
