package stdp

import (
	"slices"

	"hmn/event"
	"hmn/event/fmath"
	"hmn/event/quantity"
	"hmn/neuron"
	"hmn/synapse"
)

// Voltage-based plasticity (Clopath, Büsing, Vasilaki & Gerstner 2010,
// doi:10.1038/nn.2479, in the form and with the names of NEST's clopath_synapse). V is
// the potential of the target as the synapse sees it, a dendritic delay late,
//
//	Δw = −A_LTD [ū₋ − theta_minus]₊                               at an arrival
//	dw/dt = A_LTP x̄ [V − theta_plus]₊ [ū₊ − theta_minus]₊          between
//	tau_u_bar_minus dū₋/dt = V − ū₋,    tau_u_bar_plus dū₊/dt = V − ū₊
//	tau_x dx̄/dt = −x̄ + Σ δ(t − arrival)
//
// and ū₋, ū₊ start from V(0). For t_clamp after a spike of the target V is V_clamp in
// these equations.
const (
	clopathEq   = "Clopath et al. 2010"
	clopathCite = "Clopath, Büsing, Vasilaki & Gerstner 2010, Nat. Neurosci. 13:344–352, doi:10.1038/nn.2479"
)

var clopathKeys = clopathParams()

func clopathParams() keys {
	k := keys(slices.Concat([]quantity.Param{
		real("A_LTD", "[w]/mV", 14e-5, 0, 1e9, clopathEq, "depression at an arrival, per mV of the filter u_bar_minus above theta_minus"),
		real("A_LTP", "[w]/mV²", 8e-5, 0, 1e9, clopathEq, "potentiation per ms and mV of V above theta_plus, per mV of the filter u_bar_plus above theta_minus and per unit of x_bar [1/ms]"),
		real("theta_plus", "mV", -45.3, -1e6, 1e6, clopathEq, "potential above which there is potentiation"),
		real("theta_minus", "mV", -70.6, -1e6, 1e6, clopathEq, "value of the filters above which there is a change"),
		tau("tau_x", 15, clopathEq, "time constant of the filter of arrivals, which an arrival raises by 1/tau_x"),
		tau("tau_u_bar_minus", 10, clopathEq, "time constant of the filter of V for depression"),
		tau("tau_u_bar_plus", 7, clopathEq, "time constant of the filter of V for potentiation"),
		real("t_clamp", "ms", 0, 0, 1e6, "Clopath & Gerstner 2010", "for so long after a spike of the target V is V_clamp for the rule; 0: V is the neuron's"),
		real("V_clamp", "mV", 33, -1e6, 1e6, "Clopath & Gerstner 2010", "V for t_clamp after a spike of the target"),
	}, bounds(clopathEq)))
	for i := range k {
		switch p := &k[i]; p.Key {
		case "w_max":
			p.Default = 100
		case "tau_x", "tau_u_bar_minus", "tau_u_bar_plus": // an explicit method integrates them
			p.Min, p.MinOpen = 1e-3, false
		}
	}
	return k
}

func clopathWatch(v quantity.Values) neuron.Watch {
	k := clopathKeys
	clamp, _, _ := event.FromMS(k.number(v, "t_clamp")) // in range: Params
	return neuron.Watch{TauLow: k.number(v, "tau_u_bar_minus"), TauHigh: k.number(v, "tau_u_bar_plus"), TauX: k.number(v, "tau_x"),
		Low: k.number(v, "theta_minus"), High: k.number(v, "theta_plus"), Clamp: k.number(v, "V_clamp"), ClampFor: clamp}
}

// clopath is the rule for the synapses of one Wiring. A synapse keeps its weight.
// What the potential of its target does is in the target's trace: at an arrival it
// takes, pulse by pulse, the potentiation since the arrival before, and is cut at
// w_max after each; potentiation only raises, so where in between it is cut
// does not matter.
type clopath struct {
	synapse.Ledger // stays empty
	law            // of the filter of arrivals, and the bounds
	up, ltd, theta float64
	w              *synapse.Wiring
	weight         []float64
	trains         trains
	trace          *neuron.Trace
	reader         int
	most           event.Time // longest dendritic delay
	old, read      event.Time // as in Rule
	settled, due   event.Time
	undo           []undo
	kept           []float64
}

func newClopath(v quantity.Values, w *synapse.Wiring) *clopath {
	k := clopathKeys
	tauX := k.number(v, "tau_x")
	r := &clopath{law: law{wMin: k.number(v, "w_min"), wMax: k.number(v, "w_max"), rPlus: 1 / tauX},
		up: k.number(v, "A_LTP") / tauX, ltd: k.number(v, "A_LTD"), theta: k.number(v, "theta_minus"), w: w, most: w.MostDendritic()}
	r.weight = make([]float64, w.Rows.Len())
	r.trains = newTrains(w.Sources(), w.Rows.MaxDelay)
	r.Reset()
	return r
}

// Attach gives the trace of the targets.
func (r *clopath) Attach(t *neuron.Trace) { r.trace, r.reader = t, t.Read() }

