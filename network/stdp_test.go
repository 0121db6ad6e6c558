package network

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"math"
	"slices"
	"sort"
	"testing"

	"hmn/event"
	"hmn/event/quantity"
)

// stdpModel is a recurrent network of n neurons of a model with STDP between the
// excitatory ones and inhibitory plasticity.
func stdpModel(n, degree int, model string, axonal, dendritic Value) *Model {
	p := num("C_m", 200, "E_L", -65, "V_th", -50, "V_reset", -65, "t_ref", 2, "tau_syn_ex", 3, "tau_syn_in", 8, "I_e", 100)
	scale := 1.0
	if model == "iaf_cond_exp" {
		p["g_L"], p["E_ex"], p["E_in"] = num("x", 10)["x"], num("x", 0)["x"], num("x", -80)["x"]
		scale = 0.02
	} else {
		p["tau_m"] = num("x", 20)["x"]
	}
	init := map[string]Value{"V_m": between(-65, -50)}
	ne, ni := n*4/5, n/5
	m := &Model{Simulation: Simulation{Seed: 5}}
	for _, t := range []struct {
		name string
		n    int
	}{{"E", ne}, {"I", ni}} {
		m.Populations = append(m.Populations, Population{Name: t.name, N: t.n, Model: model, Params: p, Init: init},
			Population{Name: "noise" + t.name, N: t.n, Model: "poisson", Params: num("rate", 900)})
		m.Projections = append(m.Projections, Projection{Name: "noise" + t.name, Source: "noise" + t.name, Target: t.name, Rule: OneToOne, Weight: fixed(25 * scale), Dendritic: fixed(1), Synapse: "static"})
		m.Records = append(m.Records, Record{What: RecordSpikes, Of: t.name})
	}
	m.Projections = append(m.Projections,
		Projection{Name: "EE", Source: "E", Target: "E", Rule: FixedInDegree, Degree: degree, Weight: between(10*scale, 30*scale), Axonal: axonal, Dendritic: dendritic,
			Synapse: "stdp", SynapseParams: num("w_max", 40*scale, "w_min", 5*scale, "A_plus", 0.02, "A_minus", -0.021, "tau_plus", 15, "tau_minus", 25)},
		Projection{Name: "IE", Source: "I", Target: "E", Rule: FixedInDegree, Degree: degree / 2, Weight: between(-40*scale, -20*scale), Axonal: axonal, Dendritic: dendritic,
			Synapse: "vogels_sprekeler", SynapseParams: num("w_max", 80*scale, "eta", 0.5*scale, "rho_0", 12)})
	return m
}

// stdpDelays put the delay on either side of the synapse, on both, and on either at
// random.
var stdpDelays = []struct {
	name              string
	axonal, dendritic Value
}{
	{"dendritic", fixed(0), fixed(1.5)},
	{"axonal", fixed(1.5), fixed(0)},
	{"both", fixed(0.5), fixed(1)},
	{"axonal differ", between(0.2, 3), fixed(0.4)},
	{"dendritic differ", fixed(0.4), between(0.2, 3)},
	{"both differ", between(0.2, 2), between(0.2, 2)},
}

func allWeights(n *Network, p int) (all []float64) {
	for w := range n.Weights(p) {
		all = append(all, w...)
	}
	return all
}

