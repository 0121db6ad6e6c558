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
	run := func(phases []float64) []synapse.Entry {
		r := &synapse.Rows{Ptr: []uint32{0, uint32(len(phases))}, Target: make([]uint16, len(phases)), MinDelay: event.Millisecond, MaxDelay: event.Millisecond}
		d := synapse.NewDrive([]float64{1. / 200})
		d.Add(0, p.EtaLocal, []float64{0})
		l := hmn.NewSpikes(p, synapse.Wiring{Rows: r, Weight: 0.5, Phase: phases[0], Phases: phases, Targets: 1, Keys: []random.Key{1}}, d)
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
	all := map[uint32][]synapse.Entry{}
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

// An arrival at the very close of a window finds the weight before it, whether or not
// a run ended there and the window was closed first.
func TestArrivalAtClose(t *testing.T) {
	p, err := hmn.Resolve(quantity.Values{"w_max": {Number: 1}}, false)
	if err != nil {
		t.Fatal(err)
	}
	build := func(until event.Time) *hmn.Spikes {
		r := &synapse.Rows{Ptr: []uint32{0, 1}, Target: make([]uint16, 1), MinDelay: event.Millisecond, MaxDelay: event.Millisecond}
		d := synapse.NewDrive([]float64{1. / 200})
		d.Add(0, p.EtaLocal, []float64{1})
		l := hmn.NewSpikes(p, synapse.Wiring{Rows: r, Weight: 0.5, Phase: 0, Targets: 1, Keys: []random.Key{1}}, d)
		l.All = true
		for at := 3 * event.Millisecond; at < until; at += 7 * event.Millisecond {
			l.Arrive(0, 0, 1, at, nil)
			l.EndRow(0, at)
			l.Post(0, at+event.Millisecond)
		}
		return l
	}
	l := build(event.Second)
	l.Settle(event.Second, true)
	closes := 0
	for _, e := range l.Entries {
		find := func(l *hmn.Spikes) float64 {
			sent := make([]float64, 1)
			l.Arrive(0, 0, 1, e.Close.At, sent)
			return sent[0]
		}
		whole, cut, after := build(e.Close.At), build(e.Close.At), build(e.Close.At)
		cut.Settle(e.Close.At, true)
		after.Settle(e.Close.At, true)
		a, b := find(whole), find(cut)
		if a != b {
			t.Errorf("arrival at close %v: weight %v, and %v where a run ended there", e.Close.At, a, b)
		}
		after.Settle(e.Close.At+1, true)
		sent := make([]float64, 1)
		if after.Arrive(0, 0, 1, e.Close.At+1, sent); sent[0] != a {
			closes++
		}
	}
	if closes < 2 {
		t.Fatalf("%d of %d closes changed the weight; none would be seen", closes, len(l.Entries))
	}
}
