package validation

import (
	"cmp"
	"container/heap"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"hmn/event"
	"hmn/event/quantity"
	"hmn/network"
	"hmn/neuron"
)

// Closed loops: plastic synapses drive the neurons whose spikes they learn from.
//
//   - Fed back as given trains, the spikes of a closed loop must give the same
//     candidates, updates and weights, bit for bit: what a synapse does is a
//     function of the spikes at its two ends, wherever these come from.
//   - A slow simulator of the neurons, one heap with an entry per arrival, that
//     takes each weight as the function of time which the log of updates makes of
//     it, must give the same spikes to 2 ps.

// foreignLIF is iaf_psc_delta written as a model from outside, which the engine knows
// by its Dynamics only.
type foreignLIF struct {
	c    cell
	all  []cell
	v    []float64 // at from of the coming window
	due  []bool
	last []event.Time
}

func init() {
	var params []quantity.Param
	for _, k := range []string{"C_m", "tau_m", "E_L", "V_th", "V_reset", "I_e", "t_ref"} {
		params = append(params, quantity.Param{Key: k, Unit: "1", Min: -1e6, Max: 1e6})
	}
	neuron.Register(neuron.Model{Name: "foreign_lif", Kind: neuron.Spiking, Doc: "tau_m dV/dt = E_L − V + I_e tau_m/C_m", Cite: "none", Params: params,
		States: []quantity.Param{{Key: "V_m", Unit: "mV", Min: -1e6, Max: 1e6}}, Ports: []string{"ex", "in"}, WeightUnit: "mV",
		New: func(p quantity.Values, n int) (neuron.Dynamics, error) {
			x := func(k string) float64 { return p[k].Number }
			f := &foreignLIF{c: cell{model: "iaf_psc_delta", c: x("C_m"), tauM: x("tau_m"), el: x("E_L"), vth: x("V_th"), vr: x("V_reset"), ie: x("I_e"), tRef: ms(x("t_ref"))},
				v: make([]float64, n), due: make([]bool, n), last: make([]event.Time, n)}
			for range n {
				f.all = append(f.all, f.c)
			}
			return f, nil
		}})
}

func (f *foreignLIF) State(i int, key string) *float64 { return &f.all[i].v }

func (f *foreignLIF) Advance(i int, from, to event.Time, arrivals []neuron.Arrival, spikes []event.Time) ([]event.Time, error) {
	n := &f.all[i]
	if n.at != from {
		return nil, fmt.Errorf("asked to go on from %v, but stands at %v", from, n.at)
	}
	k := 0
	for now := from; ; {
		for ; k < len(arrivals) && arrivals[k].At == now; k++ {
			n.hit(arrivals[k].Weight)
		}
		if f.due[i] || now >= n.free && n.v >= n.vth {
			spikes = append(spikes, now)
			n.v, n.free, f.due[i] = n.vr, now+n.tRef, false
		}
		next := to
		if k < len(arrivals) {
			if next = arrivals[k].At; next <= now || next >= to {
				return nil, fmt.Errorf("arrival at %v in [%v, %v) after %v", next, from, to, now)
			}
		}
		// The crossing of a free solution that rises to its rest.
		start := max(now, n.free)
		v := n.v
		if now < n.free {
			v = n.vr
		}
		rest := n.el + n.ie*n.tauM/n.c
		if rest > n.vth && start < next {
			if at := start + event.Time(math.Round(n.tauM*math.Log((rest-v)/(rest-n.vth))*1e9)); at <= next {
				n.to(at)
				f.due[i], now = true, at
				if at < next {
					continue
				}
			}
		}
		n.to(next)
		if now = next; now == to {
			return spikes, nil
		}
	}
}

// loopVariant is one rule under which a loop runs.
type loopVariant struct {
	name   string
	change func(*hmnRule)
	keys   quantity.Values // beyond those of hmnRule
	phases string          // zero, bins, exact
	volume bool            // a modulator driven by a population of the loop
}

func loopVariants() []loopVariant {
	return []loopVariant{
		{name: "plain", phases: "exact"},
		{name: "one phase", phases: "zero"},
		{name: "trials", phases: "bins", change: func(r *hmnRule) { r.bernoulli = true; r.thetaP, r.betaP = 0.01*r.wMax, 200/r.wMax }},
		{name: "soft", phases: "exact", change: func(r *hmnRule) { r.soft, r.mu = true, 0.5 }},
		{name: "decay", phases: "exact", change: func(r *hmnRule) { r.lambdaW = 2e-3 }},
		{name: "nearest", phases: "bins", change: func(r *hmnRule) { r.nearest = true }},
		{name: "overwrite", phases: "exact", change: func(r *hmnRule) { r.overwrite = true }},
		{name: "no gate", phases: "exact", change: func(r *hmnRule) { r.gate = false }},
		{name: "learned phases", phases: "exact", keys: values("eta_phi", 0.1)},
		{name: "attention", phases: "bins", change: func(r *hmnRule) { r.betaA, r.tauCtx = 3, 300 }},
		{name: "attention by cycles", phases: "exact", change: func(r *hmnRule) { r.betaA, r.tauCtx = 3, 300 }, keys: values("alpha_hold", "cycle")},
		{name: "dot product", phases: "exact", change: func(r *hmnRule) { r.betaA, r.tauCtx = 0.5, 300 }, keys: values("alpha_hold", "cycle", "similarity", "dot")},
		{name: "oja", phases: "exact", change: func(r *hmnRule) { r.betaA, r.tauCtx = 3, 300 }, keys: values("embedding", "oja")},
		{name: "global attention", phases: "bins", volume: true, change: func(r *hmnRule) { r.betaG, r.tauC = 2, 100 }},
		{name: "everything", phases: "bins", volume: true, change: func(r *hmnRule) {
			r.bernoulli, r.thetaP, r.betaP = true, 0.01*r.wMax, 200/r.wMax
			r.betaA, r.tauCtx, r.betaG, r.tauC, r.soft, r.lambdaW, r.settle = 3, 300, 2, 100, true, 1e-3, 3
		}},
		{name: "continuous", phases: "exact", keys: values("update", "continuous")},
		{name: "continuous, no gate", phases: "exact", change: func(r *hmnRule) { r.gate = false }, keys: values("update", "continuous")},
		{name: "continuous, attention", phases: "exact", volume: true, change: func(r *hmnRule) { r.betaA, r.tauCtx, r.betaG = 3, 300, 2 }, keys: values("update", "continuous")},
	}
}

// loopDelays are the delays of the plastic synapses of a loop.
var loopDelays = []string{"axonal", "split", "dendritic", "long", "random", "wide", "grid"}

// loop is a closed loop as a description and as cells of the oracle.
type loop struct {
	m       *network.Model
	rule    hmnRule    // of the last projection
	rules   [2]hmnRule // by source
	variant loopVariant
	plastic int // the first so many projections learn
	sizes   [2]int
	cells   []*cell
	arrive  agenda // of the drive
	reward  []network.Jump
}

