package network

import (
	"fmt"
	"testing"

	"hmn/event"
)

// TestAhead: Poisson input that is drawn ahead, several windows at a time, gives
// the bits of one drawn window by window: whole runs, with windows cut by
// call-backs, several steps in a window, several inputs of both signs.
func TestAhead(t *testing.T) {
	p := num("C_m", 250, "tau_m", 10, "E_L", -65, "V_th", -50, "V_reset", -65, "t_ref", 2, "tau_syn_ex", 0.5, "tau_syn_in", 1)
	for _, c := range []struct {
		delay float64 // of the input [ms]
		hz    []float64
		busy  bool // some windows are taken in several steps
	}{
		{1.5, []float64{12800}, false}, {0.137, []float64{5000, 2100, 3000}, false}, {1, []float64{45000, 20000}, true}, {20.05, []float64{900}, false},
	} {
		m := &Model{Simulation: Simulation{Seed: 4}, Populations: []Population{{Name: "E", N: 60, Model: "iaf_psc_exp", Params: p, Init: map[string]Value{"V_m": between(-65, -51)}}}}
		for k, hz := range c.hz {
			x := Population{Name: fmt.Sprint("x", k), N: 60, Model: "poisson", Params: num("rate", hz)}
			w := 1.4e6 / hz
			if k%2 == 1 {
				w = -200000 / hz
			}
			m.Populations = append(m.Populations, x)
			m.Projections = append(m.Projections, Projection{Name: x.Name, Source: x.Name, Target: "E", Rule: OneToOne, Weight: fixed(w), Dendritic: fixed(c.delay)})
		}
		m.Projections = append(m.Projections, Projection{Name: "EE", Source: "E", Target: "E", Rule: FixedInDegree, Degree: 10, Multapses: true, Weight: fixed(-50), Dendritic: between(0.1, 3)})
		if c.busy {
			m.Populations = append(m.Populations, Population{Name: "many", N: 1000, Model: "poisson", Params: num("rate", 100)})
			m.Projections = append(m.Projections, Projection{Name: "many", Source: "many", Target: "E", Rule: AllToAll, Weight: fixed(0.1), Dendritic: fixed(0.1)})
		}
		m.Records = []Record{{What: RecordSpikes, Of: "E"}, {What: RecordVm, Of: "E", Every: 770 * event.Microsecond}}
		run := func(ahead bool) (*tape, Stats) {
			n := mustBuild(t, m, 1)
			drawn, steps := 0, 0
			for _, a := range n.blocks {
				b, ok := a.(*linearBlock)
				if !ok {
					continue
				}
				for k := range b.ahead {
					if b.ahead[k] != nil {
						drawn++
					}
					if !ahead {
						b.ahead[k] = nil
					}
				}
			}
			if drawn == 0 {
				t.Errorf("%v: nothing was drawn ahead", c)
			}
			for _, at := range []event.Time{3_333_333_333, 3_333_333_400, 40 * event.Millisecond, 71_050_000_000} {
				if _, err := n.At(at, func(event.Time) error { steps = max(steps, n.pops[0].last); return nil }); err != nil {
					t.Fatal(err)
				}
			}
			out := runFor(t, n, 50*event.Millisecond, 100*event.Millisecond)
			if c.busy && steps < 2 {
				t.Errorf("%v: windows have %d steps", c, steps)
			}
			return out, n.Stats()
		}
		got, s := run(true)
		want, r := run(false)
		sameTape(t, fmt.Sprint(c), got, want)
		if s.SynapticEvents != r.SynapticEvents || s.ExternalEvents != r.ExternalEvents || s.PopSpikes[1] != r.PopSpikes[1] {
			t.Errorf("%v: %d events, %d external, want %d, %d", c, s.SynapticEvents, s.ExternalEvents, r.SynapticEvents, r.ExternalEvents)
		}
	}
}