// Reset returns to the state at t = 0.
func (r *clopath) Reset() {
	for i := range r.weight {
		r.weight[i] = r.w.WeightOf(uint32(i))
	}
	r.trains.reset()
	r.old, r.settled, r.due = 0, never, never
	r.undo, r.kept = r.undo[:0], r.kept[:0]
}

// Begin starts a window, with the settle pass that has fallen due.
func (r *clopath) Begin(start, read event.Time) {
	r.undo, r.kept = r.undo[:0], r.kept[:0]
	r.trains.passed = r.old
	if t := min(r.due, r.old); t > r.settled {
		r.settle(t)
	}
	r.old, r.read = start, read
}

// Post has nothing to do: what a spike is to the rule is in the trace.
func (r *clopath) Post(int, event.Time) {}

// Unpost has nothing to do.
func (r *clopath) Unpost(int, int) {}

// stretch is the time of a synapse, as its target has it, over which it is taken.
type stretch struct {
	x     float64    // the filter of arrivals right after prev, in units of 1/tau_x
	prev  event.Time // the last arrival
	taken event.Time // pulses that are over before it have been taken
	to    event.Time
}

func newStretch(prev *sourceSpike, a, d, settled, to event.Time) stretch {
	s := stretch{x: prev.X, prev: never, taken: settled - d, to: to}
	if prev.At != never {
		s.prev = prev.At + a - d
	}
	return s
}

// raised is weight w of a synapse of target j after a stretch.
func (r *clopath) raised(w float64, j int, s *stretch) float64 {
	if s.prev == never {
		return w
	}
	pulses := r.trace.Pulses(j, max(s.prev, s.taken), s.to)
	for k := range pulses {
		w = r.pulse(w, &pulses[k], s)
	}
	if p, ok := r.trace.Running(j); ok && p.At < s.to {
		w = r.pulse(w, &p, s)
	}
	return w
}

func (r *clopath) pulse(w float64, p *neuron.Pulse, s *stretch) float64 {
	age := (p.At - s.prev).MS() + p.Past // below 0 for an arrival on the pulse
	x := float64(s.x * fmath.Exp(-float64(age*r.rPlus)))
	return r.clip(w + float64(float64(r.up*x)*p.Between(s.prev, s.to)))
}

// settledBy takes weight w through the pulses of target j that are over before a
// time. Those are taken whole, as at any later arrival.
func (r *clopath) settledBy(w float64, j int, s stretch, over event.Time) float64 {
	if s.prev == never {
		return w
	}
	pulses := r.trace.Pulses(j, max(s.prev, s.taken), over)
	for k := range pulses {
		if pulses[k].Until >= over {
			break
		}
		w = r.pulse(w, &pulses[k], &s)
	}
	return w
}

// lowered is the weight after an arrival when the target's time is t.
func (r *clopath) lowered(w float64, j int, t event.Time) float64 {
	if over := r.trace.Low(j, t) - r.theta; over > 0 {
		w = r.clip(w - float64(r.ltd*over))
	}
	return w
}

// Arrive lets a piece of the row of src see a spike at t.
func (r *clopath) Arrive(src, lo, hi uint32, t event.Time, out []float64) {
	r.trains.seen = max(r.trains.seen, t)
	a, d := r.w.AxonalOf(lo), r.w.DendriticOf(lo)
	_, prev := r.trains.enter(&r.law, src, t-a)
	w := r.weight[lo:hi]
	if t > r.read {
		r.undo = append(r.undo, undo{t, lo, hi, len(r.kept)})
		r.kept = append(r.kept, w...)
	}
	s := newStretch(&prev, a, d, r.settled, t-d)
	for k, target := range r.w.Rows.Target[lo:hi] {
		j := int(target)
		y := r.raised(w[k], j, &s)
		if out != nil {
			out[k] = y
		}
		w[k] = r.lowered(y, j, s.to)
	}
}

// EndRow has nothing to do: a spike is entered with its first piece.
func (r *clopath) EndRow(uint32, event.Time) {}

// clopathView is one synapse while it is looked at without being changed.
type clopathView struct {
	w    float64
	j    int
	a, d event.Time
	prev sourceSpike
	done event.Time // pulses that reach it, and are over, before done are in w
}

func (r *clopath) view(i, src uint32, t event.Time) clopathView {
	v := clopathView{w: r.weight[i], j: int(r.w.Rows.Target[i]), a: r.w.AxonalOf(i), d: r.w.DendriticOf(i), done: r.settled}
	v.prev = r.trains.before(src, t-v.a)
	return v
}

// at is the weight of a view right before t.
func (r *clopath) at(v *clopathView, t event.Time) float64 {
	s := newStretch(&v.prev, v.a, v.d, v.done, t-v.d)
	return r.raised(v.w, v.j, &s)
}

// arrive takes a view through an arrival at t.
func (r *clopath) arrive(v *clopathView, t event.Time) {
	v.w = r.lowered(r.at(v, t), v.j, t-v.d)
	v.prev = r.filter(v.prev, t-v.a)
}