// makeLoop makes excitatory and inhibitory neurons of one model, all synapses
// among them plastic. Given trains drive them to 10 to 60 Hz.
func makeLoop(seed uint64, v loopVariant, model, delays string, hz float64, end event.Time) *loop {
	rng := rand.New(rand.NewPCG(seed, 0x6c6f6f70))
	in := func(lo, hi float64) float64 { return lo + (hi-lo)*rng.Float64() }
	l := &loop{m: &network.Model{Simulation: network.Simulation{Seed: seed + 1}}, variant: v, sizes: [2]int{8, 4}}
	c := cell{model: model, c: 250, tauM: 15, el: -65, vth: -50, vr: -65, ie: 200, tau: [2]float64{3, 7}, tRef: ms(2)}
	p := values("C_m", c.c, "tau_m", c.tauM, "E_L", c.el, "V_th", c.vth, "V_reset", c.vr, "I_e", c.ie, "t_ref", c.tRef.MS())
	if model == "foreign_lif" {
		c.model = "iaf_psc_delta"
	} else if model != "iaf_psc_delta" {
		p["tau_syn_ex"], p["tau_syn_in"] = quantity.Value{Number: c.tau[0]}, quantity.Value{Number: c.tau[1]}
	}
	// unit is the weight that makes a PSP of about 1 mV.
	unit := func(port int) float64 {
		switch model {
		case "iaf_psc_exp":
			return math.Round(c.c / c.tau[port])
		case "iaf_psc_alpha":
			return math.Round(c.c / c.tau[port] / math.E)
		}
		return 1
	}
	names := []string{"E", "I"}
	for k, name := range names {
		col := network.Value{Form: network.Column}
		for range l.sizes[k] {
			n := c
			n.v = in(c.el, c.vth-0.01)
			col.Column = append(col.Column, n.v)
			l.cells = append(l.cells, &n)
		}
		l.m.Populations = append(l.m.Populations, population(name, l.sizes[k], model, p, map[string]network.Value{"V_m": col}))
	}
	first := []int{0, l.sizes[0]}
	dend := ms(in(0, 1))
	delay := func() (axonal, dendritic event.Time) {
		switch delays {
		case "axonal":
			return ms(1), 0
		case "split":
			return ms(0.3), ms(1.2)
		case "dendritic":
			return 0, ms(1.5)
		case "long":
			return ms(4), 0
		case "wide":
			return ms(3) + event.Time(in(0, 3e9)), 0
		case "grid": // with the drive on the same grid much happens at one time
			axonal, dendritic = event.Time(1+rng.IntN(8))*ms(0.25), event.Time(rng.IntN(3))*ms(0.25)
			if l.rule.betaA > 0 {
				dendritic = ms(0.25)
			}
			return axonal, dendritic
		}
		axonal, dendritic = event.Time(in(0.2e9, 3e9)), event.Time(in(0.3e9, 2e9))
		if l.rule.betaA > 0 { // one context per target
			dendritic = dend
		}
		return axonal, dendritic
	}
	for s := range names {
		for g := range names {
			r := coreRule(2 * unit(s))
			r.hz, r.bernoulli = hz, false
			r.etaLocal, r.etaGlobal = 0.01*r.wMax/r.cycle(), 0.02*r.wMax/r.cycle()
			if v.change != nil {
				v.change(&r)
			}
			r.uniform, r.bins = v.phases == "bins", 16
			l.rule, l.rules[s] = r, r
			q := network.Projection{Name: names[s] + names[g], Source: names[s], Target: names[g], Rule: network.EdgeList,
				Autapses: true, Multapses: true, Synapse: "hmn", SynapseParams: r.values(), EdgePhases: !r.uniform}
			for k, x := range v.keys {
				q.SynapseParams[k] = x
			}
			for i := range l.sizes[s] {
				for j := range l.sizes[g] {
					for chance(rng, 0.5) { // one or more synapses, or none
						ax, den := delay()
						x := edge(i, j, r.wMax*in(0.2, 0.8), ax, den)
						if s == 1 {
							x.Weight = -x.Weight
						}
						if v.phases == "exact" {
							x.Phase = in(0, 2*math.Pi)
						}
						q.Edges = append(q.Edges, x)
					}
				}
			}
			l.m.Projections = append(l.m.Projections, q)
			l.m.Records = append(l.m.Records, record(network.RecordCandidate, q.Name, 0), record(network.RecordUpdates, q.Name, 0))
		}
	}
	l.plastic = len(l.m.Projections)
	for k, name := range names {
		src := network.Population{Name: "to" + name, N: l.sizes[k], Model: "spike_train", Trains: make([][]event.Time, l.sizes[k])}
		q := edges(src.Name, name)
		for j := range l.sizes[k] {
			w := math.Round(2.5*unit(0)*16) / 16
			q.Edges = append(q.Edges, edge(j, j, w, 0, ms(6)))
			src.Trains[j] = randomTrain(rng, 250, end)
			if delays == "grid" {
				for k := range src.Trains[j] {
					src.Trains[j][k] -= src.Trains[j][k] % ms(0.25)
				}
				src.Trains[j] = ordered(src.Trains[j])
			}
			for _, t := range src.Trains[j] {
				l.arrive = append(l.arrive, entry{at: t + ms(6), target: first[k] + j, weight: w})
			}
		}
		l.m.Populations = append(l.m.Populations, src)
		l.m.Projections = append(l.m.Projections, q)
		l.m.Records = append(l.m.Records, record("spikes", name, 0))
	}
	for t := in(0, 30); t < end.MS(); t += in(5, 60) {
		l.reward = append(l.reward, network.Jump{At: ms(t), Amount: in(-1, 1)})
	}
	l.m.Modulators = []network.Modulator{{Name: "reward", Tau: 40, Events: l.reward}}
	if v.volume {
		l.m.Modulators = append(l.m.Modulators,
			network.Modulator{Name: "volume", Tau: 25, W: 0.5, HasW: true, Source: "E", SourceJump: 0.3, HasDelay: true, Delay: ms(4.5)},
			network.Modulator{Name: "tone", Hold: true, W: 0.2, HasW: true, Events: []network.Jump{{At: 0, Amount: 0.5}, {At: end / 2, Amount: -1}}})
	}
	return l
}

func (l *loop) continuous() bool { return l.variant.keys["update"].Text == "continuous" }

// opened is the loop cut open: the same synapses between given trains.
func (l *loop) opened(r *tape) *network.Model {
	m := *l.m
	m.Populations, m.Records = nil, nil
	train := r.byID(l.sizes[0] + l.sizes[1])
	for k, first := range []int{0, l.sizes[0]} {
		p := trains(l.m.Populations[k].Name, train[first:first+l.sizes[k]]...)
		m.Populations = append(m.Populations, p)
	}
	m.Projections = l.m.Projections[:l.plastic]
	for _, q := range l.m.Records {
		if q.What != network.RecordSpikes {
			m.Records = append(m.Records, q)
		}
	}
	return &m
}

