package extension_test

import (
	"context"
	"math"
	"slices"
	"testing"

	"hmn/event"
	"hmn/event/quantity"
	"hmn/models/extension"
	"hmn/network"
	"hmn/neuron"
	"hmn/synapse"
)

const ms = event.Millisecond

// values makes parameters from numbers.
func values(m map[string]float64) quantity.Values {
	v := quantity.Values{}
	for k, x := range m {
		v[k] = quantity.Value{Number: x}
	}
	return v
}

func quadratic(t *testing.T, m map[string]float64) *extension.Quadratic {
	t.Helper()
	q, err := extension.NewQuadratic(values(m), 1)
	if err != nil {
		t.Fatal(err)
	}
	return q
}

// The potential against an integration by Euler's method with Richardson's
// extrapolation, above and below V_c, and below E_L.
func TestQuadraticFlow(t *testing.T) {
	const tau, el, vc = 10.0, -65.0, -50.0
	slope := func(v float64) float64 { return (v - el) * (v - vc) / (vc - el) / tau }
	euler := func(v, s float64, n int) float64 {
		for range n {
			v += s / float64(n) * slope(v)
		}
		return v
	}
	for _, v0 := range []float64{-90, -65, -60, -50.001, -49, -40} {
		const s = 5.0
		want := 2*euler(v0, s, 200_000) - euler(v0, s, 100_000)
		q := quadratic(t, nil)
		*q.State(0, "V_m") = v0
		if _, err := q.Advance(0, 0, 5*ms, nil, nil); err != nil {
			t.Fatal(err)
		}
		if got := *q.State(0, "V_m"); math.Abs(got-want) > 1e-7 {
			t.Errorf("from %g mV: %.10g mV after %g ms, want %.10g", v0, got, s, want)
		}
	}
}

// From V = E_L + 2 (V_c − E_L), y = 2, and a peak at y = 5 the spike falls
// tau ln(1 + (1 − 2/5)/(2 − 1)) = tau ln 1.6 after the arrival.
func TestQuadraticPeak(t *testing.T) {
	p := map[string]float64{"E_L": 0, "V_c": 10, "V_peak": 50, "V_reset": 0, "t_ref": 3}
	at := 2 * ms
	want := at + event.Time(math.Round(10e9*math.Log(1.6)))
	q := quadratic(t, p)
	spikes, err := q.Advance(0, 0, 20*ms, []neuron.Arrival{{At: at, Weight: 20}}, nil)
	if err != nil || len(spikes) != 1 || spikes[0] != want {
		t.Errorf("spikes at %v, error %v, want one at %v ms", spikes, err, want)
	}

	// Refractoriness ends at want + 3 ms: an arrival one picosecond before is
	// lost, one at the end counts. 60 mV are beyond the peak: a spike at once.
	for off, n := range map[event.Time]int{-1: 1, 0: 2} {
		q := quadratic(t, p)
		spikes, _ := q.Advance(0, 0, 20*ms, []neuron.Arrival{{At: at, Weight: 20}, {At: want + 3*ms + off, Weight: 60}}, nil)
		if len(spikes) != n {
			t.Errorf("arrival %d ps from the end of refractoriness: spikes at %v, want %d", off, spikes, n)
		}
	}

	// Two arrivals of one instant are one test: their sum stays below V_c.
	q = quadratic(t, p)
	spikes, _ = q.Advance(0, 0, 100*ms, []neuron.Arrival{{At: 0, Weight: 60}, {At: 0, Weight: -55}}, nil)
	if len(spikes) != 0 {
		t.Errorf("spikes at %v from a sum below V_c", spikes)
	}

	// A peak that rounds onto the end of a window is sent at the start of the
	// next; many short windows give the spike of one long one.
	q = quadratic(t, p)
	first, _ := q.Advance(0, 0, want, []neuron.Arrival{{At: at, Weight: 20}}, nil)
	second, _ := q.Advance(0, want, 20*ms, nil, nil)
	if len(first) != 0 || !slices.Equal(second, []event.Time{want}) {
		t.Errorf("split at the spike: %v and %v, want none and %v", first, second, want)
	}
	q = quadratic(t, p)
	var all []event.Time
	for from := event.Time(0); from < 20*ms; from += ms / 4 {
		var a []neuron.Arrival
		if from == at {
			a = []neuron.Arrival{{At: at, Weight: 20}}
		}
		all, _ = q.Advance(0, from, from+ms/4, a, all)
	}
	if len(all) != 1 || max(all[0]-want, want-all[0]) > 1 {
		t.Errorf("in windows of 0.25 ms: spikes at %v, want one at %v ms to a picosecond", all, want)
	}
}