// TestSTDPNetworks: neither workers nor pieces of a run nor records show, whatever
// side of the synapse the delays are on; and the weights are those that the
// spikes make, event by event.
func TestSTDPNetworks(t *testing.T) {
	for _, model := range []string{"iaf_psc_exp", "iaf_psc_delta", "iaf_cond_exp"} {
		for _, d := range stdpDelays {
			size, span := 2500, 60*event.Millisecond
			if model == "iaf_cond_exp" {
				size = 400
			}
			name := model + ", " + d.name
			build := func(workers int, extra ...Record) *Network {
				m := stdpModel(size, 20, model, d.axonal, d.dendritic)
				if model == "iaf_psc_delta" {
					for i := range m.Populations {
						for _, k := range []string{"tau_syn_ex", "tau_syn_in"} {
							delete(m.Populations[i].Params, k)
						}
					}
					for i := range m.Projections { // jumps [mV]
						m.Projections[i].Weight.A /= 60
						m.Projections[i].Weight.B /= 60
						for _, k := range []string{"w_max", "w_min", "eta"} {
							if v, ok := m.Projections[i].SynapseParams[k]; ok {
								v.Number /= 60
								m.Projections[i].SynapseParams[k] = v
							}
						}
					}
				}
				m.Records = append(m.Records, extra...)
				return mustBuild(t, m, workers)
			}
			one := build(1)
			want := runFor(t, one, span)
			two := build(2)
			sameTape(t, name+": two workers", runFor(t, two, span), want)
			pieces := build(1)
			sameTape(t, name+": pieces", runFor(t, pieces, 20*event.Millisecond+7, span/2-20*event.Millisecond, span/2-7), want)
			watched := build(1, Record{What: RecordWeight, Of: "EE", Every: 1_700 * event.Microsecond, Subset: []int{0, 5, 77, 1000}})
			got := runFor(t, watched, span)
			if len(got.rows) == 0 {
				t.Errorf("%s: no samples", name)
			}
			got.rows = nil
			sameTape(t, name+": sampled", got, want)
			for _, p := range []string{"EE", "IE"} {
				i := one.model.FindProjection(p)
				w := allWeights(one, i)
				for what, n := range map[string]*Network{"two workers": two, "pieces": pieces, "sampled": watched} {
					if !slices.Equal(allWeights(n, i), w) {
						t.Errorf("%s: weights of %s differ: %s", name, p, what)
					}
				}
			}
			checkSTDP(t, name, one, want.spikes, span)
		}
	}
}

// checkSTDP computes every weight of EE and IE at the end from the recorded spikes,
// one after the other, with package math.
func checkSTDP(t *testing.T, name string, n *Network, spikes []Spike, end event.Time) {
	t.Helper()
	trains := make([][]event.Time, len(n.order))
	for _, s := range spikes {
		trains[s.ID] = append(trains[s.ID], s.At)
	}
	for _, p := range []string{"EE", "IE"} {
		i := n.model.FindProjection(p)
		q := &n.model.Projections[i]
		list, err := Synapses(n.model, i)
		if err != nil {
			t.Fatal(err)
		}
		par := func(k string) float64 { return q.SynapseParams[k].Number }
		moved := 0
		for k := 0; k < len(list); k += 7 { // some of them are enough
			x := list[k]
			type ev struct {
				at  event.Time
				pre bool
			}
			var all []ev
			src := trains[n.FirstID(n.model.findPopulation(q.Source))+x.Source]
			tgt := trains[n.FirstID(n.model.findPopulation(q.Target))+x.Target]
			for _, s := range src {
				all = append(all, ev{s + x.Axonal, true})
			}
			for _, s := range tgt {
				all = append(all, ev{s + x.Dendritic, false})
			}
			sort.SliceStable(all, func(a, b int) bool { return all[a].at < all[b].at })
			w := math.Abs(x.Weight)
			clip := func() { w = math.Min(math.Max(w, par("w_min")), par("w_max")) }
			fade := func(list []event.Time, delay, t event.Time, tau float64) (sum float64) {
				for _, s := range list {
					if s+delay < t {
						sum += math.Exp(-(t - s - delay).MS() / tau)
					}
				}
				return sum
			}
			for _, e := range all {
				if e.at > end {
					break
				}
				switch {
				case p == "EE" && e.pre:
					w += par("A_minus") * par("w_max") * fade(tgt, x.Dendritic, e.at, par("tau_minus"))
				case p == "EE":
					w += par("A_plus") * par("w_max") * fade(src, x.Axonal, e.at, par("tau_plus"))
				case e.pre:
					w += par("eta") * (fade(tgt, x.Dendritic, e.at, 20) - 2*par("rho_0")*20/1000)
				default:
					w += par("eta") * fade(src, x.Axonal, e.at, 20)
				}
				clip()
			}
			if w != math.Abs(x.Weight) {
				moved++
			}
			got, err := n.Weight(p, x.Source, x.Target)
			if err != nil {
				t.Fatal(err)
			}
			// Changes of up to w_max/10, of which hundreds may add up.
			if tol := 1e-12 * par("w_max"); !(math.Abs(math.Abs(got)-w) <= tol) {
				t.Fatalf("%s: weight of %s from %d to %d: %.17g, its spikes make %.17g", name, p, x.Source, x.Target, got, w)
			}
		}
		if moved < 20 {
			t.Errorf("%s: %d weights of %s changed: nothing was compared", name, moved, p)
		}
	}
}