// sameLearning says where two runs learnt differently; "" when bit for bit the same.
func sameLearning(a, b *learned) string {
	same := func(x, y network.Candidate) bool {
		nan := math.IsNaN(x.P) && math.IsNaN(y.P) && math.IsNaN(x.U) && math.IsNaN(y.U)
		if nan {
			x.P, x.U, y.P, y.U = 0, 0, 0, 0
		}
		return x == y
	}
	for k := range min(len(a.candidates), len(b.candidates)) {
		if x, y := a.candidates[k], b.candidates[k]; !same(x, y) {
			return fmt.Sprintf("candidate %d is %+v, want %+v", k, y, x)
		}
	}
	if len(a.candidates) != len(b.candidates) {
		return fmt.Sprintf("%d candidates, want %d", len(b.candidates), len(a.candidates))
	}
	if !slices.Equal(a.updates, b.updates) {
		return fmt.Sprintf("%d updates, want %d: %s", len(b.updates), len(a.updates), firstUnequal(b.updates, a.updates))
	}
	return ""
}

// loopSynapse is a plastic synapse of the oracle.
type loopSynapse struct {
	hmnEdge // pre is a number in its population, post a cell
	id      network.SynapseID
	from    int // cell
	sign    float64
	at      func(t event.Time) float64 // magnitude for an arrival at it
}

// worlds are the two halves of the loop cut open: all synapses of the excitatory and
// all of the inhibitory neurons, onto all neurons, for the oracle of candidates.
func (l *loop) worlds(t testing.TB, r *tape) (out [2]*hmnWorld) {
	t.Helper()
	train := r.byID(len(l.cells))
	first := []int{0, l.sizes[0]}
	for s := range out {
		w := &hmnWorld{rule: l.rules[s], seed: l.m.Simulation.Seed, source: l.m.Populations[s].Name,
			pre: train[first[s] : first[s]+l.sizes[s]], post: train}
		for _, m := range l.m.Modulators {
			q := hmnModulator{tau: m.Tau, w: 1}
			if m.HasW {
				q.w = m.W
			}
			for _, j := range m.Events {
				q.jumps = append(q.jumps, hmnLevel{j.At, j.Amount})
			}
			if m.Source != "" {
				for i := range l.sizes[0] {
					for _, t := range train[i] {
						q.jumps = append(q.jumps, hmnLevel{t + m.Delay, m.SourceJump})
					}
				}
			}
			w.mods = append(w.mods, q)
		}
		for g := range 2 {
			list, err := network.Synapses(l.m, 2*s+g)
			if err != nil {
				t.Fatal(err)
			}
			for _, x := range list {
				w.edges = append(w.edges, hmnEdge{int(x.Source), first[g] + int(x.Target), x.Multapse, x.Axonal, x.Dendritic, x.Phase, math.Abs(x.Weight)})
			}
		}
		out[s] = w
	}
	return out
}

// flows is the weight of a synapse under update = "continuous" at the given times,
// ascending: the solution of dw/dt = drift that stays within its bounds. It walks
// from event to event, integrates numerically in between, and divides where the
// drift changes sign whenever a bound is within reach.
func (w *hmnWorld) flows(edge int, h *third, alphas *attended, place int, times []event.Time) (out []float64) {
	r, e := &w.rule, w.edges[edge]
	if len(times) == 0 {
		return nil
	}
	type mark struct {
		at   instant
		kind int // 0 cut, 1 arrival, 2 post spike, 3 question
	}
	var marks []mark
	last := at(times[len(times)-1])
	add := func(t instant, kind int) {
		if t.compare(instant{}) >= 0 && t.compare(last) <= 0 {
			marks = append(marks, mark{t, kind})
		}
	}
	for _, t := range h.at {
		add(t, 0)
	}
	if alphas != nil {
		for _, t := range alphas.at {
			add(t, 0)
		}
	}
	for _, t := range w.pre[e.pre] {
		add(at(t+e.axonal), 1)
	}
	for _, t := range w.post[e.post] {
		add(at(t+e.dendritic), 2)
	}
	for _, t := range times {
		add(at(t), 3)
	}
	if r.gate {
		for k := int64(-3); phaseTime(r.hz, e.phase, r.phi0, k, -0.25).compare(last) < 0; k++ {
			add(phaseTime(r.hz, e.phase, r.phi0, k, -0.25), 0)
			add(phaseTime(r.hz, e.phase, r.phi0, k, 0.25), 0)
		}
	}
	slices.SortStableFunc(marks, func(a, b mark) int { return cmp.Or(a.at.compare(b.at), cmp.Compare(a.kind, b.kind)) })
	omega := 2 * math.Pi * r.hz / 1000
	// phase of the gate at an instant, from the nearest window's centre
	wave := func(t instant) float64 {
		k := math.Round(t.since(instant{})/r.cycle() - (e.phase-r.phi0)/(2*math.Pi))
		return omega * t.since(phaseTime(r.hz, e.phase, r.phi0, int64(k), 0))
	}
	weight, now := e.weight, instant{}
	var fast, slow, xhat, zhat float64
	for _, m := range marks {
		if L := m.at.since(now); L > 0 {
			n := h.last(now)
			age := now.since(h.at[n])
			alpha := 1.0
			if alphas != nil {
				alpha = alphas.last(now)[place]
			}
			theta := wave(now)
			middle := wave(now) + omega*L/2
			on := !r.gate || math.Cos(middle) > 0
			f := func(s float64) float64 {
				drift := r.etaLocal
				for k, q := range w.mods {
					x := h.e[n][k]
					if q.tau > 0 {
						x *= math.Exp(-(age + s) / q.tau)
					}
					drift += r.etaGlobal * h.gamma[n][k] * q.w * x
				}
				gate := 1.0
				if r.gate {
					gate = r.kappa * max(0, math.Cos(theta+omega*s))
				}
				return gate * drift * alpha * (r.aFast*fast*math.Exp(-s/r.tauFast) + r.aSlow*slow*math.Exp(-s/r.tauSlow))
			}
			if on && (fast != 0 || slow != 0) {
				const scan = 16
				turns := []float64{0}
				for k := range scan {
					lo, hi := L*float64(k)/scan, L*float64(k+1)/scan
					if up := f(lo*(1+1e-12)) > 0; up != (f(hi*(1-1e-12)) > 0) {
						turns = append(turns, bisect(lo, hi, func(s float64) bool { return (f(s) > 0) != up }))
					}
				}
				turns = append(turns, L)
				for k := 1; k < len(turns); k++ {
					part := quadrature(turns[k]-turns[k-1], 1/r.tauFast, omega, func(s float64) float64 { return f(turns[k-1] + s) })
					weight = min(max(weight+part, r.wMin), r.wMax)
				}
			}
			fast *= math.Exp(-L / r.tauFast)
			slow *= math.Exp(-L / r.tauSlow)
			xhat *= math.Exp(-L / r.tauPlus)
			zhat *= math.Exp(-L / r.tauMinus)
			now = m.at
		}
		switch m.kind {
		case 1:
			fast += r.aMinus * zhat
			slow += r.aMinus * zhat
			xhat++
		case 2:
			fast += r.aPlus * xhat
			slow += r.aPlus * xhat
			zhat++
		case 3:
			out = append(out, weight)
		}
	}
	return out
}

