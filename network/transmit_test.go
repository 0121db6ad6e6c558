package network

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"

	"hmn/event"
	"hmn/event/quantity"
	"hmn/event/random"
	"hmn/synapse"
)

// stagings are ways to put something between spikes and weights.
var stagings = map[string]func(p *Projection){
	"tsodyks2": func(p *Projection) {
		p.Synapse, p.SynapseParams = "tsodyks2", num("U", 0.4, "tau_rec", 150.0, "tau_fac", 90.0)
	},
	"short_term": func(p *Projection) {
		p.ShortTerm = ShortTerm{"tsodyks2", num("U", 0.15, "tau_rec", 30.0, "tau_fac", 200.0, "x0", 0.5, "u0", 0.2)}
	},
	"release": func(p *Projection) { p.Release = synapse.Release{Sites: 7, P: 0.4} },
	"both": func(p *Projection) {
		p.ShortTerm = ShortTerm{"tsodyks2", num("U", 0.5, "tau_rec", 60.0, "tau_fac", 20.0, "x0", 0.7)}
		p.Release = synapse.Release{Sites: 4}
	},
}

// unstaged is a model without stages in which every spike of a source is a
// source of its own with one spike, connected with the weights that the spike
// transmits: the recursions of synapse.Tsodyks and the draws of ReleaseKey, both
// taken by hand. Sources are spike trains, targets do not send.
func unstaged(t *testing.T, m *Model) *Model {
	out := *m
	out.Populations = slices.Clone(m.Populations)
	out.Projections = nil
	for i := range m.Projections {
		p := m.Projections[i]
		if !p.staged() {
			out.Projections = append(out.Projections, p)
			continue
		}
		list, err := Synapses(m, i)
		if err != nil {
			t.Fatal(err)
		}
		trains := m.Populations[m.findPopulation(p.Source)].Trains
		spikes := Population{Name: p.Name + " spikes", Model: "spike_train"}
		var edges []synapse.Edge
		u, rec, fac, x0, u0 := math.NaN(), 0.0, 0.0, 1.0, 0.0
		if _, v := p.stage(); v != nil {
			u, rec, fac = v["U"].Number, v["tau_rec"].Number, v["tau_fac"].Number
			if x, ok := v["x0"]; ok {
				x0 = x.Number
			}
			u0 = v["u0"].Number
		}
		full := make([]int, len(list))
		for s, train := range trains {
			x, f, last := x0, u0, 0.0 // after the spike before
			for k, at := range train {
				now := at.MS()
				gain, refill := p.Release.P, 1.0
				if u == u {
					dr := math.Exp(-(now - last) / rec)
					x = 1 + (x-1)*dr
					f = f * math.Exp(-(now-last)/fac)
					f += u * (1 - f)
					gain, refill = f*x, 1-dr
					if k == 0 {
						refill = x
					}
				} else {
					f = p.Release.P
				}
				for j, y := range list {
					if int(y.Source) != s {
						continue
					}
					if n := p.Release.Sites; n > 0 {
						a, b := ReleaseKey(m.Simulation.Seed, p.Name, y.Multapse).At(uint64(y.Target)<<32|uint64(y.Source), uint64(k))
						full[j] += random.BinomialOf(b, n-full[j], refill)
						released := random.BinomialOf(a, full[j], f)
						full[j] -= released
						gain = float64(released) / float64(n)
					}
					edges = append(edges, synapse.Edge{Source: uint32(spikes.N), Target: y.Target, Weight: gain * y.Weight, Axonal: y.Axonal, Dendritic: y.Dendritic})
				}
				x, last = x-f*x, now
				spikes.Trains = append(spikes.Trains, []event.Time{at})
				spikes.N++
			}
		}
		p.Synapse, p.SynapseParams, p.ShortTerm, p.Release = "static", nil, ShortTerm{}, synapse.Release{}
		p.Source, p.Rule, p.Edges = spikes.Name, EdgeList, edges
		p.Degree, p.P = 0, 0
		out.Populations = append(out.Populations, spikes)
		out.Projections = append(out.Projections, p)
	}
	return &out
}