// With U = 1/2, tau_rec = 1/ln 2 s, and spikes a second apart, x recovers half
// of what is missing each time: 1, 3/4, 11/16, 43/64.
func TestDepressing(t *testing.T) {
	rows := &synapse.Rows{Ptr: []uint32{0, 0, 2, 3}, Target: []uint16{0, 1, 0}, Weight: []float32{8, 16, 4}}
	d := extension.NewDepressing(values(map[string]float64{"U": 0.5, "tau_rec": 1000 / math.Ln2}), rows)
	for range 2 {
		for k, x := range []float64{1, 3. / 4, 11. / 16, 43. / 64} {
			w := make([]float64, 2)
			d.Arrive(event.Time(k)*event.Second, 0, 2, w) // source 1; source 0 has no synapses
			if math.Abs(w[0]-4*x) > 1e-12 || math.Abs(w[1]-8*x) > 1e-12 {
				t.Errorf("spike %d: %v, want %v", k, w, []float64{4 * x, 8 * x})
			}
		}
		w := make([]float64, 1)
		if d.Arrive(0, 2, 3, w); w[0] != 2 {
			t.Errorf("source 2: %v, want 2: the resources of another source", w[0])
		}
		d.Reset()
	}
}

// sink keeps spikes.
type sink []network.Spike

func (s *sink) WriteSpikes(spikes []network.Spike) error {
	*s = append(*s, spikes...)
	return nil
}

// A random network of both models gives the same spikes with one worker and
// with three, and in one run and in pieces.
func TestSameBits(t *testing.T) {
	m := &network.Model{
		Simulation: network.Simulation{Seed: 3},
		Populations: []network.Population{
			{Name: "in", N: 2000, Model: "poisson", Params: values(map[string]float64{"rate": 20})},
			{Name: "q", N: 2000, Model: "qif_psc_delta", Init: map[string]network.Value{"V_m": {Form: network.Uniform, A: -70, B: -51}}},
		},
		Projections: []network.Projection{
			{Name: "in-q", Source: "in", Target: "q", Rule: network.OneToOne, Weight: network.Value{A: 18}, Dendritic: network.Value{A: 1}},
			{Name: "q-q", Source: "q", Target: "q", Rule: network.FixedInDegree, Degree: 20, Weight: network.Value{A: 4},
				Axonal: network.Value{A: 0.5}, Dendritic: network.Value{Form: network.Uniform, A: 0.5, B: 2}, Synapse: "depressing"},
		},
	}
	run := func(workers int, pieces ...event.Time) sink {
		n, err := network.Build(m, network.Options{Workers: workers})
		if err != nil {
			t.Fatal(err)
		}
		defer n.Close()
		var s sink
		for _, d := range pieces {
			if err := n.Run(context.Background(), d, network.Recorder{Spikes: &s}); err != nil {
				t.Fatal(err)
			}
		}
		return s
	}
	one := run(1, 200*ms)
	if len(one) < 1000 {
		t.Fatalf("%d spikes, want many", len(one))
	}
	for name, other := range map[string]sink{"3 workers": run(3, 200*ms), "in pieces": run(1, 77*ms+1, 123*ms-1)} {
		if !slices.Equal(one, other) {
			t.Errorf("%s: %d spikes that differ from the %d of one run with one worker", name, len(other), len(one))
		}
	}
}

// The depressing synapse is the stage tsodyks2 without facilitation; behind a stage
// that passes everything on, and with release sites that never fail, it is
// itself, to the last digits.
func TestDepressingIsAStage(t *testing.T) {
	run := func(change func(p *network.Projection)) sink {
		p := network.Projection{Name: "in-q", Source: "in", Target: "q", Rule: network.FixedInDegree, Degree: 50, Multapses: true,
			Weight: network.Value{A: 9}, Axonal: network.Value{A: 0.5}, Dendritic: network.Value{Form: network.Uniform, A: 0.5, B: 2}}
		change(&p)
		n, err := network.Build(&network.Model{
			Simulation: network.Simulation{Seed: 3},
			Populations: []network.Population{
				{Name: "in", N: 200, Model: "poisson", Params: values(map[string]float64{"rate": 30})},
				{Name: "q", N: 100, Model: "qif_psc_delta"}},
			Projections: []network.Projection{p},
		}, network.Options{Workers: 2})
		if err != nil {
			t.Fatal(err)
		}
		defer n.Close()
		var s sink
		if err := n.Run(context.Background(), 300*ms, network.Recorder{Spikes: &s}); err != nil {
			t.Fatal(err)
		}
		return s
	}
	par := values(map[string]float64{"U": 0.4, "tau_rec": 150})
	depressing := func(p *network.Projection) { p.Synapse, p.SynapseParams = "depressing", par }
	want := run(depressing)
	if len(want) < 100 {
		t.Fatalf("%d spikes, want many", len(want))
	}
	for name, change := range map[string]func(p *network.Projection){
		"tsodyks2": func(p *network.Projection) { p.Synapse, p.SynapseParams = "tsodyks2", par },
		"a stage that passes all": func(p *network.Projection) {
			depressing(p)
			p.ShortTerm = network.ShortTerm{Model: "tsodyks2", Params: values(map[string]float64{"U": 1, "tau_rec": 0})}
		},
		"sites that never fail": func(p *network.Projection) {
			depressing(p)
			p.Release = synapse.Release{Sites: 3, P: 1}
		},
	} {
		got := run(change)
		if len(got) != len(want) {
			t.Errorf("%s: %d spikes, want %d", name, len(got), len(want))
			continue
		}
		for k := range got { // products may be taken in another order
			if d := got[k].At - want[k].At; got[k].ID != want[k].ID || d < -5 || d > 5 {
				t.Errorf("%s: spike %d is %v, want %v", name, k, got[k], want[k])
				break
			}
		}
	}
}
