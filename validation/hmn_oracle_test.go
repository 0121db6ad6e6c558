package validation

import (
	"cmp"
	"math"
	"math/big"
	"slices"
	"testing"

	"hmn/event"
	"hmn/event/quantity"
	"hmn/event/random"
)

// An independent evaluation of every candidate Δw† of docs/learning.md: it walks
// each synapse by itself through all its events, and integrates
//
//	κ max(0, cos(Ωt+φ_0−φ)) [η_l + η_g Σ_k γ̂_k w_k E_k(t)] α̂ Σ_m a_m e_m(t)
//
// between them by Gauss–Legendre quadrature. It shares no code with the packages
// synapse/hmn and network, knows no closed form of an integral, no running
// integrals and no lazy catch-up, and takes from the engine's world only what two
// sides must agree on: the keys of the random numbers.

// instant is a real time: whole picoseconds and a fraction of one, in [0, 1). Edges
// of windows are no whole picoseconds, and the digits of a time within its window
// must be the same in the first second of a run and in the last.
type instant struct {
	ps   int64
	frac float64
}

func at(t event.Time) instant { return instant{ps: int64(t)} }

// since is a − b in ms.
func (a instant) since(b instant) float64 {
	return (float64(a.ps-b.ps) + (a.frac - b.frac)) * 1e-9
}

func (a instant) compare(b instant) int {
	if c := cmp.Compare(a.ps, b.ps); c != 0 {
		return c
	}
	return cmp.Compare(a.frac, b.frac)
}

// nearest is the nearest whole picosecond.
func (a instant) nearest() event.Time {
	if a.frac >= 0.5 {
		return event.Time(a.ps + 1)
	}
	return event.Time(a.ps)
}

const digits = 320 // binary, of the arithmetic of edges

// twoPi to 90 decimal digits.
var twoPi = func() *big.Float {
	pi, _, err := big.ParseFloat("3.14159265358979323846264338327950288419716939937510582097494459230781640628620899862803482534", 10, digits, big.ToNearestEven)
	if err != nil {
		panic(err)
	}
	return pi.Mul(pi, big.NewFloat(2))
}()

func exact(x float64) *big.Float { return new(big.Float).SetPrec(digits).SetFloat64(x) }

// phaseTime is the time at which Ωt + φ_0 = φ + 2π(k + q), for a frequency in Hz:
// t = 1000/f ms · (k + q + (φ−φ_0)/2π).
func phaseTime(hz, phi, phi0 float64, k int64, q float64) instant {
	x := new(big.Float).SetPrec(digits).Sub(exact(phi), exact(phi0))
	x.Quo(x, twoPi)
	x.Add(x, new(big.Float).SetPrec(digits).SetInt64(k))
	x.Add(x, exact(q))
	x.Mul(x, exact(1e12))
	x.Quo(x, exact(hz))
	i, _ := x.Int(nil) // towards 0
	rest := new(big.Float).SetPrec(digits).Sub(x, new(big.Float).SetPrec(digits).SetInt(i))
	f, _ := rest.Float64()
	n := i.Int64()
	if f < 0 {
		n--
		f++
		if f >= 1 { // a fraction that float64 cannot tell from a whole
			n, f = n+1, 0
		}
	}
	return instant{n, f}
}

// gaussNodes are the nodes and weights of Gauss–Legendre quadrature on [0, 1].
func gaussNodes(n int) (x, w []float64) {
	x, w = make([]float64, n), make([]float64, n)
	for i := range n {
		z := math.Cos(math.Pi * (float64(i) + 0.75) / (float64(n) + 0.5))
		var slope float64
		for range 100 {
			p, q := 1.0, 0.0 // P_k and P_(k−1)
			for k := 1; k <= n; k++ {
				p, q = (float64(2*k-1)*z*p-float64(k-1)*q)/float64(k), p
			}
			slope = float64(n) * (z*p - q) / (z*z - 1)
			d := p / slope
			z -= d
			if math.Abs(d) < 1e-16 {
				break
			}
		}
		x[i] = 0.5 - z/2
		w[i] = 1 / ((1 - z*z) * slope * slope)
	}
	return x, w
}

var gaussX, gaussW = gaussNodes(20)

// quadrature is ∫_0^L f(s) ds for an f made of exponentials e^{−λs} that start at
// 0 with λ ≤ fastest and of waves of angular frequency omega. Panels grow with
// s: where f still varies with λs ≫ 1 it is as small as e^{−λs}. The error of the 20
// nodes is below rounding in every panel.
func quadrature(L, fastest, omega float64, f func(s float64) float64) float64 {
	first := L
	if fastest*L > 1.5 {
		first = 1.5 / fastest
	}
	sum, lost := 0.0, 0.0 // compensated
	for s := 0.0; s < L; {
		h := max(first, 0.3*s)
		if omega > 0 {
			h = min(h, 1/omega)
		}
		if s+h > L*(1-1e-9) {
			h = L - s
		}
		panel := 0.0
		for i, x := range gaussX {
			panel += gaussW[i] * f(s+h*x)
		}
		y := panel*h - lost
		t := sum + y
		lost = (t - sum) - y
		sum = t
		s += h
	}
	return sum
}

