package network

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"hmn/event"
	"hmn/event/quantity"
	"hmn/synapse"
)

// usePath makes every linear block of n take one way through its windows:
// "sweep", "epochs" or "window" (an epoch each; exponential currents only) or
// "each".
func usePath(t testing.TB, n *Network, path string) {
	t.Helper()
	for _, p := range n.pops {
		if p.lin == nil {
			continue
		}
		p.epoch = 0
		switch path {
		case "window":
			p.epoch = n.grid.Step
		case "epochs":
			p.epoch = min(p.lin.HMax(), longestStep, 13*n.grid.Step) / n.grid.Step * n.grid.Step
		}
		if p.epoch > 0 {
			p.lin.Extend(p.epoch)
			n.longest = max(n.longest, p.epoch)
		}
	}
	for _, a := range n.blocks {
		if b, ok := a.(*linearBlock); ok {
			b.odd = path == "each"
		}
	}
	if err := n.Reset(); err != nil {
		t.Fatal(err)
	}
	for _, a := range n.blocks {
		if b, ok := a.(*linearBlock); ok && (b.each != (path == "each") || (b.epoch != nil) != (path == "epochs" || path == "window")) {
			t.Fatalf("path %s is not taken", path)
		}
	}
}

func pathsOf(model string) []string {
	if model == "iaf_psc_exp" {
		return []string{"each", "sweep", "epochs", "window"}
	}
	return []string{"each", "sweep"}
}

// numbers keeps samples as numbers.
type numbers struct {
	at   []event.Time
	rows [][]float64
}

func (p *numbers) WriteSamples(_ int, at event.Time, v []float64) error {
	p.at, p.rows = append(p.at, at), append(p.rows, slices.Clone(v))
	return nil
}

// TestPaths: sweeping, epochs and replaying every neuron give the same spikes
// and samples on a feed-forward network, as far as rounding allows. Arrivals
// are few, or so many that windows are cut into steps; windows are cut by
// call-backs too; the longest window is as long as the bound allows.
func TestPaths(t *testing.T) {
	for _, model := range []string{"iaf_psc_delta", "iaf_psc_exp", "iaf_psc_alpha"} {
		for _, hz := range []float64{3, 40, 2500} {
			for _, cuts := range []bool{false, true} {
				t.Run(fmt.Sprintf("%s/%g/%v", model, hz, cuts), func(t *testing.T) {
					const span = 250 * event.Millisecond
					m := feedForward(model, hz, Record{What: RecordSpikes, Of: "T"}, Record{What: RecordVm, Of: "T", Subset: []int{0, 1, 29}, Every: 731 * event.Microsecond})
					n := mustBuild(t, m, 1)
					var want *tape
					var rows *numbers
					for _, path := range pathsOf(model) {
						usePath(t, n, path)
						rng := rand.New(rand.NewPCG(2, 0))
						for at := event.Time(0); cuts && at < span; at += event.Time(rng.Int64N(8e9)) {
							n.At(at, func(event.Time) error { return nil })
						}
						p, q := &tape{}, &numbers{}
						if err := n.Run(context.Background(), span, Recorder{Spikes: p, Samples: q}); err != nil {
							t.Fatal(err)
						}
						if want == nil {
							want, rows = p, q
						}
						closeSpikes(t, path, p.spikes, want.spikes, 4)
						if len(q.rows) != len(rows.rows) || len(q.rows) != 342 { // ⌈250/0.731⌉
							t.Fatalf("%s: %d samples, want %d and 342", path, len(q.rows), len(rows.rows))
						}
						for k, row := range q.rows {
							for c, v := range row {
								if math.Abs(v-rows.rows[k][c]) > 1e-9 || q.at[k] != event.Time(k)*731*event.Microsecond {
									t.Fatalf("%s: sample %d at %v ms: %v, want %v", path, k, q.at[k], v, rows.rows[k][c])
								}
							}
						}
					}
				})
			}
		}
	}
}

