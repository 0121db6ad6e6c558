package hmn_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"hmn/event"
	"hmn/event/quantity"
	"hmn/event/random"
	"hmn/synapse"
	"hmn/synapse/hmn"
)

// More phases than are shared go synapse by synapse; the candidates must be those
// of as many rules with one synapse each, whose phase is shared by none.
func TestExactPhases(t *testing.T) {
	const n = 80
	rng := rand.New(rand.NewPCG(7, 8))
	phases := make([]float64, n)
	for k := range phases {
		phases[k] = 2 * math.Pi * rng.Float64()
	}
	p, err := hmn.Resolve(quantity.Values{"w_max": {Number: 1}}, false)
	if err != nil {
		t.Fatal(err)
	}
	run := func(phases []float64) []hmn.Entry {
		r := &synapse.Rows{Ptr: []uint32{0, uint32(len(phases))}, Target: make([]uint16, len(phases)), MinDelay: event.Millisecond, MaxDelay: event.Millisecond}
		d := hmn.NewDrive([]float64{1. / 200})
		d.Add(0, p.EtaLocal, []float64{0})
		l := hmn.NewSpikes(p, hmn.Wiring{Rows: r, Weight: 0.5, Phase: phases[0], Phases: phases, Targets: 1, Keys: []random.Key{1}}, d)
		l.All = true
		rng := rand.New(rand.NewPCG(1, 2))
		at := event.Time(0)
		for k := range 200 {
			at += event.Time(rng.Int64N(int64(20 * event.Millisecond)))
			switch k % 3 {
			case 0:
				d.Add(at, p.EtaLocal, []float64{p.EtaGlobal * rng.NormFloat64()})
			case 1:
				l.Post(0, at)
			default:
				l.Arrive(0, 0, uint32(len(phases)), at, nil)
				l.EndRow(0, at)
			}
		}
		l.Settle(at, true)
		return l.Entries
	}
	all := map[uint32][]hmn.Entry{}
	for _, e := range run(phases) {
		all[e.Synapse] = append(all[e.Synapse], e)
	}
	for k, phi := range phases {
		alone := run([]float64{phi})
		if len(alone) != len(all[uint32(k)]) || len(alone) < 10 {
			t.Fatalf("synapse %d: %d windows among others, %d alone", k, len(all[uint32(k)]), len(alone))
		}
		for q, e := range alone {
			if o := all[uint32(k)][q]; e.Value != o.Value || e.Close != o.Close {
				t.Fatalf("synapse %d, window %d: %v at %v among others, %v at %v alone", k, e.K, o.Value, o.Close, e.Value, e.Close)
			}
		}
	}
}