// hmnRule are the constants of one projection, as a model file would name them
// (docs/learning.md); everything must be given.
type hmnRule struct {
	rates              bool
	wMin, wMax         float64
	aFast, aSlow       float64
	tauFast, tauSlow   float64
	tauPlus, tauMinus  float64
	aPlus, aMinus      float64
	nearest, overwrite bool
	center             bool
	tauZbar            float64
	etaLocal           float64
	etaGlobal          float64
	gate               bool
	hz, phi0, kappa    float64
	bins               int  // phase_bins; 0 = exact
	uniform            bool // phase = "uniform"; otherwise the phases of the edges
	bernoulli          bool
	betaP, thetaP      float64
	soft               bool
	mu                 float64
	lambdaW            float64
	betaA              float64
	fanIn              bool
	dim                int
	tauCtx             float64
	betaG              float64
	dot                bool // relevance
	gammaK             bool
	tauC, rRef         float64
	settle             int
}

// coreRule is docs/learning.md's column of defaults for spikes.
func coreRule(wMax float64) hmnRule {
	return hmnRule{wMax: wMax, aFast: 1, aSlow: 1, tauFast: 50, tauSlow: 1000, tauPlus: 20, tauMinus: 20, aPlus: 1, aMinus: -1.5,
		tauZbar: 1000, etaLocal: 5e-6 * wMax, etaGlobal: 2.5e-3 * wMax, gate: true, hz: 8, kappa: math.Pi,
		bernoulli: true, betaP: 2000 / wMax, thetaP: 0.002 * wMax, mu: 1, fanIn: true, dim: 8, tauCtx: 20000,
		gammaK: true, tauC: 1000, rRef: 10, settle: 64}
}

// coreRates is the same for rates.
func coreRates(wMax float64) hmnRule {
	r := coreRule(wMax)
	r.rates, r.etaLocal, r.etaGlobal, r.rRef = true, 0, 3e-5*wMax, 1
	return r
}

// values spells the rule as the keys of a model file.
func (r hmnRule) values() quantity.Values {
	word := func(b bool, yes, no string) string {
		if b {
			return yes
		}
		return no
	}
	v := values("w_min", r.wMin, "w_max", r.wMax, "a_fast", r.aFast, "a_slow", r.aSlow, "tau_fast", r.tauFast, "tau_slow", r.tauSlow,
		"eta_local", r.etaLocal, "eta_global", r.etaGlobal, "gate", r.gate, "osc_hz", r.hz, "osc_phase", r.phi0, "gate_gain", r.kappa,
		"bernoulli", r.bernoulli, "bounds", word(r.soft, "soft", "hard"), "mu", r.mu, "lambda_w", r.lambdaW,
		"beta_a", r.betaA, "alpha_gain", word(r.fanIn, "fan_in", "none"), "embed_dim", r.dim, "tau_ctx", r.tauCtx,
		"beta_g", r.betaG, "relevance", word(r.dot, "dot", "abs"), "gamma_gain", word(r.gammaK, "K", "none"), "tau_C", r.tauC, "r_ref", r.rRef,
		"settle_cycles", r.settle)
	if r.bernoulli {
		v["beta_p"], v["theta_p"] = quantity.Value{Number: r.betaP}, quantity.Value{Number: r.thetaP}
	}
	if r.rates {
		v["center"], v["tau_zbar"] = quantity.Value{Text: word(r.center, "post", "none")}, quantity.Value{Number: r.tauZbar}
	} else {
		v["trace"], v["nearest"] = quantity.Value{Text: word(r.overwrite, "overwrite", "ode")}, quantity.Value{Bool: r.nearest}
		for k, x := range map[string]float64{"tau_plus": r.tauPlus, "tau_minus": r.tauMinus, "A_plus": r.aPlus, "A_minus": r.aMinus} {
			v[k] = quantity.Value{Number: x}
		}
	}
	if r.uniform {
		v["phase"] = quantity.Value{Text: "uniform"}
		v["phase_bins"] = quantity.Value{Number: float64(r.bins)}
	}
	return v
}

// cycle is the length of one in ms.
func (r *hmnRule) cycle() float64 { return 1000 / r.hz }

// hmnEdge is one synapse.
type hmnEdge struct {
	pre, post         int
	nth               uint32 // among those of this pair
	axonal, dendritic event.Time
	phase             float64
	weight            float64 // magnitude
}

// hmnLevel is one step of a piecewise constant signal.
type hmnLevel struct {
	at    event.Time
	value float64
}