// alphas gives α̂ of every synapse of the world, and its place among those of its
// target.
func (w *hmnWorld) alphas() (of []*attended, place []int) {
	of, place = make([]*attended, len(w.edges)), make([]int, len(w.edges))
	if w.rule.betaA == 0 {
		return of, place
	}
	own := map[int][]int{}
	for n, e := range w.edges {
		place[n] = len(own[e.post])
		own[e.post] = append(own[e.post], n)
	}
	v := w.embeddings()
	for _, list := range own {
		a := w.attention(list, v)
		for _, n := range list {
			of[n] = a
		}
	}
	return of, place
}

// synapses gives the plastic synapses with their weights: as the log of updates has
// them or, where weights flow continuously, as the oracle has them.
func (l *loop) synapses(t testing.TB, r *learned, end event.Time) (out []*loopSynapse) {
	t.Helper()
	byID := map[network.SynapseID][]network.WeightUpdate{}
	for _, u := range r.updates {
		byID[u.Synapse] = append(byID[u.Synapse], u)
	}
	worlds := l.worlds(t, &r.tape)
	for s, w := range worlds {
		h := w.third(end)
		alphas, place := w.alphas()
		for k, e := range w.edges {
			p := 2 * s
			target := e.post
			if e.post >= l.sizes[0] {
				p++
				target -= l.sizes[0]
			}
			y := &loopSynapse{hmnEdge: e, id: network.SynapseID{Projection: p, Source: uint32(e.pre), Target: uint32(target), Multapse: e.nth},
				from: e.pre + s*l.sizes[0], sign: 1 - 2*float64(s)}
			if l.continuous() {
				var arrivals []event.Time
				for _, t := range w.pre[e.pre] {
					arrivals = append(arrivals, t+e.axonal)
				}
				weights := w.flows(k, h, alphas[k], place[k], arrivals)
				y.at = func(t event.Time) float64 {
					// The oracle's spike is the engine's to 2 ps.
					n, _ := slices.BinarySearch(arrivals, t-100)
					if n == len(arrivals) || arrivals[n] > t+100 {
						return math.NaN()
					}
					return weights[n]
				}
			} else {
				y.at = l.logged(e, byID[y.id])
			}
			out = append(out, y)
		}
	}
	return out
}

// closeOf is the real time at which window k of a synapse closes.
func (l *loop) closeOf(x hmnEdge, u network.WeightUpdate) instant {
	if _, moves := l.variant.keys["eta_phi"]; moves { // known to 1 ps only
		return at(u.At)
	}
	half := 0.25
	if !l.rule.gate {
		half = 0.5
	}
	c := phaseTime(l.rule.hz, x.phase, l.rule.phi0, u.K, half)
	// π as a float64 is less than π: a close that is meant to be a whole picosecond
	// is one.
	if n := at(c.nearest()); math.Abs(c.since(n)) < 1e-12 {
		return n
	}
	return c
}

// logged is the magnitude of a weight as the log of its updates makes it. An arrival
// exactly at a close finds the weight before it.
func (l *loop) logged(x hmnEdge, updates []network.WeightUpdate) func(event.Time) float64 {
	closes := make([]instant, len(updates))
	for k, u := range updates {
		closes[k] = l.closeOf(x, u)
	}
	decay := func(w float64, from, to event.Time) float64 {
		if l.rule.lambdaW == 0 {
			return w
		}
		return math.Max(l.rule.wMin, w*math.Exp(-l.rule.lambdaW*(to-from).MS()))
	}
	return func(t event.Time) float64 {
		w, since := x.weight, event.Time(0)
		for k, u := range updates {
			if closes[k].compare(at(t)) >= 0 {
				break
			}
			w, since = decay(w, since, u.At)+u.DW, u.At
		}
		return decay(w, since, t)
	}
}

// simulate runs the cells with the plastic synapses as they are known to have been.
func (l *loop) simulate(syn []*loopSynapse, end event.Time, round func(float64) float64) [][]event.Time {
	out := make([][]*loopSynapse, len(l.cells))
	for _, s := range syn {
		out[s.from] = append(out[s.from], s)
	}
	cells := make([]*cell, len(l.cells))
	for i, c := range l.cells {
		n := *c
		cells[i] = &n
	}
	a := slices.Clone(l.arrive)
	heap.Init(&a)
	predict := func(i int) {
		n := cells[i]
		n.version++
		if t, ok := n.next(round); ok {
			heap.Push(&a, entry{at: t, kind: 2, target: i, version: n.version})
			return
		}
		heap.Push(&a, entry{at: max(n.at, n.free) + event.Time((scanSpan-scanStep)*1e9), kind: 3, target: i, version: n.version})
	}
	fire := func(i int, t event.Time) {
		n := cells[i]
		n.to(t)
		n.spikes = append(n.spikes, t)
		n.v, n.free = n.vr, t+n.tRef
		for _, s := range out[i] {
			seen := t + s.axonal
			if seen+s.dendritic < end {
				heap.Push(&a, entry{at: seen + s.dendritic, target: s.post, weight: s.sign * s.at(seen)})
			}
		}
		predict(i)
	}
	for i := range cells {
		predict(i)
	}
	for len(a) > 0 && a[0].at < end {
		now := a[0].at
		var touched []int
		for len(a) > 0 && a[0].at == now && a[0].kind == 0 {
			e := heap.Pop(&a).(entry)
			cells[e.target].to(now)
			cells[e.target].hit(e.weight)
			touched = append(touched, e.target)
		}
		if len(touched) > 0 {
			slices.Sort(touched)
			for _, i := range slices.Compact(touched) {
				if n := cells[i]; n.v >= n.vth && now >= n.free {
					fire(i, now)
				} else {
					predict(i)
				}
			}
			continue
		}
		e := heap.Pop(&a).(entry)
		switch {
		case e.version != cells[e.target].version: // overtaken
		case e.kind == 2:
			fire(e.target, now)
		default:
			cells[e.target].to(now)
			predict(e.target)
		}
	}
	var spikes [][]event.Time
	for _, n := range cells {
		spikes = append(spikes, n.spikes)
	}
	return spikes
}

// apart is the time of the first spike that differs by more than most.
func apart(x, y [][]event.Time, most event.Time) event.Time {
	h := event.MaxTime
	for i := range x {
		for k := range max(len(x[i]), len(y[i])) {
			switch {
			case k >= len(x[i]):
				h = min(h, y[i][k])
			case k >= len(y[i]):
				h = min(h, x[i][k])
			default:
				if d := x[i][k] - y[i][k]; d <= most && d >= -most {
					continue
				}
				h = min(h, x[i][k], y[i][k])
			}
			break
		}
	}
	return h
}