// TestSTDPSettles: passes that shorten the history of post spikes show in no
// bit; a long run in pieces and one watched equal one undisturbed.
func TestSTDPSettles(t *testing.T) {
	for _, d := range stdpDelays[:3] {
		build := func(extra ...Record) *Network {
			m := stdpModel(40, 8, "iaf_psc_exp", d.axonal, d.dendritic)
			m.Records = append(m.Records, extra...)
			return mustBuild(t, m, 1)
		}
		one := build()
		want := runFor(t, one, 31*event.Second)
		record := Record{What: RecordWeight, Of: "EE", Every: 777_700 * event.Microsecond}
		watched := runFor(t, build(record), 31*event.Second)
		pieces := build(record)
		// 9332 ms lies in one window with the twelfth sample, before it.
		got := runFor(t, pieces, 9*event.Second+1, 332*event.Millisecond-1, 1668*event.Millisecond, 20*event.Second)
		sameTape(t, d.name+": watched, in pieces", got, watched)
		got.rows = nil
		sameTape(t, d.name, got, want)
		i := one.model.FindProjection("EE")
		if !slices.Equal(allWeights(one, i), allWeights(pieces, i)) {
			t.Errorf("%s: weights differ", d.name)
		}
	}
}

// TestGoldenSTDP pins spikes and weights to the last bit, as TestGoldenNetworks does:
// v1, v3 and other machines must agree.
func TestGoldenSTDP(t *testing.T) {
	for _, c := range []struct {
		name, model string
		keys        quantity.Values
		want        string
	}{
		{"additive", "stdp", nil, "257b83f74d803080e97ab360194973ef"},
		{"Gütig", "stdp", num("mu_plus", 0.1, "mu_minus", 0.1), "3a86a18d8fda11fd30bc54eff23472b7"},
		{"power law, nearest", "stdp", num("dependence", "power_law", "mu_plus", 0.4, "w_ref", 20, "pairing", "nearest_presynaptic"), "c0b2fa6bcfa41357d26035e8c9372cef"},
		{"triplets", "stdp_triplet", num("set", "hippocampus"), "a61aeefd69c64d06254dd62c618fe5ff"},
		{"scaling", "synaptic_scaling", num("target_rate", 15, "tau", 40, "beta", 0.5), "2b72e3387403b362425474f9a9a1ea9e"},
	} {
		m := stdpModel(200, 20, "iaf_psc_exp", between(0.2, 1), between(0.2, 1))
		q := &m.Projections[2]
		q.Synapse, q.SynapseParams = c.model, num("w_max", 40, "w_min", 5)
		for k, v := range c.keys {
			q.SynapseParams[k] = v
		}
		n := mustBuild(t, m, 2)
		d := digest{sha256.New()}
		if err := n.Run(context.Background(), 200*event.Millisecond, Recorder{Spikes: d}); err != nil {
			t.Fatal(err)
		}
		for p := range m.Projections {
			for w := range n.Weights(p) {
				if err := d.put(w); err != nil {
					t.Fatal(err)
				}
			}
		}
		if s := n.Stats(); s.Spikes < 200 {
			t.Errorf("%s: %d spikes are too few to tell anything", c.name, s.Spikes)
		}
		if got := hex.EncodeToString(d.Sum(nil)[:16]); got != c.want {
			t.Errorf("%s: hash %s, want %s", c.name, got, c.want)
		}
	}
}

// TestSTDPWatchedInPieces: samples of weights are those of one run, wherever runs
// end between a window's start and a sample in it.
func TestSTDPWatchedInPieces(t *testing.T) {
	for _, d := range stdpDelays {
		build := func() *Network {
			m := stdpModel(100, 20, "iaf_psc_exp", d.axonal, d.dendritic)
			for _, q := range []string{"EE", "IE"} {
				m.Records = append(m.Records, Record{What: RecordWeight, Of: q, Every: 1_700 * event.Microsecond})
			}
			return mustBuild(t, m, 1)
		}
		want := runFor(t, build(), 310*event.Millisecond)
		var pieces []event.Time
		for range 100 {
			pieces = append(pieces, 3_100*event.Microsecond)
		}
		sameTape(t, d.name, runFor(t, build(), pieces...), want)
	}
}