// hmnModulator is a third factor with its jumps.
type hmnModulator struct {
	tau    float64 // ms; 0 = held
	w      float64
	jumps  []hmnLevel
	volume float64    // jump at every spike of the first source population …
	delay  event.Time // … this much later
}

// hmnWorld is an open-loop run: what both sides of the synapses do is given.
type hmnWorld struct {
	rule       hmnRule
	seed       uint64
	projection string
	source     string // population
	split      int    // presynaptic neurons from here on are a population and a projection of their own; 0 = none
	edges      []hmnEdge
	pre, post  [][]event.Time // spikes
	x, z       [][]hmnLevel   // rates
	mods       []hmnModulator
}

// hmnWindow is one candidate.
type hmnWindow struct {
	edge        int
	k           int64
	open, close instant
	value       float64
	sum         float64 // Σ|segment contributions|
}

// home is the projection of a presynaptic neuron and its number there.
func (w *hmnWorld) home(pre int) (projection int, local uint32) {
	if w.split > 0 && pre >= w.split {
		return 1, uint32(pre - w.split)
	}
	return 0, uint32(pre)
}

// names are those of projection p and its source.
func (w *hmnWorld) names(p int) (projection, source string) {
	if p == 1 {
		return w.projection + "2", w.source + "2"
	}
	return w.projection, w.source
}

// jumps are those of modulator k, in no order.
func (w *hmnWorld) jumps(k int) []hmnLevel {
	m := &w.mods[k]
	all := slices.Clone(m.jumps)
	if m.volume != 0 {
		for i, train := range w.pre {
			if p, _ := w.home(i); p > 0 {
				break
			}
			for _, t := range train {
				all = append(all, hmnLevel{t + m.delay, m.volume})
			}
		}
	}
	return all
}

// third is the history of the modulators: between two entries every E_k decays by
// itself and γ̂ is constant.
type third struct {
	at    []instant
	e     [][]float64
	gamma [][]float64 // γ̂_k
}

// before is the last entry at or before t.
func (h *third) last(t instant) int {
	n, found := slices.BinarySearchFunc(h.at, t, instant.compare)
	if found {
		return n
	}
	return n - 1
}

// meanActivity gives C_global at the times asked for, ascending: for spikes the sum
// over all past spikes, for rates the response to all past changes.
func (w *hmnWorld) meanActivity(times []instant) []float64 {
	tau := w.rule.tauC
	type kick struct {
		at   instant
		size float64
	}
	var kicks []kick
	if w.rule.rates {
		for _, z := range w.z {
			level := 0.0
			for _, s := range z {
				kicks = append(kicks, kick{at(s.at), (s.value - level) / float64(len(w.z))})
				level = s.value
			}
		}
	} else {
		for _, train := range w.post {
			for _, t := range train {
				kicks = append(kicks, kick{at(t), 1 / (float64(len(w.post)) * tau)})
			}
		}
	}
	slices.SortStableFunc(kicks, func(a, b kick) int { return a.at.compare(b.at) })
	out := make([]float64, len(times))
	c, level, now, n := 0.0, 0.0, instant{}, 0
	move := func(t instant) {
		d := t.since(now)
		c = c*math.Exp(-d/tau) - level*math.Expm1(-d/tau)
		now = t
	}
	for i, t := range times {
		for n < len(kicks) && kicks[n].at.compare(t) < 0 {
			move(kicks[n].at)
			if w.rule.rates {
				level += kicks[n].size
			} else {
				c += kicks[n].size
			}
			n++
		}
		move(t)
		out[i] = c / w.rule.rRef
		if !w.rule.rates {
			out[i] *= 1000 // r_ref is in Hz
		}
	}
	return out
}

// third is the history of the modulators up to end.
func (w *hmnWorld) third(end event.Time) *third {
	h := &third{}
	r := &w.rule
	n := len(w.mods)
	type jump struct {
		at   instant
		k    int
		size float64
	}
	var jumps []jump
	times := []instant{{}}
	for k := range w.mods {
		for _, j := range w.jumps(k) {
			jumps = append(jumps, jump{at(j.at), k, j.value})
			times = append(times, at(j.at))
		}
	}
	if r.betaG > 0 {
		first := int64(math.Floor(r.phi0 / (2 * math.Pi)))
		for k := first; ; k++ {
			// Samples of γ are events, and events have whole picoseconds.
			t := at(phaseTime(r.hz, 0, r.phi0, k, 0).nearest())
			if t.compare(at(end)) > 0 {
				break
			}
			if t.compare(instant{}) > 0 {
				times = append(times, t)
			}
		}
	}
	slices.SortFunc(times, instant.compare)
	times = slices.Compact(times)
	slices.SortStableFunc(jumps, func(a, b jump) int { return a.at.compare(b.at) })
	activity := w.meanActivity(times)
	e := make([]float64, n)
	now, next := instant{}, 0
	for i, t := range times {
		for k, m := range w.mods {
			if m.tau > 0 {
				e[k] *= math.Exp(-t.since(now) / m.tau)
			}
		}
		now = t
		for next < len(jumps) && jumps[next].at == t {
			e[jumps[next].k] += jumps[next].size
			next++
		}
		score := make([]float64, n)
		for k := range score {
			x := e[k]
			if !r.dot {
				x = math.Abs(x)
			}
			score[k] = r.betaG * x * activity[i]
		}
		gain := 1.0
		if r.gammaK {
			gain = float64(n)
		}
		h.at = append(h.at, t)
		h.e = append(h.e, slices.Clone(e))
		h.gamma = append(h.gamma, softmax(score, gain))
	}
	return h
}