// hard counts the engine's hard case: an update whose window closes between a spike
// of the target, which it may hang on, and an arrival that acts, all within one
// window of the run.
func (l *loop) hard(syn []*loopSynapse, r *learned, window event.Time) (n int) {
	train := r.byID(len(l.cells))
	of := map[network.SynapseID]*loopSynapse{}
	for _, s := range syn {
		of[s.id] = s
	}
	within := func(times []event.Time, lag, lo, hi event.Time) bool {
		return slices.ContainsFunc(times, func(t event.Time) bool { return t+lag > lo && t+lag < hi })
	}
	for _, u := range r.updates {
		s := of[u.Synapse]
		if u.DW == 0 {
			continue
		}
		lo := u.At - u.At%window
		if within(train[s.post], s.dendritic, lo+s.dendritic-1, u.At) && within(train[s.from], s.axonal, u.At, lo+window-s.dendritic) {
			n++
		}
	}
	return n
}

// run is a closed loop with everything it reports.
func (l *loop) run(t testing.TB, end event.Time, workers int) (*learned, *network.Network) {
	t.Helper()
	n := build(t, l.m, workers)
	r := &learned{}
	learn(t, n, end, r)
	return r, n
}

// loopTally adds up what was compared.
type loopTally struct {
	spikes, candidates, updates, hard, whole, cases int
	worst                                           event.Time
}

// judge compares one loop with its trains played back and with the oracle.
func (l *loop) judge(t *testing.T, end event.Time, all *loopTally) {
	t.Helper()
	got, n := l.run(t, end, 1)
	window := n.Stats().Window
	weights := weightBits(n, l.m)
	n.Close()

	// Played back.
	m := l.opened(&got.tape)
	n = build(t, m, 1)
	back := &learned{}
	learn(t, n, end, back)
	if d := sameLearning(got, back); d != "" {
		t.Errorf("played back: %s", d)
	}
	if w := weightBits(n, m); !slices.Equal(w, weights) {
		t.Errorf("played back: final weights differ: %s", firstBits(w, weights))
	}
	n.Close()

	all.cases++
	all.candidates += len(got.candidates)
	all.updates += len(got.updates)
	syn := l.synapses(t, got, end)
	all.hard += l.hard(syn, got, window)
	want := l.simulate(syn, end, math.Round)
	h := end
	for _, off := range []float64{-0.01, 0.01, -0.1, 0.1} {
		h = min(h, apart(want, l.simulate(syn, end, func(x float64) float64 { return math.Round(x + off) }), 1))
	}
	if h >= end-10 {
		all.whole++
	}
	train := got.byID(len(l.cells))
	if d := apart(want, train, 2); d < h-10 {
		for i := range want {
			for k := range max(len(want[i]), len(train[i])) {
				if k >= len(want[i]) || k >= len(train[i]) || want[i][k]-train[i][k] > 2 || train[i][k]-want[i][k] > 2 {
					if k < len(want[i]) && want[i][k] == d || k < len(train[i]) && train[i][k] == d {
						t.Errorf("neuron %d: spike %d at %v, the oracle says %v (horizon %v ms)", i, k, train[i][k:min(k+1, len(train[i]))], want[i][k:min(k+1, len(want[i]))], h)
					}
					break
				}
			}
		}
		return
	}
	for i := range want {
		for k := 0; k < min(len(want[i]), len(train[i])) && want[i][k] < h-10; k++ {
			all.worst = max(all.worst, want[i][k]-train[i][k], train[i][k]-want[i][k])
			all.spikes++
		}
	}
}

func firstBits(a, b []uint64) string {
	for k := range min(len(a), len(b)) {
		if a[k] != b[k] {
			return fmt.Sprintf("number %d is %v, want %v", k, math.Float64frombits(a[k]), math.Float64frombits(b[k]))
		}
	}
	return fmt.Sprintf("%d of them, want %d", len(a), len(b))
}

// TestHMNLoop compares closed loops of every rule, model and kind of delay with
// their own trains played back and with the oracle.
func TestHMNLoop(t *testing.T) {
	end := ms(400)
	models := []string{"iaf_psc_exp", "iaf_psc_delta", "iaf_psc_alpha"}
	var all loopTally
	for v, variant := range loopVariants() {
		for d, delays := range loopDelays {
			if testing.Short() && (v+d)%2 > 0 {
				continue
			}
			model := models[(v+2*d)%3]
			seed := uint64(100*v + d)
			hz := []float64{40, 123.456, 200, 8}[(v+2*d+v/3)%4]
			t.Run(fmt.Sprintf("%s/%s/%s/%g Hz", variant.name, delays, model, hz), func(t *testing.T) {
				makeLoop(seed, variant, model, delays, hz, end).judge(t, end, &all)
			})
		}
	}
	t.Logf("%+v", all)
	if all.hard < 20 || all.spikes < 20*all.cases || all.updates < 500*all.cases || all.whole*10 < all.cases {
		t.Errorf("%+v: too little was tested", all)
	}
}

// hmnSignals are the records of plastic synapses and of what they share.
var hmnSignals = []string{network.RecordWeight, network.RecordEligibility, network.RecordEligibilityFast, network.RecordEligibilitySlow,
	network.RecordGate, network.RecordAlpha, network.RecordG, network.RecordGPrime, network.RecordGamma, network.RecordEta}

// sameRun says where two runs of one network differ; "" when bit for bit the same.
func sameRun(a, b *learned) string {
	if d := sameLearning(a, b); d != "" {
		return d
	}
	if a.tape.hash() != b.tape.hash() {
		return firstDifference(&a.tape, &b.tape)
	}
	return ""
}

// TestHMNDeterminismSplits: a closed loop run in pieces, after Reset, with other
// recorders, gives the same bits; weights read where a run was split are those of
// a run that ended there.
func TestHMNDeterminismSplits(t *testing.T) {
	end := ms(150)
	models := []string{"iaf_psc_exp", "iaf_psc_delta", "iaf_psc_alpha", "foreign_lif"}
	for v, variant := range loopVariants() {
		for d, delays := range loopDelays {
			if (v+d)%2 == 0 && testing.Short() {
				continue
			}
			model := models[(v+d)%4]
			hz := []float64{40, 123.456, 200, 8}[(v+2*d+v/4)%4]
			t.Run(fmt.Sprintf("%s/%s/%s/%g Hz", variant.name, delays, model, hz), func(t *testing.T) {
				l := makeLoop(uint64(1000+100*v+d), variant, model, delays, hz, end)
				splits(t, l, end, uint64(100*v+d))
			})
		}
	}
}