// TestPathsRepeat: on each path the identities of docs/semantics.md (determinism) hold bit for bit:
// split runs, Reset, samples or not, call-backs that cut windows.
func TestPathsRepeat(t *testing.T) {
	const span = 80 * event.Millisecond
	m := cubaModel(300, between(0.3, 2.2))
	m.Records = []Record{{What: RecordSpikes, Of: "E"}, {What: RecordSpikes, Of: "I"}}
	sampled := *m
	sampled.Records = append(slices.Clone(m.Records), Record{What: RecordVm, Of: "E", Every: 100 * event.Microsecond},
		Record{What: RecordISyn, Of: "I", Subset: []int{2, 5}, Every: 77 * event.Microsecond})
	var counts []int
	for _, path := range pathsOf("iaf_psc_exp") {
		n, s := mustBuild(t, m, 1), mustBuild(t, &sampled, 2)
		usePath(t, n, path)
		usePath(t, s, path)
		cut := func(n *Network) {
			rng := rand.New(rand.NewPCG(3, 0))
			for range 30 {
				n.At(event.Time(rng.Int64N(int64(span))), func(event.Time) error { return nil })
			}
		}
		want := runFor(t, n, span)
		a := runFor(t, s, span)
		if len(a.rows) == 0 {
			t.Error("no samples")
		}
		sameTape(t, path+": sampled", &tape{spikes: a.spikes}, want)
		s.Reset()
		sameTape(t, path+": sampled, split", runFor(t, s, 1, 33333333333, 7, span-33333333341), a)
		n.Reset()
		sameTape(t, path+": reset", runFor(t, n, span), want)
		counts = append(counts, len(want.spikes))
		n.Reset()
		s.Reset()
		cut(n)
		cut(s)
		want, a = runFor(t, n, span), runFor(t, s, 11e9, span-11e9)
		sameTape(t, path+": sampled, cut", &tape{spikes: a.spikes}, want)
	}
	// The paths round differently, which a recurrent network amplifies, but the
	// rates agree: 4σ of a Poisson count.
	for _, c := range counts {
		if math.Abs(float64(c-counts[0])) > 4*math.Sqrt(2*float64(counts[0])) {
			t.Errorf("spikes by path: %v", counts)
		}
	}
}

// TestEpochLongestWindow: epochs when the window is exactly the
// longest step, and when far more arrives than the description promised.
func TestEpochLongestWindow(t *testing.T) {
	rng := rand.New(rand.NewPCG(9, 0))
	var trains [][]event.Time
	for range 100 {
		trains = append(trains, trainsOf(rng, 1, 300, 60*event.Millisecond, event.Millisecond)[0])
	}
	m := &Model{Populations: []Population{
		{Name: "s", N: 100, Model: "spike_train", Trains: trains, ExpectedRateHz: 1e-3},
		{Name: "T", N: 20, Model: "iaf_psc_exp", Params: num("tau_m", 1, "tau_syn_ex", 1, "tau_syn_in", 1, "C_m", 20, "t_ref", 0.5)},
	}, Projections: []Projection{{Name: "p", Source: "s", Target: "T", Rule: FixedInDegree, Degree: 40, Multapses: true, Weight: between(10, 60), Dendritic: fixed(1)}}}
	n := mustBuild(t, m, 1)
	if n.pops[1].epoch != n.grid.Step || n.grid.Step != n.pops[1].lin.HMax() {
		t.Fatalf("not the case that is meant: window %v ms, longest step %v ms", n.grid.Step, n.pops[1].lin.HMax())
	}
	got := runFor(t, n, 60*event.Millisecond)
	events := n.Stats().SynapticEvents
	usePath(t, n, "each")
	want := runFor(t, n, 60*event.Millisecond)
	closeSpikes(t, "epochs", got.spikes, want.spikes, 4)
	if events != n.Stats().SynapticEvents {
		t.Errorf("%d arrivals, want %d", events, n.Stats().SynapticEvents)
	}
}