// softmax is gain·e^{x_i}/Σe^{x_j}.
func softmax(x []float64, gain float64) []float64 {
	out := make([]float64, len(x))
	if len(x) == 0 {
		return out
	}
	top, sum := slices.Max(x), 0.0
	for i := range x {
		out[i] = math.Exp(x[i] - top)
		sum += out[i]
	}
	for i := range out {
		out[i] *= gain / sum
	}
	return out
}

// embeddings draws the directions of the presynaptic neurons.
func (w *hmnWorld) embeddings() [][]float64 {
	n := len(w.pre)
	if w.rule.rates {
		n = len(w.x)
	}
	out := make([][]float64, n)
	for i := range out {
		p, local := w.home(i)
		_, source := w.names(p)
		s := random.NewKey(w.seed, random.StreamEmbedding, random.Name(source)).Source(uint64(local))
		v, length := make([]float64, w.rule.dim), 0.0
		for d := range v {
			v[d] = s.Normal()
			length += v[d] * v[d]
		}
		for d := range v {
			v[d] /= math.Sqrt(length)
		}
		out[i] = v
	}
	return out
}

// attended is α̂ of each synapse of one target as it changes.
type attended struct {
	at    []instant
	alpha [][]float64 // by position among the target's synapses
}

func (a *attended) last(t instant) []float64 {
	n, found := slices.BinarySearchFunc(a.at, t, instant.compare)
	if !found {
		n--
	}
	return a.alpha[n]
}

// cosine is 0 when either vector is.
func cosine(a, b []float64) float64 {
	ab, aa, bb := 0.0, 0.0, 0.0
	for i := range a {
		ab += a[i] * b[i]
		aa += a[i] * a[i]
		bb += b[i] * b[i]
	}
	if aa == 0 || bb == 0 {
		return 0
	}
	return ab / (math.Sqrt(aa) * math.Sqrt(bb))
}

// attention follows c_j of target j with its synapses in order and gives α̂ at
// every change. All of them must have one dendritic delay, so that the target
// has one context.
func (w *hmnWorld) attention(own []int, v [][]float64) *attended {
	r := &w.rule
	type mark struct {
		at    instant
		kind  int // 0 arrival, 1 post event
		i     int
		value float64
	}
	var marks []mark
	j, dendritic := w.edges[own[0]].post, w.edges[own[0]].dendritic
	for n, e := range own {
		x := w.edges[e]
		if x.dendritic != dendritic {
			panic("attention: one dendritic delay per target")
		}
		if r.rates {
			for _, s := range w.x[x.pre] {
				marks = append(marks, mark{at(s.at + x.axonal), 0, n, s.value})
			}
		} else {
			for _, t := range w.pre[x.pre] {
				marks = append(marks, mark{at(t + x.axonal), 0, n, 1})
			}
		}
	}
	if r.rates {
		for _, s := range w.z[j] {
			marks = append(marks, mark{at(s.at + dendritic), 1, 0, s.value})
		}
	} else {
		for _, t := range w.post[j] {
			marks = append(marks, mark{at(t + dendritic), 1, 0, 1})
		}
	}
	slices.SortStableFunc(marks, func(a, b mark) int { return cmp.Or(a.at.compare(b.at), cmp.Compare(a.kind, b.kind)) })

	gain := 1.0
	if r.fanIn {
		gain = float64(len(own))
	}
	out := &attended{}
	c := make([]float64, r.dim)
	put := func(t instant) {
		score := make([]float64, len(own))
		for n, e := range own {
			score[n] = r.betaA * cosine(v[w.edges[e].pre], c)
		}
		out.at, out.alpha = append(out.at, t), append(out.alpha, softmax(score, gain))
	}
	put(instant{})
	x := make([]float64, len(own)) // x̂ or x
	z := 0.0
	now := instant{}
	for n := 0; n < len(marks); n++ {
		m := marks[n]
		d := m.at.since(now)
		now = m.at
		if r.rates {
			// The interval just ended, with the values that held in it.
			for i := range c {
				mean := 0.0
				for s, e := range own {
					mean += x[s] * v[w.edges[e].pre][i]
				}
				c[i] = c[i]*math.Exp(-d/r.tauCtx) - math.Expm1(-d/r.tauCtx)*z*mean
			}
			if m.kind == 0 {
				x[m.i] = m.value
			} else {
				z = m.value
			}
			put(now)
			continue
		}
		for s := range x {
			x[s] *= math.Exp(-d / r.tauPlus)
		}
		// Scale does not matter to the cosine; beyond any sum of exponentials a
		// context would underflow.
		decay := math.Exp(-min(d, 300*r.tauCtx) / r.tauCtx)
		for i := range c {
			c[i] *= decay
		}
		if m.kind == 0 {
			x[m.i]++
			continue
		}
		for i := range c {
			for s, e := range own {
				c[i] += x[s] * v[w.edges[e].pre][i]
			}
		}
		put(now)
	}
	return out
}