// TestStagedDelivery: whichever way arrivals take through a block, each synapse
// transmits what its stages say: the spikes are those of a network without
// stages that has one source per spike. Weights above the threshold's scale make
// sure that the transmitted amounts matter.
func TestStagedDelivery(t *testing.T) {
	for _, model := range []string{"iaf_psc_delta", "iaf_psc_exp", "iaf_psc_alpha", "iaf_cond_exp"} {
		for _, hz := range []float64{4, 30, 400} { // epochs, one step and several per window, neuron by neuron
			for name, stage := range stagings {
				t.Run(fmt.Sprintf("%s/%g/%s", model, hz, name), func(t *testing.T) {
					m := feedForward(model, hz, Record{What: RecordSpikes, Of: "T"})
					for i := range m.Projections {
						p := &m.Projections[i]
						if p.Source == "step" {
							continue
						}
						stage(p)
						p.Weight.A *= 80 / math.Sqrt(hz)
						p.Weight.B *= 80 / math.Sqrt(hz)
					}
					tol := event.Time(20)
					if model == "iaf_cond_exp" {
						tol = 20_000 // steps may be chosen otherwise: the tolerance of the integration, 1e-6 of some mV
						m.Populations[2].Params = num("C_m", 250, "g_L", 16, "E_L", -65, "V_th", -55, "V_reset", -66, "t_ref", 1.3, "E_ex", 0, "E_in", -85, "tau_syn_ex", 3, "tau_syn_in", 7)
						for i := range m.Projections[:4] {
							m.Projections[i].Weight.A /= 60
							m.Projections[i].Weight.B /= 60
						}
					}
					if hz == 30 && model == "iaf_psc_exp" {
						m.Projections[0].Receptor = "in" // no bound: every neuron is replayed
					}
					const span = 300 * event.Millisecond
					got := runFor(t, mustBuild(t, m, 2), span)
					if len(got.spikes) < 30 {
						t.Fatalf("%d spikes: too few to compare", len(got.spikes))
					}
					plain := unstaged(t, m)
					want := runFor(t, mustBuild(t, plain, 1), span)
					closeSpikes(t, "against a source for every spike", sameIDs(got.spikes, m, "T"), sameIDs(want.spikes, plain, "T"), tol)
				})
			}
		}
	}
}

// sameIDs numbers the spikes of a population from 0.
func sameIDs(all []Spike, m *Model, name string) []Spike {
	first := uint32(0)
	for i := range m.Populations {
		if m.Populations[i].Name == name {
			break
		}
		first += uint32(m.Populations[i].N)
	}
	out := slices.Clone(all)
	for k := range out {
		out[k].ID -= first
	}
	return out
}

// staged are recurrent networks with stages in all their projections.
func stagedModels() map[string]*Model {
	out := map[string]*Model{}
	for name, stage := range stagings {
		for kind, m := range recurrentModels() {
			if kind == "alpha" && name != "both" || kind == "cuba" && name != "tsodyks2" {
				continue
			}
			for i := range m.Projections {
				p := &m.Projections[i]
				if p.Rule == OneToOne {
					continue
				}
				stage(p)
				p.Weight.A *= 3
			}
			out[name+"/"+kind] = m
		}
	}
	return out
}

// TestStagedSplits: however a run with stages is split, over however many
// workers, it is one run.
func TestStagedSplits(t *testing.T) {
	for name, m := range stagedModels() {
		t.Run(name, func(t *testing.T) {
			const span = 50 * event.Millisecond
			n := mustBuild(t, m, 2)
			want := runFor(t, n, span)
			rng := rand.New(rand.NewPCG(1, 0))
			var pieces []event.Time
			for left := span; left > 0; {
				d := min(left, event.Time(rng.Int64N(int64(span/10))))
				pieces = append(pieces, d)
				left -= d
			}
			if err := n.Reset(); err != nil {
				t.Fatal(err)
			}
			sameTape(t, "reset and split", runFor(t, n, pieces...), want)
			sameTape(t, "one worker", runFor(t, mustBuild(t, m, 1), span), want)
		})
	}
}