// TestEpochQuiet: neurons left alone for hundreds of windows, one with a slow
// ramp that crosses all by itself, in windows of 10 µs.
func TestEpochQuiet(t *testing.T) {
	m := &Model{Populations: []Population{
		{Name: "s", N: 1, Model: "spike_train", Trains: [][]event.Time{{3e9, 25e9}}},
		{Name: "T", N: 4, Model: "iaf_psc_exp", Params: num("tau_m", 20, "C_m", 250, "E_L", 0, "V_th", 15, "V_reset", 0, "I_e", 187.5001, "tau_syn_ex", 5, "tau_syn_in", 5),
			Init: map[string]Value{"V_m": {Form: Column, Column: []float64{0, 14.9, 7, 14.999}}, "I_syn_ex": {Form: Column, Column: []float64{500, 0, 200, 1}}}},
	}, Projections: []Projection{{Name: "p", Source: "s", Target: "T", Rule: EdgeList, Edges: []synapse.Edge{
		{Target: 1, Weight: 100, Dendritic: 10 * event.Microsecond}, {Target: 2, Weight: -300, Dendritic: 20 * event.Microsecond}, {Target: 3, Weight: 50, Dendritic: 1111111111}}}}}
	n := mustBuild(t, m, 1)
	if n.pops[1].epoch != longestStep || n.grid.Step != 10*event.Microsecond {
		t.Fatalf("not the case that is meant: window %v ms", n.grid.Step)
	}
	got := runFor(t, n, 150*event.Millisecond)
	usePath(t, n, "each")
	want := runFor(t, n, 150*event.Millisecond)
	closeSpikes(t, "epochs", got.spikes, want.spikes, 20) // the ramp has a slope of 1e-5 mV/ms where it crosses
	// V(t) = ∞ + (V0 − ∞) e^{−t/20} for neuron 0 alone, before anything else:
	// its first spike by bisection on the closed form.
	v := func(s float64) float64 {
		const inf = 187.5001 * 0.08
		return inf - inf*math.Exp(-s/20) + 500.0/250*(20*5/15.0)*(math.Exp(-s/20)-math.Exp(-s/5))
	}
	lo, hi := 0.0, 9.0
	if v(hi) < 15 {
		hi = 149
	}
	for range 100 {
		if mid := 0.5 * (lo + hi); v(mid) < 15 {
			lo = mid
		} else {
			hi = mid
		}
	}
	for _, s := range got.spikes {
		if s.ID == 1 {
			if math.Abs(s.At.MS()-hi) > 1e-6 {
				t.Errorf("first spike at %v ms, want %v", s.At, hi)
			}
			break
		}
	}
}

// TestRefractoryPaths: t_ref of zero, below a window, a whole number of windows,
// and many windows, on each path.
func TestRefractoryPaths(t *testing.T) {
	for _, model := range []string{"iaf_psc_delta", "iaf_psc_exp", "iaf_psc_alpha"} {
		for _, ref := range []float64{0, 1e-9, 0.3, 1, 2, 17.77} {
			m := feedForward(model, 60, Record{What: RecordSpikes, Of: "T"})
			m.Populations[2].Params["t_ref"] = quantity.Value{Number: ref}
			m.Populations[2].Params["I_e"] = quantity.Value{Number: 120}
			n := mustBuild(t, m, 1)
			var want *tape
			for _, path := range pathsOf(model) {
				usePath(t, n, path)
				p := runFor(t, n, 120*event.Millisecond)
				if want == nil {
					want = p
				}
				closeSpikes(t, fmt.Sprintf("%s, t_ref %g, %s", model, ref, path), p.spikes, want.spikes, 4)
				last := map[uint32]event.Time{}
				for _, s := range p.spikes {
					if at, ok := last[s.ID]; ok && s.At-at < max(1, event.Time(ref*1e9)) {
						t.Fatalf("%s, t_ref %g, %s: neuron %d at %v and %v ms", model, ref, path, s.ID, at, s.At)
					}
					last[s.ID] = s.At
				}
			}
		}
	}
}

// TestHistory: entries are forgotten only when every projection has delivered
// them: a busy source with a slow projection beside a fast one.
func TestHistory(t *testing.T) {
	rng := rand.New(rand.NewPCG(12, 0))
	trains := trainsOf(rng, 30, 900, 120*event.Millisecond, event.Millisecond)
	for i := range trains {
		trains[i] = slices.Compact(trains[i])
	}
	var edges []synapse.Edge
	for i := range uint32(30) {
		edges = append(edges, synapse.Edge{Source: i, Target: i, Weight: 20, Dendritic: 700 * event.Microsecond})
	}
	m := relay(edges, 30, 60, trains)
	slow := m.Projections[0]
	slow.Name, slow.Edges = "slow", nil
	for i := range uint32(30) {
		slow.Edges = append(slow.Edges, synapse.Edge{Source: i, Target: 30 + i, Weight: 20, Dendritic: 37*event.Millisecond + event.Time(i%2)*5*event.Millisecond})
	}
	m.Projections = append(m.Projections, slow)
	for _, path := range pathsOf("iaf_psc_delta") {
		n := mustBuild(t, m, 1)
		usePath(t, n, path)
		got := runFor(t, n, 120*event.Millisecond)
		want := 0
		for i, train := range trains {
			for _, at := range train {
				for _, d := range []event.Time{700 * event.Microsecond, slow.Edges[i].Dendritic} {
					if at+d < 120*event.Millisecond {
						want++
					}
				}
			}
		}
		if len(got.spikes) != want {
			t.Errorf("%s: %d spikes, want %d", path, len(got.spikes), want)
		}
		if n.pops[0].hist.base == 0 {
			t.Errorf("%s: nothing was forgotten of %d entries", path, n.pops[0].hist.end())
		}
	}
}