// candidates evaluates every window that closes in (0, end], synapse by synapse.
func (w *hmnWorld) candidates(end event.Time) []hmnWindow {
	h := w.third(end)
	alphas := make([]*attended, len(w.edges))
	place := make([]int, len(w.edges))
	if w.rule.betaA > 0 || !w.rule.fanIn {
		byTarget := map[int][]int{}
		for n, e := range w.edges {
			place[n] = len(byTarget[e.post])
			byTarget[e.post] = append(byTarget[e.post], n)
		}
		v := w.embeddings()
		for _, own := range byTarget {
			var a *attended
			if w.rule.betaA > 0 {
				a = w.attention(own, v)
			} else { // α = 1/F
				a = &attended{at: []instant{{}}, alpha: [][]float64{softmax(make([]float64, len(own)), 1)}}
			}
			for _, n := range own {
				alphas[n] = a
			}
		}
	}
	var out []hmnWindow
	for n := range w.edges {
		out = append(out, w.walk(n, end, h, alphas[n], place[n])...)
	}
	return out
}

// Kinds of marks in their order at one instant.
const (
	markCut = iota // a modulator jump or a sample of γ
	markArrival
	markPost
	markClose
	markOpen
)

// walk follows one synapse.
func (w *hmnWorld) walk(edge int, end event.Time, h *third, alphas *attended, place int) (out []hmnWindow) {
	r, e := &w.rule, w.edges[edge]
	type mark struct {
		at    instant
		kind  int
		value float64
		k     int64
	}
	var marks []mark
	limit := at(end)
	add := func(t instant, kind int, value float64, k int64) {
		if t.compare(limit) <= 0 {
			marks = append(marks, mark{t, kind, value, k})
		}
	}
	for _, t := range h.at {
		add(t, markCut, 0, 0)
	}
	if r.rates {
		for _, s := range w.x[e.pre] {
			add(at(s.at+e.axonal), markArrival, s.value, 0)
		}
		for _, s := range w.z[e.post] {
			add(at(s.at+e.dendritic), markPost, s.value, 0)
		}
	} else {
		for _, t := range w.pre[e.pre] {
			add(at(t+e.axonal), markArrival, 1, 0)
		}
		for _, t := range w.post[e.post] {
			add(at(t+e.dendritic), markPost, 1, 0)
		}
	}
	if alphas != nil {
		for _, t := range alphas.at {
			add(t, markCut, 0, 0)
		}
	}
	half := 0.25 // of the window, in cycles
	if !r.gate {
		half = 0.5
	}
	// The first window is the smallest k whose close is after 0.
	k := int64(math.Floor(-half-(e.phase-r.phi0)/(2*math.Pi))) - 2
	for phaseTime(r.hz, e.phase, r.phi0, k, half).compare(instant{}) <= 0 {
		k++
	}
	opens := map[int64]instant{}
	for ; ; k++ {
		open, close := phaseTime(r.hz, e.phase, r.phi0, k, -half), phaseTime(r.hz, e.phase, r.phi0, k, half)
		if close.compare(limit) > 0 {
			break
		}
		opens[k] = open
		if open.compare(instant{}) < 0 {
			open = instant{}
		}
		add(open, markOpen, 0, k)
		add(close, markClose, 0, k)
	}
	slices.SortStableFunc(marks, func(a, b mark) int { return cmp.Or(a.at.compare(b.at), cmp.Compare(a.kind, b.kind)) })

	taus := [2]float64{r.tauFast, r.tauSlow}
	mix := [2]float64{r.aFast, r.aSlow}
	omega := 2 * math.Pi * r.hz / 1000
	fastest := 1 / r.tauFast
	shortest := 0.0
	for _, m := range w.mods {
		if m.tau > 0 {
			shortest = max(shortest, 1/m.tau)
		}
	}
	fastest += shortest

	var (
		trace        [2]float64
		largest      float64 // |x z| since both traces were 0
		xhat, zhat   float64 // filters, or x and z
		zbar, zlevel float64
		zbarAt       instant
		active       bool
		open         instant // real one
		closes       instant
		now          instant
		seg          float64 // of the segment that has not ended
		win          hmnWindow
	)
	for _, m := range marks {
		L := m.at.since(now)
		drive := xhat * zhat
		if active && L > 0 {
			n := h.last(now)
			age := now.since(h.at[n])
			alpha := 1.0
			if alphas != nil {
				alpha = alphas.last(now)[place]
			}
			fromOpen, toClose := now.since(open), closes.since(m.at)
			seg = quadrature(L, fastest, omega, func(s float64) float64 {
				gate := 1.0
				if r.gate {
					// From the nearer edge, to keep the digits of a small gate.
					gate = r.kappa * math.Sin(omega*min(fromOpen+s, toClose+(L-s)))
				}
				drift := r.etaLocal
				for k, q := range w.mods {
					x := h.e[n][k]
					if q.tau > 0 {
						x *= math.Exp(-(age + s) / q.tau)
					}
					drift += r.etaGlobal * h.gamma[n][k] * q.w * x
				}
				sum := 0.0
				for i, tau := range taus {
					y := trace[i] * math.Exp(-s/tau)
					if r.rates {
						y -= drive * tau * math.Expm1(-s/tau)
					}
					sum += mix[i] * y
				}
				return gate * drift * alpha * sum
			})
			win.value += seg
			win.sum += math.Abs(seg)
		}
		for i, tau := range taus {
			trace[i] *= math.Exp(-L / tau)
			if r.rates {
				trace[i] -= drive * tau * math.Expm1(-L/tau)
			}
		}
		if !r.rates {
			xhat *= math.Exp(-L / r.tauPlus)
			zhat *= math.Exp(-L / r.tauMinus)
		}
		now = m.at

		jump, jumps := 0.0, false
		switch m.kind {
		case markArrival:
			switch {
			case r.rates:
				xhat = m.value
			default:
				jump, jumps = r.aMinus*zhat, true
				xhat++
				if r.nearest {
					xhat = 1
				}
			}
		case markPost:
			switch {
			case r.rates:
				if r.center { // z̄ over the interval just ended, with the value that held in it
					d := m.at.since(zbarAt)
					zbar = zbar*math.Exp(-d/r.tauZbar) - zlevel*math.Expm1(-d/r.tauZbar)
					zbarAt, zlevel = m.at, m.value
				}
				zhat = m.value - zbar
			default:
				jump, jumps = r.aPlus*xhat, true
				zhat++
				if r.nearest {
					zhat = 1
				}
			}
		case markOpen:
			active, open, closes = true, opens[m.k], phaseTime(r.hz, e.phase, r.phi0, m.k, half)
			win = hmnWindow{edge: edge, k: m.k, open: open, close: closes}
		case markClose:
			active = false
			out = append(out, win)
			for i := range trace {
				bound := 1e-12 * max(math.Abs(r.aPlus), math.Abs(r.aMinus))
				if r.rates {
					bound = 1e-12 * taus[i] * largest
				}
				if math.Abs(trace[i]) < bound {
					trace[i] = 0
				}
			}
			if trace[0] == 0 && trace[1] == 0 {
				largest = 0
			}
		}
		for i := range trace {
			switch {
			case jumps && r.overwrite && jump != 0: // a jump of 0 is no coincidence
				trace[i] = jump
			case jumps:
				trace[i] += jump
			}
		}
		largest = max(largest, math.Abs(xhat*zhat))
	}
	return out
}