// TestReleaseStatistics: with p alone the number of sites that release is
// binomial at each spike: its mean and variance over synapses and spikes, and
// the correlation between neighbouring spikes and synapses, to four standard
// errors. Behind tsodyks2 the mean is the deterministic stage's, and before a
// spike the number of full sites is binomial of mean n x.
func TestReleaseStatistics(t *testing.T) {
	const sources, targets, spikes = 20, 50, 60
	for _, c := range []struct {
		name  string
		r     synapse.Release
		stage ShortTerm
	}{
		{"one site", synapse.Release{Sites: 1, P: 0.3}, ShortTerm{}},
		{"p", synapse.Release{Sites: 6, P: 0.35}, ShortTerm{}},
		{"many", synapse.Release{Sites: 1000, P: 0.8}, ShortTerm{}},
		{"depressing", synapse.Release{Sites: 8}, ShortTerm{"tsodyks2", num("U", 0.45, "tau_rec", 200.0, "tau_fac", 0.0)}},
		{"facilitating", synapse.Release{Sites: 5}, ShortTerm{"tsodyks2", num("U", 0.1, "tau_rec", 100.0, "tau_fac", 300.0)}},
	} {
		p := Projection{Name: "AB", Source: "A", Target: "B", Rule: AllToAll, Weight: fixed(1), Dendritic: fixed(1), Release: c.r, ShortTerm: c.stage}
		m := &Model{Simulation: Simulation{Seed: 5}, Populations: []Population{
			{Name: "A", N: sources, Model: "spike_train", Trains: make([][]event.Time, sources)}, {Name: "B", N: targets, Model: "iaf_psc_exp"}},
			Projections: []Projection{p}}
		n := mustBuild(t, m, 1)
		x := n.projs[0].sends
		rows := n.projs[0].rows[0][0]
		d := x.newReleasing(rows, rows.Multapse, 0)
		h := &history{}
		share := make([]float64, targets)
		var lag, side, pairs float64
		sum, squares := make([]float64, spikes), make([]float64, spikes)
		before := make([][]float64, sources)
		mean := make([]float64, spikes)
		for k := range spikes {
			for s := range uint32(sources) {
				h.add(event.Time(k)*20*event.Millisecond, s)
				x.follow(h)
				at := h.end() - 1
				mean[k] = x.sent[at].Gain()
				d.draw(share, at, s, rows.Ptr[s], rows.Ptr[s+1])
				for i, y := range share {
					dev := y - mean[k]
					sum[k] += dev
					squares[k] += dev * dev
					if before[s] != nil {
						lag += dev * (before[s][i] - mean[k-1])
						pairs++
					}
					if i > 0 {
						side += dev * (share[i-1] - mean[k])
					}
				}
				before[s] = slices.Clone(share)
			}
		}
		const all = sources * targets
		sites := float64(c.r.Sites)
		for k := range spikes {
			// Sites are independent: each releases with probability u x, so that the
			// number released is binomial of n and u x, with and without a stage.
			v := mean[k] * (1 - mean[k]) / sites
			if got := sum[k] / all; math.Abs(got) > 4*math.Sqrt(v/all) {
				t.Errorf("%s: spike %d: mean %g off the stage's %g, want within %g", c.name, k, got, mean[k], 4*math.Sqrt(v/all))
			}
			// Variance of a squared deviation: v² (2 + excess), excess of the binomial
			// (1 − 6 q)/(n q') with q = p(1 − p), over n².
			q := mean[k] * (1 - mean[k])
			se := v * math.Sqrt((2+(1-6*q)/(sites*q))/all)
			if got := squares[k] / all; math.Abs(got-v) > 4*se {
				t.Errorf("%s: spike %d: variance %g, want %g ± %g", c.name, k, got, v, 4*se)
			}
		}
		v := mean[spikes-1] * (1 - mean[spikes-1]) / sites
		if r := side / (sources * spikes * (targets - 1)); math.Abs(r) > 4*0.25/sites/math.Sqrt(sources*spikes*(targets-1)) {
			t.Errorf("%s: covariance of neighbouring synapses %g of %g", c.name, r, v)
		}
		if r := lag / pairs; c.stage.Model == "" && math.Abs(r) > 4*v/math.Sqrt(pairs) {
			t.Errorf("%s: covariance of neighbouring spikes %g of %g", c.name, r, v)
		}
	}
}