func splits(t *testing.T, l *loop, end event.Time, seed uint64) {
	t.Helper()
	rng := rand.New(rand.NewPCG(seed, 5))
	want, n := l.run(t, end, 1)
	weights := weightBits(n, l.m)
	window := n.Stats().Window
	same := func(what string, got *learned, w []uint64) {
		t.Helper()
		if d := sameRun(want, got); d != "" {
			t.Errorf("%s: %s", what, d)
		}
		if w != nil && !slices.Equal(w, weights) {
			t.Errorf("%s: final weights differ: %s", what, firstBits(w, weights))
		}
	}
	// Reset, from the end and from within a window.
	if err := n.Reset(); err != nil {
		t.Fatal(err)
	}
	learn(t, n, event.Time(rng.Int64N(int64(end))), &learned{})
	if err := n.Reset(); err != nil {
		t.Fatal(err)
	}
	got := &learned{}
	learn(t, n, end, got)
	same("reset", got, weightBits(n, l.m))

	// Split at closes, at updates, at spikes, on and beside window boundaries, anywhere.
	var cuts []event.Time
	for range 3 {
		cuts = append(cuts, event.Time(rng.Int64N(int64(end))), event.Time(rng.Int64N(int64(end/window)))*window)
		if len(want.candidates) > 0 {
			c := pick(rng, want.candidates...)
			cuts = append(cuts, c.Close, c.Close+1, c.Close-1, c.Open, (c.Open+c.Close)/2)
		}
		if len(want.spikes) > 0 {
			s := pick(rng, want.spikes...)
			cuts = append(cuts, s.At, s.At+1)
		}
	}
	slices.Sort(cuts)
	cuts = slices.DeleteFunc(slices.Compact(cuts), func(c event.Time) bool { return c <= 0 || c >= end })
	if err := n.Reset(); err != nil {
		t.Fatal(err)
	}
	got = &learned{}
	at := map[event.Time][]uint64{}
	now := event.Time(0)
	for _, c := range append(cuts, end) {
		learn(t, n, c-now, got)
		learn(t, n, 0, got)
		at[c], now = weightBits(n, l.m), c
	}
	same(fmt.Sprintf("split at %v", cuts), got, at[end])
	for k, c := range cuts {
		if k%4 != int(seed)%4 {
			continue
		}
		if err := n.Reset(); err != nil {
			t.Fatal(err)
		}
		r := &learned{}
		learn(t, n, c, r)
		if w := weightBits(n, l.m); !slices.Equal(w, at[c]) {
			t.Errorf("weights at a split at %v are not those of a run that ends there: %s", c, firstBits(at[c], w))
		}
		k := 0
		for k < len(want.updates) && want.updates[k].At <= c {
			k++
		}
		// The log's times are rounded: a close at c to 1 ps may lie after it.
		if len(r.updates) > k || k > len(r.updates) && want.updates[len(r.updates)].At < c {
			t.Errorf("a run to %v has %d updates, want %d", c, len(r.updates), k)
		}
	}
	n.Close()

	// Recorders: all signals added, then none at all.
	more := *l
	m := *l.m
	more.m = &m
	m.Records = slices.Clone(l.m.Records)
	for p := range l.plastic {
		for _, what := range hmnSignals {
			m.Records = append(m.Records, record(what, l.m.Projections[p].Name, ms(0.7)))
		}
	}
	m.Records = append(m.Records, record(network.RecordModulator, "reward", ms(0.33)))
	if l.m.Populations[0].Model != "foreign_lif" {
		m.Records = append(m.Records, record("V_m", "E", ms(0.123)))
	}
	got, n = more.run(t, end, 1)
	kept := got.samples
	got.samples = nil
	same("signals recorded", got, weightBits(n, l.m))
	got.samples = kept
	// The same in pieces, samples too.
	if err := n.Reset(); err != nil {
		t.Fatal(err)
	}
	again := &learned{}
	now = 0
	for k, c := range append(cuts, end) {
		if k%3 == 0 || c == end {
			learn(t, n, c-now, again)
			now = c
		}
	}
	if d := sameRun(got, again); d != "" {
		t.Errorf("signals recorded, in pieces: %s", d)
	}
	n.Close()
	m.Records = nil
	n = build(t, &m, 1)
	if err := n.Run(t.Context(), end, network.Recorder{}); err != nil {
		t.Fatal(err)
	}
	if w := weightBits(n, l.m); !slices.Equal(w, weights) {
		t.Errorf("nothing recorded: final weights differ: %s", firstBits(w, weights))
	}
	n.Close()

	// Cut open, in shorter windows.
	m = *l.opened(&want.tape)
	for _, longest := range []float64{0, 0.0837, 1.1} {
		m.Simulation.LookaheadMax = ms(longest)
		n := build(t, &m, 1)
		back := &learned{}
		learn(t, n, end, back)
		if d := sameLearning(want, back); d != "" {
			t.Errorf("played back in windows of %v ms: %s", n.Stats().Window, d)
		}
		if w := weightBits(n, &m); !slices.Equal(w, weights) {
			t.Errorf("played back in windows of %v ms: final weights differ: %s", n.Stats().Window, firstBits(w, weights))
		}
		n.Close()
	}
}

// TestHMNDeterminismEdges: everything happens at opens and closes of windows, which
// are also boundaries of the windows of the run, and the run is split there: the end of a run
// knows no spike, jump of a modulator or change of a rate at that instant yet.
func TestHMNDeterminismEdges(t *testing.T) {
	for seed := range uint64(16) {
		for _, rates := range []bool{false, true} {
			w, end := onEdges(rates, seed)
			m := w.model(false)
			if !rates && seed%8 >= 6 {
				m.Projections[0].SynapseParams["eta_phi"] = values("eta_phi", 0.05)["eta_phi"]
			}
			var want *learned
			var weights map[event.Time][]uint64
			for _, longest := range []float64{0, 0.625, 1.25} {
				m.Simulation.LookaheadMax = ms(longest)
				n := build(t, m, 1)
				whole := &learned{}
				learn(t, n, end, whole)
				last := weightBits(n, m)
				if want == nil {
					want = whole
				}
				label := fmt.Sprintf("rates %v, seed %d, windows of %v ms", rates, seed, n.Stats().Window)
				if d := sameLearning(want, whole); d != "" {
					t.Errorf("%s: %s", label, d)
				}
				for _, step := range []event.Time{ms(31.25), ms(15.625)} {
					if err := n.Reset(); err != nil {
						t.Fatal(err)
					}
					got := &learned{}
					at := map[event.Time][]uint64{}
					for now := step; now <= end; now += step {
						learn(t, n, step, got)
						at[now] = weightBits(n, m)
						if k := len(got.candidates); k < len(want.candidates) && want.candidates[k].Close <= now-1 {
							t.Errorf("%s: at %v the candidate that closed at %v is not there", label, now, want.candidates[k].Close)
						}
					}
					if d := sameLearning(want, got); d != "" {
						t.Errorf("%s, split every %v ms: %s", label, step, d)
					}
					if !slices.Equal(at[end], last) {
						t.Errorf("%s, split every %v ms: final weights: %s", label, step, firstBits(at[end], last))
					}
					if weights == nil {
						weights = at
					}
					for now, x := range at {
						if y := weights[now]; y != nil && !slices.Equal(x, y) {
							t.Errorf("%s, split every %v ms: weights at %v: %s", label, step, now, firstBits(x, y))
						}
					}
				}
				n.Close()
			}
		}
	}
}