// TestHMNQuadrature tests the oracle by itself: nodes, integrals with known
// values, edges.
func TestHMNQuadrature(t *testing.T) {
	for k := 0; k < 40; k++ { // 20 nodes are exact up to degree 39
		sum := 0.0
		for i, x := range gaussX {
			sum += gaussW[i] * math.Pow(x, float64(k))
		}
		if want := 1 / float64(k+1); math.Abs(sum-want) > 4e-15 {
			t.Errorf("∫x^%d over [0,1] = %v, want %v", k, sum, want)
		}
	}
	// ∫_0^{π/Ω} e^{−λs} sin Ωs ds = Ω(1+e^{−λπ/Ω})/(λ²+Ω²)
	for _, hz := range []float64{0.1, 8, 200} {
		for _, tau := range []float64{1e-3, 0.2, 5, 50, 1e3, 1e6} {
			o, l := 2*math.Pi*hz/1000, 1/tau
			L := math.Pi / o
			got := quadrature(L, l, o, func(s float64) float64 { return math.Exp(-l*s) * math.Sin(o*min(s, L-s)) })
			want := o * (1 + math.Exp(-l*L)) / (l*l + o*o)
			if math.Abs(got-want) > 2e-14*want {
				t.Errorf("%g Hz, τ %g ms: %v, want %v: relative error %.1e", hz, tau, got, want, got/want-1)
			}
		}
	}
	// 8 Hz: whole microseconds; a third of a Hz after 10⁶ s; a phase.
	for _, c := range []struct {
		hz, phi float64
		k       int64
		q       float64
		want    instant
	}{
		{8, 0, 3, 0.25, instant{406_250_000_000, 0}},
		{8, 0, -1, 0.25, instant{-93_750_000_000, 0}},
		{3, 0, 1, 0, instant{333_333_333_333, 1. / 3}},
		{3, 0, 3_000_001, 0, instant{1_000_000_333_333_333_333, 1. / 3}},
		{8, 1, 0, 0, instant{19_894_367_886, 0.486}}, // 125/2π = 19.894367886486…
	} {
		if got := phaseTime(c.hz, c.phi, 0, c.k, c.q); got.ps != c.want.ps || math.Abs(got.frac-c.want.frac) > 1e-3 {
			t.Errorf("edge %+v: %+v, want %+v", c, got, c.want)
		}
	}
}

