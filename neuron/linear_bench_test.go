package neuron

import (
	"fmt"
	"testing"

	"hmn/event"
)

// BenchmarkSweep carries the neurons of a block over a step in which few of
// them need more than that.
func BenchmarkSweep(b *testing.B) {
	for _, model := range []string{"iaf_psc_delta", "iaf_psc_exp", "iaf_psc_alpha"} {
		l, err := NewLinear(model, nil, event.Millisecond)
		if err != nil {
			b.Fatal(err)
		}
		const n = 500
		s, st := l.NewState(n), l.Step(event.Millisecond/2)
		one, two, three := make([]float64, 2*n), make([][2]float64, 2*n), make([][3]float64, 2*n)
		var flagged []int32
		kernels := map[string]func(){
			"iaf_psc_delta": func() { flagged = l.SweepDelta(s, &st, one[:n], one[n:], flagged[:0]) },
			"iaf_psc_exp":   func() { flagged = l.SweepExp(s, &st, two[:n], two[n:], flagged[:0]) },
			"iaf_psc_alpha": func() { flagged = l.SweepAlpha(s, &st, three[:n], three[n:], flagged[:0]) },
		}
		busy := make([]float64, n)
		for i := range busy {
			busy[i] = -3
		}
		run := func(name string, do func()) {
			b.Run(fmt.Sprintf("%s/neurons=%d", name, n), func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					copy(s.V, busy) // else the state decays to nothing
					copy(s.I, busy)
					copy(s.DI, busy)
					do()
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/n, "ns/neuron")
			})
		}
		run(model, kernels[model])
		if model == "iaf_psc_exp" {
			run(model+", epochs", func() { flagged = l.SweepFree(s, &st, flagged[:0]) })
		}
	}
}

// BenchmarkReplay replays one neuron with one arrival, without and with a
// threshold crossing to be located.
func BenchmarkReplay(b *testing.B) {
	l, err := NewLinear("iaf_psc_exp", nil, event.Millisecond)
	if err != nil {
		b.Fatal(err)
	}
	s := l.NewState(1)
	hits := []Hit{{Off: 300_000_000, W: 30, Port: PortEx}}
	for _, c := range []struct {
		name  string
		below float64 // mV
		want  int
	}{{"quiet", 3, 0}, {"spike", 0.01, 1}} {
		b.Run(c.name, func(b *testing.B) {
			var spikes []Mark
			b.ReportAllocs()
			for b.Loop() {
				s.V[0], s.E[0], s.I[0], s.Free[0], s.Due[0] = s.Th[0]-c.below, 900, -30, 0, false
				spikes, _, err = l.Replay(s, 0, 0, event.Millisecond, hits, 0, spikes[:0], nil)
			}
			if err != nil || len(spikes) != c.want {
				b.Fatalf("%d spikes, want %d; %v", len(spikes), c.want, err)
			}
		})
	}
}

// BenchmarkArrivals adds arrivals at different times to the state at the end of
// a step.
func BenchmarkArrivals(b *testing.B) {
	l, err := NewLinear("iaf_psc_exp", nil, event.Millisecond)
	if err != nil {
		b.Fatal(err)
	}
	const n = 500
	s := l.NewState(n)
	a := &Arrivals{Const: 0.01}
	for k := range 200 {
		a.At = append(a.At, Timed{Off: uint32(k * 4_000_000), T: uint16(k * 7 % n)})
	}
	var flagged []int32
	b.ReportAllocs()
	for b.Loop() {
		flagged = l.AddPositive(s.Next(), event.Millisecond, a, flagged[:0])
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(len(a.At)), "ns/event")
}