// bigLoop is a recurrent network of 2500 neurons with plastic synapses among
// excitatory and inhibitory ones, under noise strong enough to fill windows with work.
func bigLoop(v loopVariant) *network.Model {
	m := &network.Model{Simulation: network.Simulation{Seed: 12}}
	psc := values("C_m", 200.0, "tau_m", 20.0, "E_L", -65.0, "V_th", -50.0, "V_reset", -65.0, "t_ref", 2.0, "tau_syn_ex", 3.0, "tau_syn_in", 8.0)
	m.Populations = []network.Population{
		population("E", 2000, "iaf_psc_exp", psc, start("V_m", uniform(-65, -50))),
		population("I", 500, "iaf_psc_exp", psc, start("V_m", uniform(-65, -50))),
		population("toE", 2000, "poisson", values("rate", 4500.0), nil),
		population("toI", 500, "poisson", values("rate", 4500.0), nil),
	}
	for s, source := range []string{"E", "I"} {
		for _, target := range []string{"E", "I"} {
			r := coreRule(60)
			r.etaLocal, r.etaGlobal = 0.01*r.wMax/125, 0.02*r.wMax/125
			r.bernoulli, r.thetaP, r.betaP = v.keys["update"].Text != "continuous", 0.01*r.wMax, 200/r.wMax
			if v.change != nil {
				v.change(&r)
			}
			r.uniform, r.bins = true, 16
			q := network.Projection{Name: source + target, Source: source, Target: target, Rule: network.FixedInDegree, Degree: 10, Multapses: true,
				Synapse: "hmn", SynapseParams: r.values(), Axonal: uniform(1.5, 4), Dendritic: constant(0.5), Weight: uniform(10, 50)}
			for k, x := range v.keys {
				q.SynapseParams[k] = x
				if k == "eta_phi" {
					q.SynapseParams["phase_bins"] = quantity.Value{}
				}
			}
			if s == 1 {
				q.Weight = uniform(-50, -10)
			}
			m.Projections = append(m.Projections, q)
			m.Records = append(m.Records, record(network.RecordUpdates, q.Name, 0), record(network.RecordCandidate, q.Name, 0))
		}
	}
	for _, target := range []string{"E", "I"} {
		m.Projections = append(m.Projections, network.Projection{Name: "to" + target, Source: "to" + target, Target: target, Rule: network.OneToOne,
			Weight: constant(18), Dendritic: constant(2), Synapse: "static"})
		m.Records = append(m.Records, record("spikes", target, 0))
	}
	m.Modulators = []network.Modulator{{Name: "reward", Tau: 40}}
	for k := range 30 {
		m.Modulators[0].Events = append(m.Modulators[0].Events, network.Jump{At: ms(3.7 + 11.1*float64(k)), Amount: float64(k%3) - 0.7})
	}
	if v.volume && v.keys["update"].Text != "continuous" { // 15 jumps per ms are slow there
		m.Modulators = append(m.Modulators, network.Modulator{Name: "volume", Tau: 25, W: 0.01, HasW: true, Source: "I", SourceJump: 0.01, HasDelay: true, Delay: ms(4.5)})
	}
	return m
}

// TestHMNDeterminismWorkers: 1, 2 and 7 workers, several of which have advanced
// blocks, give the same bits.
func TestHMNDeterminismWorkers(t *testing.T) {
	end := ms(100)
	for _, variant := range loopVariants() {
		switch variant.name {
		case "everything", "oja", "continuous, attention":
		case "learned phases", "attention by cycles":
			if testing.Short() {
				continue
			}
		default:
			continue
		}
		t.Run(variant.name, func(t *testing.T) {
			m := bigLoop(variant)
			var want *learned
			var weights []uint64
			for _, workers := range []int{1, 2, 7} {
				n := build(t, m, workers)
				got := &learned{}
				learn(t, n, end, got)
				s := n.Stats()
				if want == nil {
					want, weights = got, weightBits(n, m)
				}
				busy := 0
				for _, k := range s.WorkerBlocks {
					if k > 0 {
						busy++
					}
				}
				if s.Blocks < 8 || workers > 1 && busy < 2 {
					t.Errorf("%d workers: %d blocks, %d workers advanced one: %v", workers, s.Blocks, busy, s.WorkerBlocks)
				}
				if d := sameRun(want, got); d != "" {
					t.Errorf("%d workers: %s", workers, d)
				}
				if w := weightBits(n, m); !slices.Equal(w, weights) {
					t.Errorf("%d workers: final weights differ: %s", workers, firstBits(w, weights))
				}
				n.Close()
			}
			rate := float64(len(want.spikes)) / 2500 / end.Seconds()
			if rate < 3 || len(want.candidates) == 0 && !(variant.keys["update"].Text == "continuous") {
				t.Errorf("%.1f Hz, %d candidates, %d updates: too little to tell", rate, len(want.candidates), len(want.updates))
			}
		})
	}
}

// traces are e_fast and e_slow of a synapse right after everything at each of the
// times, ascending.
func (w *hmnWorld) traces(edge int, times []event.Time) (out [][2]float64) {
	r, e := &w.rule, w.edges[edge]
	type mark struct {
		at   event.Time
		kind int // 0 arrival, 1 post spike, 2 question
	}
	var marks []mark
	for _, t := range w.pre[e.pre] {
		marks = append(marks, mark{t + e.axonal, 0})
	}
	for _, t := range w.post[e.post] {
		marks = append(marks, mark{t + e.dendritic, 1})
	}
	for _, t := range times {
		marks = append(marks, mark{t, 2})
	}
	slices.SortStableFunc(marks, func(a, b mark) int { return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(a.kind, b.kind)) })
	var trace [2]float64
	var xhat, zhat float64
	now := event.Time(0)
	for _, m := range marks {
		d := (m.at - now).MS()
		now = m.at
		trace[0] *= math.Exp(-d / r.tauFast)
		trace[1] *= math.Exp(-d / r.tauSlow)
		xhat *= math.Exp(-d / r.tauPlus)
		zhat *= math.Exp(-d / r.tauMinus)
		jump := 0.0
		switch m.kind {
		case 0:
			jump = r.aMinus * zhat
			if xhat++; r.nearest {
				xhat = 1
			}
		case 1:
			jump = r.aPlus * xhat
			if zhat++; r.nearest {
				zhat = 1
			}
		case 2:
			out = append(out, trace)
		}
		for k := range trace {
			if r.overwrite && jump != 0 {
				trace[k] = 0
			}
			trace[k] += jump
		}
	}
	return out
}