// plain is the integrand of one synapse at time t by its definition: every filter,
// trace, modulator and mean is a sum over everything that happened before t. It has
// no attention to synapses.
func (w *hmnWorld) plain(edge int, end event.Time) (f func(t float64) float64, cuts []float64) {
	r, e := &w.rule, w.edges[edge]
	in := func(t event.Time) float64 { return float64(t) * 1e-9 }
	var jumps [][2]float64 // of the traces: time, size; rates: from a time on, x z
	if !r.rates {
		var a, b []float64
		for _, t := range w.pre[e.pre] {
			a = append(a, in(t+e.axonal))
		}
		for _, t := range w.post[e.post] {
			b = append(b, in(t+e.dendritic))
		}
		filter := func(x []float64, t, tau float64, with bool) (sum float64) {
			for _, s := range x {
				if s > t || s == t && !with {
					break
				}
				if r.nearest {
					sum = 0
				}
				sum += math.Exp(-(t - s) / tau)
			}
			return sum
		}
		for _, t := range a {
			jumps = append(jumps, [2]float64{t, r.aMinus * filter(b, t, r.tauMinus, false)})
		}
		for _, t := range b {
			jumps = append(jumps, [2]float64{t, r.aPlus * filter(a, t, r.tauPlus, true)})
		}
	} else {
		value := func(steps []hmnLevel, t float64, delay event.Time) (x float64) {
			for _, s := range steps {
				if in(s.at+delay) <= t {
					x = s.value
				}
			}
			return x
		}
		var times []float64
		for _, s := range w.x[e.pre] {
			times = append(times, in(s.at+e.axonal))
		}
		var posts []float64
		for _, s := range w.z[e.post] {
			times = append(times, in(s.at+e.dendritic))
			posts = append(posts, in(s.at+e.dendritic))
		}
		mean := func(t float64) (sum float64) { // z̄ at the last event of j at or before t
			for i, s := range posts {
				if s > t {
					break
				}
				if i > 0 {
					d := s - posts[i-1]
					sum = sum*math.Exp(-d/r.tauZbar) + w.z[e.post][i-1].value*(1-math.Exp(-d/r.tauZbar))
				}
			}
			return sum
		}
		for _, t := range times {
			z := value(w.z[e.post], t, e.dendritic)
			if r.center {
				z -= mean(t)
			}
			jumps = append(jumps, [2]float64{t, value(w.x[e.pre], t, e.axonal) * z})
		}
	}
	slices.SortStableFunc(jumps, func(a, b [2]float64) int { return cmp.Compare(a[0], b[0]) })
	for _, j := range jumps {
		cuts = append(cuts, j[0])
	}
	trace := func(t, tau float64) (sum float64) {
		for i, j := range jumps {
			if j[0] > t {
				break
			}
			if r.rates {
				until := t
				if i+1 < len(jumps) {
					until = min(t, jumps[i+1][0])
				}
				sum += j[1] * tau * (math.Exp(-(t-until)/tau) - math.Exp(-(t-j[0])/tau))
				continue
			}
			if r.overwrite && j[1] != 0 {
				sum = 0
			}
			sum += j[1] * math.Exp(-(t-j[0])/tau)
		}
		return sum
	}
	jumpsOf := make([][]hmnLevel, len(w.mods))
	for k := range jumpsOf {
		jumpsOf[k] = w.jumps(k)
	}
	third := func(k int, t float64) (sum float64) {
		for _, j := range jumpsOf[k] {
			if in(j.at) <= t {
				d := 1.0
				if tau := w.mods[k].tau; tau > 0 {
					d = math.Exp(-(t - in(j.at)) / tau)
				}
				sum += j.value * d
			}
		}
		return sum
	}
	samples := []float64{0}
	for k := range w.mods {
		for _, j := range jumpsOf[k] {
			cuts, samples = append(cuts, in(j.at)), append(samples, in(j.at))
		}
	}
	if r.betaG > 0 {
		for k := -20.0; k < in(end)/r.cycle()+20; k++ {
			if t := (k - r.phi0/(2*math.Pi)) * r.cycle(); t > 0 {
				cuts, samples = append(cuts, t), append(samples, t)
			}
		}
	}
	slices.Sort(samples)
	activity := func(t float64) (c float64) { // before what happens at t
		if r.rates {
			for _, z := range w.z {
				for i, s := range z {
					until := t
					if i+1 < len(z) {
						until = min(t, in(z[i+1].at))
					}
					if in(s.at) < t {
						c += s.value * (math.Exp(-(t-until)/r.tauC) - math.Exp(-(t-in(s.at))/r.tauC)) / float64(len(w.z))
					}
				}
			}
			return c / r.rRef
		}
		for _, train := range w.post {
			for _, s := range train {
				if in(s) < t {
					c += math.Exp(-(t-in(s))/r.tauC) / r.tauC / float64(len(w.post))
				}
			}
		}
		return c / (r.rRef / 1000)
	}
	gammas := make([][]float64, len(samples))
	for i, s := range samples {
		var h []float64
		for k := range w.mods {
			x := third(k, s)
			if !r.dot {
				x = math.Abs(x)
			}
			h = append(h, math.Exp(r.betaG*x*activity(s)))
		}
		total := 0.0
		for _, x := range h {
			total += x
		}
		for k := range h {
			h[k] /= total
			if r.gammaK {
				h[k] *= float64(len(h))
			}
		}
		gammas[i] = h
	}
	alpha := 1.0
	if !r.fanIn {
		n := 0
		for _, x := range w.edges {
			if x.post == e.post {
				n++
			}
		}
		alpha = 1 / float64(n)
	}
	omega := 2 * math.Pi * r.hz / 1000
	return func(t float64) float64 {
		drift := r.etaLocal
		n, _ := slices.BinarySearch(samples, math.Nextafter(t, math.Inf(1))) // samples at or before t
		for k, m := range w.mods {
			drift += r.etaGlobal * gammas[max(n-1, 0)][k] * m.w * third(k, t)
		}
		gate := 1.0
		if r.gate {
			gate = r.kappa * max(0, math.Cos(omega*t+r.phi0-e.phase))
		}
		return gate * drift * alpha * (r.aFast*trace(t, r.tauFast) + r.aSlow*trace(t, r.tauSlow))
	}, cuts
}