// TestTransmissionFaults: what does not fit is refused, and the key is named.
func TestTransmissionFaults(t *testing.T) {
	base := func() *Model {
		return &Model{Populations: []Population{
			{Name: "A", N: 2, Model: "poisson", Params: num("rate", 5)}, {Name: "B", N: 2, Model: "iaf_psc_exp"},
			{Name: "L", N: 1, Model: "step_current", Params: quantity.Values{"steps": {Steps: [][2]float64{{0, 1}}}}}},
			Projections: []Projection{{Name: "x", Source: "A", Target: "B", Rule: AllToAll, Weight: fixed(1), Dendritic: fixed(1)}}}
	}
	tm := ShortTerm{Model: "tsodyks2"}
	for _, c := range []struct {
		edit func(p *Projection)
		want string
	}{
		{func(p *Projection) { p.ShortTerm.Model = "tsodyks" }, "no short-term stage"},
		{func(p *Projection) { p.ShortTerm.Model = "static" }, "no short-term stage"},
		{func(p *Projection) { p.Synapse, p.ShortTerm = "tsodyks2", tm }, "takes no other"},
		{func(p *Projection) { p.ShortTerm = ShortTerm{"tsodyks2", num("U", 1.1)} }, "U = 1.1, want"},
		{func(p *Projection) { p.ShortTerm = ShortTerm{"tsodyks2", num("tau", 1.1)} }, `no parameter "tau"`},
		{func(p *Projection) { p.Synapse, p.SynapseParams = "tsodyks2", num("tau_rec", -1.0) }, "tau_rec = -1 ms"},
		{func(p *Projection) { p.Release.Sites = -1 }, "sites = -1"},
		{func(p *Projection) { p.Release.P = 0.5 }, "sites = 0, want 1 to 1000"},
		{func(p *Projection) { p.Release = synapse.Release{Sites: 1001, P: 1} }, "sites = 1001"},
		{func(p *Projection) { p.Release = synapse.Release{Sites: 5} }, "release needs its probability p"},
		{func(p *Projection) { p.Release = synapse.Release{Sites: 5, P: math.NaN()} }, "p = NaN"},
		{func(p *Projection) { p.ShortTerm, p.Release = tm, synapse.Release{Sites: 5, P: 0.5} }, "leave it out"},
		{func(p *Projection) { p.Source, p.ShortTerm = "L", tm }, "sends levels"},
		{func(p *Projection) { p.Source, p.Synapse, p.ShortTerm = "B", "gap_junction", tm }, "takes no short-term stage"},
		{func(p *Projection) {
			p.Source, p.Synapse, p.Release = "B", "gap_junction", synapse.Release{Sites: 5, P: 0.5}
		}, "releases nothing"},
		{func(p *Projection) { p.Source, p.Synapse = "L", "tsodyks2" }, "sends levels"},
		{func(p *Projection) { p.Source, p.Release = "L", synapse.Release{Sites: 5, P: 0.5} }, "sends levels"},
	} {
		m := base()
		c.edit(&m.Projections[0])
		if err := m.Check(); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("error %v, want %q", err, c.want)
		}
	}
	m := base()
	m.Projections[0].ShortTerm, m.Projections[0].Release = tm, synapse.Release{Sites: 3}
	if err := m.Check(); err != nil {
		t.Error(err)
	}
}

