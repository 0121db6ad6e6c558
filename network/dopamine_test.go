package network

import (
	"math"
	"slices"
	"sort"
	"testing"

	"hmn/event"
	"hmn/event/quantity"
)

// dopamineModel is the network of stdpModel with dopamine-modulated synapses
// between excitatory neurons; inhibitory ones release one modulator at every
// spike, and another jumps at times given.
func dopamineModel(semantics string, axonal, dendritic Value) *Model {
	m := stdpModel(2500, 20, "iaf_psc_exp", axonal, dendritic)
	k := m.FindProjection("EE")
	m.Projections[k].Synapse = "stdp_dopamine"
	v := num("w_max", 40, "w_min", 5, "A_plus", 1, "A_minus", -1.2, "tau_plus", 15, "tau_minus", 25, "tau_c", 60, "eta", 0.02)
	if semantics == "nest" {
		v["eta"] = quantity.Value{Number: 0.6}
	}
	v["semantics"] = quantity.Value{Text: semantics}
	m.Projections[k].SynapseParams = v
	m.Modulators = []Modulator{
		{Name: "released", Tau: 30, Source: "I", SourceJump: 0.01, W: 2, HasW: true},
		{Name: "given", Tau: 200, Events: []Jump{{20 * event.Millisecond, 1}, {41*event.Millisecond + 7, -0.3}}},
	}
	return m
}

// TestDopamineNetworks: neither workers nor pieces of a run nor records show,
// whatever side of the synapse the delays are on; and the weights are those that
// the spikes make.
func TestDopamineNetworks(t *testing.T) {
	for _, semantics := range []string{"exact", "nest", "daspnet"} {
		for k, d := range stdpDelays {
			if semantics != "exact" && k != 1 && k != 5 {
				continue // one with and one without delays of their own are enough
			}
			const span = 60 * event.Millisecond
			name := semantics + ", " + d.name
			build := func(workers int, extra ...Record) *Network {
				m := dopamineModel(semantics, d.axonal, d.dendritic)
				m.Records = append(m.Records, extra...)
				return mustBuild(t, m, workers)
			}
			one := build(1)
			want := runFor(t, one, span)
			two := build(2)
			sameTape(t, name+": two workers", runFor(t, two, span), want)
			pieces := build(1)
			sameTape(t, name+": pieces", runFor(t, pieces, 20*event.Millisecond+7, span/2-20*event.Millisecond, span/2-7), want)
			subset := []int{0, 5, 77, 1000}
			watched := build(1, Record{What: RecordWeight, Of: "EE", Every: 1_700 * event.Microsecond, Subset: subset},
				Record{What: RecordEligibility, Of: "EE", Times: []event.Time{1, 33_333_333_333, span - 1}, Subset: subset})
			got := runFor(t, watched, span)
			if len(got.rows) == 0 {
				t.Errorf("%s: no samples", name)
			}
			got.rows = nil
			sameTape(t, name+": sampled", got, want)
			i := one.model.FindProjection("EE")
			w := allWeights(one, i)
			for what, n := range map[string]*Network{"two workers": two, "pieces": pieces, "sampled": watched} {
				if !slices.Equal(allWeights(n, i), w) {
					t.Errorf("%s: weights differ: %s", name, what)
				}
			}
			if semantics != "daspnet" {
				checkDopamine(t, name, one, want.spikes, span)
			}
		}
	}
}

// checkDopamine computes weights of EE at the end from the recorded spikes, from
// one event to the next, with package math.
func checkDopamine(t *testing.T, name string, n *Network, spikes []Spike, end event.Time) {
	t.Helper()
	trains := make([][]event.Time, len(n.order))
	for _, s := range spikes {
		trains[s.ID] = append(trains[s.ID], s.At)
	}
	type ev struct {
		at   event.Time
		kind int // 0 arrival, 1 post spike, 2 + k modulator
		jump float64
	}
	var jumps []ev
	first := n.FirstID(n.model.findPopulation("I"))
	for id := int(first); id < int(first)+n.model.Populations[n.model.findPopulation("I")].N; id++ {
		for _, s := range trains[id] {
			jumps = append(jumps, ev{s + n.grid.Step, 2, 0.02})
		}
	}
	for _, j := range n.model.Modulators[1].Events {
		jumps = append(jumps, ev{j.At, 3, j.Amount})
	}
	i := n.model.FindProjection("EE")
	q := &n.model.Projections[i]
	par := func(k string) float64 { return q.SynapseParams[k].Number }
	tau := []float64{30, 200}
	if q.SynapseParams["semantics"].Text == "nest" {
		for k := range jumps {
			jumps[k].jump /= tau[jumps[k].kind-2]
		}
	}
	list, err := Synapses(n.model, i)
	if err != nil {
		t.Fatal(err)
	}
	moved := 0
	for k := 0; k < len(list); k += 37 {
		x := list[k]
		all := slices.Clone(jumps)
		src := trains[n.FirstID(n.model.findPopulation("E"))+x.Source]
		tgt := trains[n.FirstID(n.model.findPopulation("E"))+x.Target]
		for _, s := range src {
			all = append(all, ev{s + x.Axonal, 0, 0})
		}
		for _, s := range tgt {
			all = append(all, ev{s + x.Dendritic, 1, 0})
		}
		all = append(all, ev{end, 4, 0})
		sort.SliceStable(all, func(a, b int) bool { return all[a].at < all[b].at })
		fade := func(list []event.Time, delay, t event.Time, tau float64) (sum float64) {
			for _, s := range list {
				if s+delay < t {
					sum += math.Exp(-(t - s - delay).MS() / tau)
				}
			}
			return sum
		}
		w, c, now, m := math.Abs(x.Weight), 0.0, event.Time(0), []float64{0, 0}
		for _, e := range all {
			if e.at > end {
				break
			}
			ms := (e.at - now).MS()
			for k := range m {
				lambda := 1/tau[k] + 1/par("tau_c")
				w -= par("eta") * c * m[k] * math.Expm1(-lambda*ms) / lambda
				m[k] *= math.Exp(-ms / tau[k])
			}
			w = math.Min(math.Max(w, par("w_min")), par("w_max"))
			c *= math.Exp(-ms / par("tau_c"))
			now = e.at
			switch e.kind {
			case 0:
				c += par("A_minus") * fade(tgt, x.Dendritic, e.at, par("tau_minus"))
			case 1:
				c += par("A_plus") * fade(src, x.Axonal, e.at, par("tau_plus"))
			case 2, 3:
				m[e.kind-2] += e.jump
			}
		}
		if w != math.Abs(x.Weight) {
			moved++
		}
		got, err := n.Weight("EE", x.Source, x.Target)
		if err != nil {
			t.Fatal(err)
		}
		if !(math.Abs(math.Abs(got)-w) <= 1e-12*par("w_max")) {
			t.Fatalf("%s: weight from %d to %d: %.17g, its spikes make %.17g", name, x.Source, x.Target, got, w)
		}
	}
	if moved < 20 {
		t.Errorf("%s: %d weights changed: nothing was compared", name, moved)
	}
}