// TestHMNOracle tests the oracle against the definition, summed up at 20 nodes
// between all events: the walk from event to event must not change it.
func TestHMNOracle(t *testing.T) {
	compared := 0
	for seed := uint64(1); seed <= 8; seed++ {
		w, end := randomSpikes(seed)
		if seed%2 == 0 {
			w, end = randomRates(seed)
		}
		end = min(end, event.Second)
		w.rule.betaA = 0
		w.rule.tauFast = max(w.rule.tauFast, 5) // one rule of 20 nodes per segment, no panels
		for i := range w.mods {
			if w.mods[i].tau > 0 {
				w.mods[i].tau = max(w.mods[i].tau, 5)
			}
		}
		list := w.candidates(end)
		for edge := range w.edges {
			f, cuts := w.plain(edge, end)
			for _, c := range list {
				if c.edge != edge {
					continue
				}
				lo, hi := max(0, (float64(c.open.ps)+c.open.frac)*1e-9), (float64(c.close.ps)+c.close.frac)*1e-9
				points := []float64{lo, hi}
				for _, x := range cuts {
					if x > lo && x < hi {
						points = append(points, x)
					}
				}
				for x := lo; x < hi; x += 5 {
					points = append(points, x)
				}
				slices.Sort(points)
				sum, size := 0.0, 0.0
				for i := 1; i < len(points); i++ {
					L, part := points[i]-points[i-1], 0.0
					for k, x := range gaussX {
						part += gaussW[k] * L * f(points[i-1]+L*x)
					}
					sum, size = sum+part, size+math.Abs(part)
				}
				// Times in ms have 12 digits behind the point at most; the flush of
				// traces below 1e-12 is not in the definition.
				if math.Abs(sum-c.value) > 1e-9*size+1e-11*w.rule.cycle()*w.rule.wMax*2.5e-3 {
					t.Fatalf("seed %d, synapse %+v, k=%d: %v, by the definition %v (Σ| | %v and %v)", seed, w.edges[edge], c.k, c.value, sum, c.sum, size)
				}
				compared++
			}
		}
	}
	if compared < 300 {
		t.Errorf("%d candidates compared", compared)
	}
}