// TestStagedPlastic: plastic synapses that never change transmit what static
// ones with the same stages do, at all their delays, with and without local
// attention, which takes another way through a window.
func TestStagedPlastic(t *testing.T) {
	for name, stage := range stagings {
		if name == "tsodyks2" { // a synapse model of its own
			continue
		}
		for _, beta := range []float64{0, 1} {
			static := feedForward("iaf_psc_exp", 60, Record{What: RecordSpikes, Of: "T"})
			static.Projections = static.Projections[:3]
			for i := range static.Projections {
				p := &static.Projections[i]
				p.Axonal, p.Dendritic = p.Dendritic, fixed(0.4)
				stage(p)
				p.Weight.A *= 10
				p.Weight.B *= 10
			}
			plastic := *static
			plastic.Projections = slices.Clone(static.Projections)
			for i := range plastic.Projections {
				p := &plastic.Projections[i]
				p.Synapse, p.SynapseParams = "hmn", num("w_max", 1e4, "eta_local", 0, "eta_global", 0, "beta_a", beta, "alpha_gain", "none")
			}
			const span = 300 * event.Millisecond
			want := runFor(t, mustBuild(t, static, 1), span)
			if len(want.spikes) < 100 {
				t.Fatalf("%s: %d spikes: too few to compare", name, len(want.spikes))
			}
			closeSpikes(t, fmt.Sprintf("%s, beta_a = %g", name, beta), runFor(t, mustBuild(t, &plastic, 2), span).spikes, want.spikes, 20)
		}
	}
}

// TestStagedLearning: networks that learn behind stages are one run however they
// are split, over however many workers.
func TestStagedLearning(t *testing.T) {
	for name, stage := range stagings {
		if name == "tsodyks2" {
			continue
		}
		for _, keys := range [][]any{{}, {"beta_a", 2, "tau_ctx", 300}, {"update", "continuous", "bernoulli", false}, {"stdp"}, {"stdp_triplet"}} {
			other := ""
			if len(keys) == 1 {
				other, keys = keys[0].(string), nil
			}
			m := learningModel(false, keys...)
			for i := range m.Projections {
				if p := &m.Projections[i]; p.Synapse == "hmn" {
					stage(p)
					if other != "" {
						p.Synapse, p.SynapseParams = other, num("w_max", 80)
					}
				}
			}
			if other != "" {
				m.Modulators = nil
				m.Records = slices.DeleteFunc(m.Records, func(r Record) bool { return r.What != RecordSpikes && r.What != RecordVm && r.What != RecordWeight })
			}
			const span = 120 * event.Millisecond
			n := mustBuild(t, m, 2)
			want := runFor(t, n, span)
			if err := n.Reset(); err != nil {
				t.Fatal(err)
			}
			what := fmt.Sprintf("%s %v%s", name, keys, other)
			sameTape(t, what+": reset and split", runFor(t, n, 1, 13_300_000_007, 40*event.Millisecond, span-53_300_000_008), want)
			sameTape(t, what+": one worker", runFor(t, mustBuild(t, m, 1), span), want)
		}
	}
}

// TestStagedWeight: what a plastic synapse behind a stage transmits is the
// stage's share of the weight it has then: the jumps of the synaptic current
// against the recorded weight and the recursion.
func TestStagedWeight(t *testing.T) {
	for rule, par := range map[string]quantity.Values{
		"hmn":  {"w_max": {Number: 200}, "eta_local": {Number: 2}, "bernoulli": {}},
		"stdp": {"w_max": {Number: 200}, "A_plus": {Number: 0.03}, "A_minus": {Number: -0.01}},
	} {
		before := event.Time(0)
		if rule == "stdp" { // the weight before the arrival's own change: nothing else changes it in that time
			before = event.Millisecond
		}
		stagedWeight(t, rule, par, before)
	}
}

