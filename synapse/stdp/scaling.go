package stdp

import (
	"math"
	"slices"
	"sort"

	"hmn/event"
	"hmn/event/fmath"
	"hmn/event/quantity"
	"hmn/synapse"
)

// Homeostatic scaling (van Rossum, Bi & Turrigiano 2000,
// doi:10.1523/JNEUROSCI.20-23-08812.2000, the proportional term of their rule of
// activity-dependent scaling). With a the filtered activity of a target [Hz],
//
//	tau da/dt = −a + Σ δ(t − post spike),    dw/dt = beta w (target_rate − a),
//
// all weights of a target change by one factor: w(t) = u e^{S(t)}, S' = beta
// (target_rate − a), until a weight meets a bound, where it stays as long as S
// drives it on.
const (
	scalingEq   = "van Rossum, Bi & Turrigiano 2000"
	scalingCite = "van Rossum, Bi & Turrigiano 2000, J. Neurosci. 20:8812–8821, doi:10.1523/JNEUROSCI.20-23-08812.2000"
)

var scalingKeys = keys(slices.Concat([]quantity.Param{
	real("target_rate", "Hz", 5, 0, 1e6, scalingEq, "rate towards which a target's weights are scaled"),
	tau("tau", 1e5, scalingEq, "time constant of the filter of a target's spikes"),
	real("beta", "1", 4e-5, 0, 1e6, scalingEq, "relative change of a weight per second and per Hz of difference"),
	{Key: "a_0", Unit: "Hz", Derived: "target_rate", Max: 1e6, Equation: scalingEq, Doc: "filtered activity of every target at t = 0"},
}, bounds(scalingEq))).required("w_max")

// scale is a rule of scaling for the synapses of one Wiring. Of each target it keeps
// the points at which S may turn, since the last settle pass, with the factor from one
// to the next; of each synapse its weight at the last of them that it has passed.
// Between two S is monotonic, so that a bound cuts off what lies beyond it.
type scale struct {
	synapse.Ledger      // stays empty
	w                   *synapse.Wiring
	goal, beta, tau, a0 float64 // 1/ms, 1, ms, 1/ms
	wMin, wMax          float64
	weight              []float64
	next                []uint32 // by synapse: the first turn not passed, counted from t = 0
	turns               [][]turn // by target
	forgotten           []uint32 // by target
	many                bool     // some target has more than one
	most                event.Time
	old, due, done      event.Time
}

// turn is a post spike, or where a has fallen to target_rate.
type turn struct {
	at    event.Time // at the target
	a     float64    // activity right after it, per ms
	f     float64    // e^S since the turn before
	spike bool
}

func newScale(v quantity.Values, w *synapse.Wiring) *scale {
	k := scalingKeys
	l := &scale{w: w, goal: k.number(v, "target_rate") / 1000, beta: k.number(v, "beta"), tau: k.number(v, "tau"),
		wMin: k.number(v, "w_min"), wMax: k.number(v, "w_max"), most: w.MostDendritic()}
	l.a0 = l.goal
	if x, ok := v["a_0"]; ok {
		l.a0 = x.Number / 1000
	}
	l.weight, l.next = make([]float64, w.Rows.Len()), make([]uint32, w.Rows.Len())
	l.turns, l.forgotten = make([][]turn, w.Targets), make([]uint32, w.Targets)
	l.Reset()
	return l
}

// Reset returns to the state at t = 0.
func (l *scale) Reset() {
	for i := range l.weight {
		l.weight[i], l.next[i] = l.w.WeightOf(uint32(i)), 0
	}
	for j := range l.turns {
		l.turns[j], l.forgotten[j] = append(l.turns[j][:0], turn{a: l.a0, f: 1}), 0
	}
	l.many = false
	l.old, l.due, l.done = 0, never, never
}

// Begin starts a window, with the settle pass that has fallen due.
func (l *scale) Begin(start, _ event.Time) {
	if t := min(l.due, l.old); t > l.done {
		l.settle(t)
	}
	l.old = start
}

// since is the turn at t, after p with nothing in between:
//
//	∫ a ds = tau a (1 − e^{−x/tau}),    S = beta (target_rate x − ∫ a ds).
//
// beta counts in seconds and Hz; per ms and 1/ms it is the same number.
func (l *scale) since(p *turn, t event.Time) turn {
	x := (t - p.at).MS()
	e := fmath.Expm1(-x / l.tau)
	s := float64(l.beta * (float64(l.goal*x) + float64(float64(l.tau*p.a)*e)))
	return turn{at: t, a: p.a + float64(p.a*e), f: fmath.Exp(s)}
}

// crossing is when a falls to target_rate after p, to the nearest picosecond;
// event.MaxTime: it does not.
func (l *scale) crossing(p *turn) event.Time {
	if !(p.a > l.goal) || l.goal == 0 || !p.spike && p.at > 0 {
		return event.MaxTime
	}
	ps := float64(float64(l.tau*fmath.Log(p.a/l.goal)) * 1e9)
	if !(ps < float64(event.MaxTime-p.at)/2) {
		return event.MaxTime
	}
	return p.at + max(1, event.Time(math.Floor(ps+0.5)))
}