// Peek is the magnitude that synapse i of src will transmit at t.
func (r *clopath) Peek(i, src uint32, earlier []event.Time, t event.Time) float64 {
	first := t
	if len(earlier) > 0 {
		first = earlier[0]
	}
	v := r.view(i, src, first)
	for _, e := range earlier {
		r.arrive(&v, e)
	}
	return r.at(&v, t)
}

// Foresee writes what a piece of the row of src will transmit at t. The trace
// reaches far enough, so that nothing hangs on what the targets do.
func (r *clopath) Foresee(src, lo, hi uint32, earlier []event.Time, _, t event.Time, w []float64, open []bool) {
	for i := lo; i < hi; i++ {
		w[i-lo], open[i-lo] = r.Peek(i, src, earlier, t), false
	}
}

// Settle asks for a settle pass, which the next window begins with.
func (r *clopath) Settle(t event.Time, pass bool) {
	if pass {
		r.due = t
	}
}

// settle takes the pulses that reach synapses, and are over, before t. All arrivals
// before t have been handed over.
func (r *clopath) settle(t event.Time) {
	for src := range r.w.Sources() {
		list := r.trains.list[src]
		if len(list) == 0 {
			continue
		}
		if since := max(r.settled, 0) - list[len(list)-1].At - r.trains.axonal - r.most; float64(since.MS()*r.rPlus) > fades {
			continue
		}
		pieces(r.w, uint32(src), func(lo, hi uint32, a, d event.Time) {
			prev := r.trains.before(uint32(src), r.trains.seen-a+1)
			s := newStretch(&prev, a, d, r.settled, event.MaxTime)
			for i := lo; i < hi; i++ {
				r.weight[i] = r.settledBy(r.weight[i], int(r.w.Rows.Target[i]), s, t-d)
			}
		})
	}
	r.settled = t
	r.trace.Forget(r.reader, t-r.most)
}

// Live says that the traces of the targets grow by themselves.
func (r *clopath) Live() bool { return true }

// Weights are the magnitudes at t.
func (r *clopath) Weights(t event.Time) []float64 {
	w := slices.Clone(r.weight)
	for k := len(r.undo) - 1; k >= 0; k-- {
		if u := &r.undo[k]; u.t > t {
			copy(w[u.lo:u.hi], r.kept[u.at:])
		}
	}
	for src := range r.w.Sources() {
		pieces(r.w, uint32(src), func(lo, hi uint32, a, d event.Time) {
			prev := r.trains.before(uint32(src), min(t, r.trains.seen)-a+1)
			s := newStretch(&prev, a, d, r.settled, t-d)
			for i := lo; i < hi; i++ {
				w[i] = r.raised(w[i], int(r.w.Rows.Target[i]), &s)
			}
		})
	}
	return w
}

// Follow makes a follower of synapse i of source src, as it is at t = 0.
func (r *clopath) Follow(i, src uint32) synapse.Follower {
	return &clopathFollower{r: r, v: r.view(i, src, never)}
}

type clopathFollower struct {
	r      *clopath
	v      clopathView
	coming []event.Time // arrivals not yet seen
}

// Expect tells of a spike of the source at t.
func (f *clopathFollower) Expect(t event.Time) { f.coming = append(f.coming, t+f.v.a) }

// To takes the follower through everything up to and at t.
func (f *clopathFollower) To(t event.Time) {
	n := 0
	for n < len(f.coming) && f.coming[n] <= t {
		f.r.arrive(&f.v, f.coming[n])
		n++
	}
	f.coming = f.coming[:copy(f.coming, f.coming[n:])]
	if t > f.v.done {
		s := newStretch(&f.v.prev, f.v.a, f.v.d, f.v.done, event.MaxTime)
		f.v.w = f.r.settledBy(f.v.w, f.v.j, s, t-f.v.d)
		f.v.done = t
	}
}

// Read is the magnitude at t.
func (f *clopathFollower) Read(_ string, t event.Time) float64 { return f.r.at(&f.v, t) }

// clopathSettle is the time between settle passes: a trace keeps every step of its
// neuron, some 0.1 kB each, from one to the next.
const clopathSettle = 200 * event.Millisecond

func init() {
	learning := clopathKeys.learning(nil)
	learning.New = func(v quantity.Values, w *synapse.Wiring, _ *synapse.Drive) (synapse.Learner, error) {
		return newClopath(v, w), nil
	}
	learning.Bytes = func(quantity.Values, bool, bool) int { return 8 }
	learning.Watch = clopathWatch
	learning.Settle = func(quantity.Values) func(int64) event.Time {
		return func(n int64) event.Time { return event.Time(n) * clopathSettle }
	}
	synapse.Register(synapse.Model{
		Name:     "clopath",
		Doc:      "voltage-based plasticity: an arrival depresses where the filtered potential of the target is high, and a high potential after arrivals potentiates",
		Cite:     clopathCite,
		Params:   clopathKeys,
		Check:    func(v quantity.Values, _ bool) (string, error) { return clopathKeys.checkBounds(v) },
		Learning: learning,
	})
}