func stagedWeight(t *testing.T, rule string, par quantity.Values, before event.Time) {
	ms := event.Millisecond
	var train []event.Time
	for k := range event.Time(40) {
		train = append(train, (5+11*k+(k*k)%7)*ms)
	}
	m := &Model{Simulation: Simulation{Seed: 1}, Populations: []Population{
		{Name: "pre", N: 1, Model: "spike_train", Trains: [][]event.Time{train}},
		{Name: "kick", N: 1, Model: "spike_train", Trains: [][]event.Time{train}},
		{Name: "post", N: 1, Model: "iaf_psc_exp", Params: num("C_m", 250, "tau_m", 20, "E_L", -65, "V_th", -55, "V_reset", -65, "t_ref", 2, "tau_syn_ex", 2, "tau_syn_in", 0.1)}},
		Projections: []Projection{
			{Name: "plastic", Source: "pre", Target: "post", Rule: OneToOne, Weight: fixed(100), Axonal: fixed(1), Dendritic: fixed(1), Synapse: rule, SynapseParams: par,
				ShortTerm: ShortTerm{"tsodyks2", num("U", 0.4, "tau_rec", 80, "tau_fac", 40)}},
			// Makes the target fire, 1 ms after the plastic synapse acts; by the other port.
			{Name: "kick", Source: "kick", Target: "post", Rule: OneToOne, Weight: fixed(1e5), Dendritic: fixed(3), Synapse: "static", Receptor: "in"}},
		Records: []Record{{What: RecordSpikes, Of: "post"}, {What: RecordISyn, Of: "post", Every: ms}, {What: RecordWeight, Of: "plastic", Every: ms}},
	}
	tape := runFor(t, mustBuild(t, m, 1), 500*ms)
	at := func(record int, when event.Time) float64 {
		for _, r := range tape.rows {
			if r.record == record && r.at == when {
				x, err := strconv.ParseFloat(strings.Trim(r.values, "[]"), 64)
				if err != nil {
					t.Fatal(err)
				}
				return x
			}
		}
		t.Fatalf("no sample of record %d at %v", record, when)
		return 0
	}
	u, x := 0.0, 1.0
	moved := 0.0
	for k, pre := range train {
		if k > 0 {
			dt := (pre - train[k-1]).MS()
			x = 1 - (1-x*(1-u))*math.Exp(-dt/80)
			u *= math.Exp(-dt / 40)
		}
		u += 0.4 * (1 - u)
		w := at(2, pre+ms-before)
		moved = max(moved, math.Abs(w-100))
		// Of the kick before, 3 ms ago at least, e⁻³⁰ of 1e5 pA is left.
		jump := at(1, pre+2*ms) - at(1, pre+ms)*math.Exp(-0.5)
		if want := u * x * w; math.Abs(jump-want) > 1e-7 {
			t.Errorf("%s, spike %d: the current jumps by %.12g, want u x w = %.12g", rule, k, jump, want)
		}
	}
	if moved < 1 {
		t.Errorf("%s: the weight moved by %g: nothing was tested", rule, moved)
	}
}

// BenchmarkTransmission is 2000 sources at 20 Hz onto 1000 neurons below threshold,
// 200 inputs each: what stages and stochastic release add to an arrival.
func BenchmarkTransmission(b *testing.B) {
	for _, delays := range []struct {
		name string
		v    Value
	}{{"uniform", fixed(1.5)}, {"different", between(1.5, 3)}} {
		for _, c := range []struct {
			name  string
			stage func(*Projection)
		}{
			{"static", func(*Projection) {}},
			{"tsodyks2", stagings["tsodyks2"]},
			{"release/sites=1", func(p *Projection) { p.Release = synapse.Release{Sites: 1, P: 0.5} }},
			{"release/sites=10", func(p *Projection) { p.Release = synapse.Release{Sites: 10, P: 0.5} }},
			{"tsodyks2+release/sites=10", func(p *Projection) { stagings["tsodyks2"](p); p.Release = synapse.Release{Sites: 10} }},
		} {
			b.Run(fmt.Sprintf("delays=%s/%s", delays.name, c.name), func(b *testing.B) {
				p := Projection{Name: "AB", Source: "A", Target: "B", Rule: FixedInDegree, Degree: 200, Multapses: true, Weight: fixed(1), Dendritic: delays.v}
				c.stage(&p)
				m := &Model{Simulation: Simulation{Seed: 1}, Populations: []Population{
					{Name: "A", N: 2000, Model: "poisson", Params: num("rate", 20)},
					{Name: "B", N: 1000, Model: "iaf_psc_exp", Params: num("C_m", 250, "tau_m", 20, "E_L", -65, "V_th", -50, "V_reset", -65, "tau_syn_ex", 5, "tau_syn_in", 10)}},
					Projections: []Projection{p}}
				n := mustBuild(b, m, 1)
				runFor(b, n, 100*event.Millisecond)
				before := n.Stats().Now
				b.ReportAllocs()
				for b.Loop() {
					runFor(b, n, 100*event.Millisecond)
				}
				arrivals := (n.Stats().Now - before).Seconds() * 1000 * 200 * 20
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/arrivals, "ns/arrival")
			})
		}
	}
}