// Post adds a spike of target j at t, and where S turned before it.
func (l *scale) Post(j int, t event.Time) {
	list := l.turns[j]
	p := &list[len(list)-1]
	if c := l.crossing(p); c < t {
		list = append(list, l.since(p, c))
		p = &list[len(list)-1]
	}
	x := l.since(p, t)
	x.a += 1 / l.tau
	x.spike = true
	l.turns[j] = append(list, x)
	l.many = true
}

// Unpost takes back the last n spikes of target j.
func (l *scale) Unpost(j, n int) {
	list := l.turns[j]
	for ; n > 0; n-- {
		list = list[:len(list)-1]
		if k := len(list); k > 1 && !list[k-1].spike { // it came with the spike
			list = list[:k-1]
		}
	}
	l.turns[j] = list
}

func (l *scale) clip(w float64) float64 { return min(max(w, l.wMin), l.wMax) }

// passed takes a weight through the turns of target j before t, a time at the
// target, from number next on.
func (l *scale) passed(w float64, next uint32, j int, t event.Time) (float64, uint32) {
	list := l.turns[j]
	k := int(next - l.forgotten[j])
	for k < len(list) && list[k].at < t {
		w = l.clip(float64(w * list[k].f))
		k++
	}
	return w, uint32(k) + l.forgotten[j]
}

// at is the weight of synapse i at t, a time at its target.
func (l *scale) at(i uint32, t event.Time) float64 {
	j := int(l.w.Rows.Target[i])
	w, next := l.passed(l.weight[i], l.next[i], j, t)
	k := int(next-l.forgotten[j]) - 1
	if k < 0 {
		return w // before t = 0, by a dendritic delay
	}
	p := l.turns[j][k]
	if c := l.crossing(&p); c < t {
		p = l.since(&p, c)
		w = l.clip(float64(w * p.f))
	}
	return l.clip(float64(w * l.since(&p, t).f))
}

// Arrive writes what the synapses transmit. Turns that no read can ask for any more
// are passed for good.
func (l *scale) Arrive(_, lo, hi uint32, t event.Time, out []float64) {
	if out == nil {
		return
	}
	d := l.w.DendriticOf(lo)
	for k, j := range l.w.Rows.Target[lo:hi] {
		i := lo + uint32(k)
		l.weight[i], l.next[i] = l.passed(l.weight[i], l.next[i], int(j), min(t, l.old)-d)
		out[k] = l.at(i, t-d)
	}
}

// EndRow has nothing to do.
func (l *scale) EndRow(uint32, event.Time) {}

// Foresee writes what a piece of a row will transmit at t.
func (l *scale) Foresee(src, lo, hi uint32, _ []event.Time, known, t event.Time, w []float64, open []bool) {
	for i := lo; i < hi; i++ {
		w[i-lo], open[i-lo] = l.Peek(i, src, nil, t), known < t
	}
}

// Peek is the magnitude that synapse i will transmit at t.
func (l *scale) Peek(i, _ uint32, _ []event.Time, t event.Time) float64 {
	return l.at(i, t-l.w.DendriticOf(i))
}

// Settle asks for a settle pass, which the next window begins with.
func (l *scale) Settle(t event.Time, pass bool) {
	if pass {
		l.due = t
	}
}

// settle takes the synapses through the turns before t and forgets those.
func (l *scale) settle(t event.Time) {
	l.done = t
	if !l.many {
		return
	}
	for i, j := range l.w.Rows.Target {
		l.weight[i], l.next[i] = l.passed(l.weight[i], l.next[i], int(j), t-l.w.DendriticOf(uint32(i)))
	}
	l.many = false
	for j, list := range l.turns {
		n := sort.Search(len(list), func(k int) bool { return list[k].at >= t-l.most }) - 1
		if n > 0 {
			l.turns[j] = list[:copy(list, list[n:])]
			l.forgotten[j] += uint32(n)
		}
		l.many = l.many || len(l.turns[j]) > 1
	}
}

// Live says whether a settle pass would forget anything.
func (l *scale) Live() bool { return l.many }

// Weights are the magnitudes at t.
func (l *scale) Weights(t event.Time) []float64 {
	w := make([]float64, len(l.weight))
	for i := range w {
		w[i] = l.Peek(uint32(i), 0, nil, t)
	}
	return w
}

// Follow makes a follower of synapse i. Its weight depends on the target's spikes
// only, so that a look at it is enough.
func (l *scale) Follow(i, _ uint32) synapse.Follower { return &scaleFollower{l, i} }

type scaleFollower struct {
	l *scale
	i uint32
}

func (f *scaleFollower) Expect(event.Time) {}

func (f *scaleFollower) To(event.Time) {}

func (f *scaleFollower) Read(_ string, t event.Time) float64 { return f.l.Peek(f.i, 0, nil, t) }

func init() {
	learning := scalingKeys.learning(nil)
	learning.New = func(v quantity.Values, w *synapse.Wiring, _ *synapse.Drive) (synapse.Learner, error) {
		return newScale(v, w), nil
	}
	learning.Bytes = func(quantity.Values, bool, bool) int { return 12 }
	synapse.Register(synapse.Model{
		Name:     "synaptic_scaling",
		Doc:      "homeostatic scaling: all weights of a target are multiplied by one factor that leads it towards a rate",
		Cite:     scalingCite,
		Params:   scalingKeys,
		Check:    func(v quantity.Values, _ bool) (string, error) { return scalingKeys.checkBounds(v) },
		Learning: learning,
	})
}