// TestHMNSignals compares what is sampled of closed loops with the oracle, given the
// spikes: weights, traces, gates, α of every synapse, G, G′ and γ.
func TestHMNSignals(t *testing.T) {
	end := ms(150)
	every := ms(0.7)
	worst := map[string]float64{}
	for v, variant := range loopVariants() {
		switch variant.name {
		case "learned phases", "attention by cycles", "dot product", "oja":
			continue // not in the oracle
		}
		for d, delays := range loopDelays {
			if testing.Short() && (v+d)%2 == 0 {
				continue
			}
			model := []string{"iaf_psc_exp", "iaf_psc_delta", "iaf_psc_alpha"}[(v+d)%3]
			hz := []float64{40, 123.456, 200, 8}[(v+d)%4]
			t.Run(fmt.Sprintf("%s/%s/%s/%g Hz", variant.name, delays, model, hz), func(t *testing.T) {
				l := makeLoop(uint64(3000+100*v+d), variant, model, delays, hz, end)
				first := len(l.m.Records)
				for p := range l.plastic {
					for _, what := range hmnSignals {
						l.m.Records = append(l.m.Records, record(what, l.m.Projections[p].Name, every))
					}
				}
				got, n := l.run(t, end, 1)
				n.Close()
				var times []event.Time
				for at := event.Time(0); at < end; at += every {
					times = append(times, at)
				}
				rows := make([][]sample, len(l.m.Records)) // by record and time
				for _, x := range got.samples {
					rows[x.record] = append(rows[x.record], x)
				}
				for k := first; k < len(rows); k++ {
					if len(rows[k]) != len(times) {
						t.Fatalf("%s: %d samples, want %d", l.m.Records[k].What, len(rows[k]), len(times))
					}
				}
				syn := l.synapses(t, got, end)
				faults := 0
				check := func(what string, at event.Time, which any, x, want, bar float64) {
					t.Helper()
					if diff := math.Abs(x - want); !(diff <= bar) {
						if faults++; faults < 6 {
							t.Errorf("%s of %v at %v: %v, want %v", what, which, at, x, want)
						}
					} else {
						worst[what] = max(worst[what], diff/bar)
					}
				}
				next := 0
				for s, w := range l.worlds(t, &got.tape) {
					h := w.third(end)
					alphas, place := w.alphas()
					fan := map[int]float64{}
					for _, e := range w.edges {
						fan[e.post]++
					}
					column := [2]int{}
					for k, e := range w.edges {
						p := 2 * s
						if e.post >= l.sizes[0] {
							p++
						}
						c := column[p-2*s]
						column[p-2*s]++
						of := func(what string, i int) float64 {
							return rows[first+p*len(hmnSignals)+slices.Index(hmnSignals, what)][i].values[c]
						}
						tr := w.traces(k, times)
						var flow []float64
						if l.continuous() {
							flow = w.flows(k, h, alphas[k], place[k], times)
						}
						y := syn[next]
						next++
						for i, at0 := range times {
							want := 0.0
							if flow != nil {
								want = flow[i]
							} else {
								want = y.at(at0 + 1) // what closes at the sample's time is in it
								if l.rule.lambdaW > 0 {
									want = max(l.rule.wMin, want*math.Exp(l.rule.lambdaW*1e-9))
								}
							}
							check("weight", at0, y.id, y.sign*of(network.RecordWeight, i), want,
								// The decay counts from closes rounded to 1 ps, at most one per cycle.
								w.rule.wMax*(1e-11+1e-9*w.rule.lambdaW*end.MS()/w.rule.cycle()))
							check("e_fast", at0, y.id, of(network.RecordEligibilityFast, i), tr[i][0], 1e-10)
							check("e_slow", at0, y.id, of(network.RecordEligibilitySlow, i), tr[i][1], 1e-10)
							check("e", at0, y.id, of(network.RecordEligibility, i), w.rule.aFast*tr[i][0]+w.rule.aSlow*tr[i][1], 1e-10)
							gate := 1.0
							if w.rule.gate {
								gate = w.rule.kappa * max(0, math.Cos(2*math.Pi*hz/1000*at0.MS()+w.rule.phi0-e.phase))
							}
							check("gate", at0, y.id, of(network.RecordGate, i), gate, 1e-10)
							alpha := 1 / fan[e.post]
							if alphas[k] != nil {
								alpha = alphas[k].last(at(at0))[place[k]] / fan[e.post]
							}
							check("alpha", at0, y.id, of(network.RecordAlpha, i), alpha, 1e-11)
						}
					}
					for g := range 2 {
						base := first + (2*s+g)*len(hmnSignals)
						for i, at0 := range times {
							n := h.last(at(at0))
							var G, Gp float64
							for k, q := range w.mods {
								x := h.e[n][k]
								if q.tau > 0 {
									x *= math.Exp(-at(at0).since(h.at[n]) / q.tau)
								}
								G += q.w * x
								Gp += h.gamma[n][k] * q.w * x
								check("gamma", at0, k, rows[base+8][i].values[k], h.gamma[n][k]/float64(len(w.mods)), 1e-11)
							}
							check("G", at0, s, rows[base+6][i].values[0], G, 1e-11)
							check("G'", at0, s, rows[base+7][i].values[0], Gp, 1e-11)
						}
					}
				}
			})
		}
	}
	t.Logf("worst, in units of the bar: %v", worst)
}

// TestHMNManyProjections: a thousand projections that learn end at one population, and
// each synapse of the loop is one of its own; its neurons fire as before.
func TestHMNManyProjections(t *testing.T) {
	end := ms(150)
	for _, model := range []string{"iaf_psc_exp", "iaf_psc_delta", "foreign_lif"} {
		l := makeLoop(77, loopVariants()[0], model, "long", 200, end)
		want, n := l.run(t, end, 1)
		if k := l.hard(l.synapses(t, want, end), want, n.Stats().Window); k < 2 {
			t.Errorf("%s: %d updates that hang on a spike of their window", model, k)
		}
		n.Close()
		m := *l.m
		m.Projections = nil
		for k := range 250 { // they do nothing
			for _, q := range l.m.Projections[:l.plastic] {
				idle := q
				idle.Name = fmt.Sprintf("idle %s %d", q.Name, k)
				idle.SynapseParams = values("w_max", 1e-9, "eta_local", 0.0, "eta_global", 0.0, "bernoulli", false)
				idle.Edges = nil
				for j := range 4 {
					e := q.Edges[0]
					e.Target, e.Weight = uint32(j), 0
					idle.Edges = append(idle.Edges, e)
				}
				m.Projections = append(m.Projections, idle)
			}
		}
		for p, q := range l.m.Projections {
			if p >= l.plastic {
				m.Projections = append(m.Projections, q)
				continue
			}
			for k := range q.Edges {
				one := q
				one.Name = fmt.Sprintf("%s %d", q.Name, k)
				one.Edges = q.Edges[k : k+1]
				m.Projections = append(m.Projections, one)
			}
		}
		m.Records = []network.Record{record("spikes", "E", 0), record("spikes", "I", 0)}
		n = build(t, &m, 1)
		got := &learned{}
		learn(t, n, end, got)
		n.Close()
		if d := apart(want.byID(12), got.byID(12), 1); d < end { // sums have another order
			t.Errorf("%s: spikes differ from %v ms on", model, d)
		}
	}
}
