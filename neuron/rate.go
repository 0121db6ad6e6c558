package neuron

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"hmn/event"
	"hmn/event/fmath"
	"hmn/event/quantity"
	"hmn/event/random"
)

// RateInput is one arrival at a rate unit. A level that changed from Old to New
// adds Weight·New − Weight·Old to the unit's input; a spike (Spike = true)
// counts for the trailing spike window. Unit is population-local.
//
// A weight that changed while its input stayed x is the same event with the
// roles exchanged: Weight x, Old and New the two weights. The products are
// equal to the last bit, so they cancel as if the weight had always been New.
type RateInput struct {
	At       event.Time
	Unit     uint32
	Weight   float64
	Old, New float64
	Spike    bool
}

// Errors of rate units.
var (
	ErrNotFinite = errors.New("neuron: rate unit is not finite")
	ErrPast      = errors.New("neuron: arrival out of order")
)

// RateUnits is the block [lo, hi) of a population of rate units,
//
//	z_j(t) = f(Σ_i w_ij x_i(t − delay_ij) + b_j + ε_j)                  (1)
//
// of the HMN paper: algebraic and piecewise constant. At one instant a unit takes
// expiring spikes, then arrivals in the order given, then the tick, and is then
// recomputed once. Ticks fall on the whole multiples of noise_hold: ε is drawn
// there, keyed by (seed, population, unit, tick), and the homeostatic bias
//
//	db/dt = eta_b (r_target − z)
//
// is published there, integrated exactly over the piecewise constant z. A
// change is sent when |z − z_sent| > delta_z. A spike counts as the rate
// 1000/spike_window Hz while it lies in (t − spike_window, t].
//
// The input sum is kept in double-double arithmetic (Dekker 1971,
// doi:10.1007/BF01397083) and the products of a change cancel exactly, so the
// sum stays the one of the inputs as they are, however many changes there were.
//
// Not safe for concurrent use. Nothing depends on how time is cut into calls.
type RateUnits struct {
	population string
	n, lo, hi  int
	f          transfer
	etaB       float64
	target     float64
	sigma      float64
	hold       event.Time // 0: no ticks
	delta      float64
	window     event.Time // of spikes
	gain       float64    // 1000/spike_window [Hz per spike]
	noise      random.Key
	b, z0      []float64 // start values
	sum0       [2][]float64

	RateState // live; Expiries[:gone] are over
	gone      int

	// Of the call of Advance in progress, or the last one.
	from     event.Time
	in       []RateInput
	tick     event.Time // the next
	starting bool       // t = 0 is still to be computed
	clamped  []float64  // outputs that are held; NaN: free; nil: none ever was
	kicked   []uint32   // units to recompute at the start of the next window, block-local
	touched  []uint32   // block-local
	mark     []bool
	log      []Change // every change of z, sent or not
}

// RateState is the state of a block of rate units between two windows; entry u
// belongs to unit lo + u. Plain data: copy the slices to keep it.
type RateState struct {
	Hi, Lo   []float64    // input sum Hi + Lo, |Lo| ≤ ulp(Hi)/2
	B        []float64    // bias
	Eps      []float64    // held noise
	Z        []float64    // output
	Sent     []float64    // output as last sent
	Area     []float64    // ∫ z dt since the last tick [ms]; used when eta_b > 0
	Since    []event.Time // Area is complete up to here
	Expiries []Expiry     // spikes still counted, ascending by time
}

// Expiry is the end of a counted spike: Unit (population-local) loses
// Contribution at At.
type Expiry struct {
	At           event.Time
	Unit         uint32
	Contribution float64
}

type transfer uint8

const (
	relu transfer = iota
	sigmoid
	tanh
	linear
	softplus
)

var transfers = map[string]transfer{"relu": relu, "sigmoid": sigmoid, "tanh": tanh, "linear": linear, "softplus": softplus}

// of is f(x). NaN gives NaN.
func (f transfer) of(x float64) float64 {
	switch f {
	case relu:
		return max(x, 0) // NaN stays NaN
	case sigmoid:
		return fmath.Sigmoid(x)
	case tanh:
		return fmath.Tanh(x)
	case softplus:
		return fmath.Softplus(x)
	}
	return x
}

// NewRateUnits makes units [lo, hi) of a population of n. v must have passed
// Model.CheckAll. z0 holds the output of all n units before t = 0; nil: 0.
func NewRateUnits(v quantity.Values, n, lo, hi int, seed uint64, population string, z0 []float64) (*RateUnits, error) {
	m, _ := Lookup("rate")
	fail := func(format string, a ...any) (*RateUnits, error) {
		return nil, fmt.Errorf("neuron: rate population %q: "+format, append([]any{population}, a...)...)
	}
	if lo < 0 || lo > hi || hi > n {
		return fail("units %d to %d of %d", lo, hi, n)
	}
	if z0 != nil && len(z0) != n {
		return fail("%d start values of z for %d units", len(z0), n)
	}
	r := &RateUnits{
		population: population, n: n, lo: lo, hi: hi,
		etaB:   m.Number(v, "eta_b"),
		target: m.Number(v, "r_target"),
		sigma:  m.Number(v, "noise_sigma"),
		delta:  m.Number(v, "delta_z"),
		noise:  random.NewKey(seed, random.StreamNoise, random.Name(population)),
		b:      make([]float64, hi-lo),
		z0:     make([]float64, hi-lo),
		mark:   make([]bool, hi-lo),
	}
	var ok bool
	if r.f, ok = transfers[m.Word(v, "f")]; !ok {
		return fail("no transfer function %q", m.Word(v, "f"))
	}
	var err error
	if r.window, _, err = event.FromMS(m.Number(v, "spike_window")); err != nil || r.window <= 0 {
		return fail("spike_window = %g ms", m.Number(v, "spike_window"))
	}
	r.gain = 1e12 / float64(r.window)
	if r.sigma > 0 || r.etaB > 0 {
		if r.hold, _, err = event.FromMS(m.Number(v, "noise_hold")); err != nil || r.hold <= 0 {
			return fail("noise_hold = %g ms", m.Number(v, "noise_hold"))
		}
	}
	b := v["b"]
	if b.List != nil && len(b.List) != n {
		return fail("b has %d entries for %d units", len(b.List), n)
	}
	for u := range r.b {
		r.b[u] = m.Number(v, "b")
		if b.List != nil {
			r.b[u] = b.List[lo+u]
		}
		if z0 != nil {
			r.z0[u] = z0[lo+u]
		}
	}
	r.sum0 = [2][]float64{make([]float64, hi-lo), make([]float64, hi-lo)}
	r.RateState = RateState{
		Hi: make([]float64, hi-lo), Lo: make([]float64, hi-lo),
		B: slices.Clone(r.b), Eps: make([]float64, hi-lo),
		Z: slices.Clone(r.z0), Sent: slices.Clone(r.z0),
		Area: make([]float64, hi-lo), Since: make([]event.Time, hi-lo),
	}
	return r, nil
}

// AddInitial adds weight·z0 of a source to the input of a unit, as it is before
// the source's first change arrives: contribution is that product, rounded once
// to float64. Call it after building, before the first Advance; Reset keeps it.
func (r *RateUnits) AddInitial(unit uint32, contribution float64) {
	u := int(unit) - r.lo
	r.add(u, contribution)
	r.sum0[0][u], r.sum0[1][u] = r.Hi[u], r.Lo[u]
}

// Reset returns to the state before t = 0, with what AddInitial added.
func (r *RateUnits) Reset() {
	copy(r.Hi, r.sum0[0])
	copy(r.Lo, r.sum0[1])
	copy(r.B, r.b)
	copy(r.Z, r.z0)
	copy(r.Sent, r.z0)
	clear(r.Eps)
	clear(r.Area)
	clear(r.Since)
	r.clamped, r.kicked = nil, r.kicked[:0]
	r.Expiries, r.gone, r.log = r.Expiries[:0], 0, r.log[:0]
}

// Snapshot copies the state. It belongs between calls of Advance.
func (r *RateUnits) Snapshot() RateState {
	s := r.RateState
	for _, p := range []*[]float64{&s.Hi, &s.Lo, &s.B, &s.Eps, &s.Z, &s.Sent, &s.Area} {
		*p = slices.Clone(*p)
	}
	s.Since, s.Expiries = slices.Clone(s.Since), slices.Clone(s.Expiries[r.gone:])
	return s
}

// Restore takes a copy of a state that Snapshot gave for the same block. The
// next Advance continues where the snapshot was taken.
func (r *RateUnits) Restore(s RateState) error {
	for _, x := range [][]float64{s.Hi, s.Lo, s.B, s.Eps, s.Z, s.Sent, s.Area} {
		if len(x) != r.hi-r.lo {
			return fmt.Errorf("neuron: rate population %q: a state of %d units for %d", r.population, len(x), r.hi-r.lo)
		}
	}
	if len(s.Since) != r.hi-r.lo {
		return fmt.Errorf("neuron: rate population %q: a state of %d units for %d", r.population, len(s.Since), r.hi-r.lo)
	}
	for k, e := range s.Expiries {
		if int(e.Unit) < r.lo || int(e.Unit) >= r.hi || k > 0 && e.At < s.Expiries[k-1].At {
			return fmt.Errorf("neuron: rate population %q: expiry %d of unit %d at %v ms does not fit units %d to %d in order of time", r.population, k, e.Unit, e.At, r.lo, r.hi)
		}
	}
	r.RateState, r.gone = s, 0
	r.RateState = r.Snapshot()
	r.log = r.log[:0]
	return nil
}

// First is the first unit of the block, population-local.
func (r *RateUnits) First() int { return r.lo }

// Next is the time from now on of the next instant at which a unit changes
// without an arrival: a tick, the end of a counted spike, a clamp.
func (r *RateUnits) Next(now event.Time) event.Time {
	if len(r.kicked) > 0 {
		return now
	}
	t := event.MaxTime
	if r.hold > 0 {
		t = now
		if rest := now % r.hold; rest != 0 {
			t += r.hold - rest
		}
	}
	if r.gone < len(r.Expiries) {
		t = min(t, r.Expiries[r.gone].At)
	}
	return t
}

// Output is the output of unit i (population-local) at the end of the last
// window, that is, after everything before its `to`.
func (r *RateUnits) Output(i int) float64 { return r.Z[i-r.lo] }

// Outputs writes the outputs of units lo, …, hi−1 as they are at t, after
// everything at t, to dst. t lies in the window of the last Advance. Nothing is
// stored.
func (r *RateUnits) Outputs(t event.Time, dst []float64) {
	copy(dst, r.Z)
	for k := len(r.log) - 1; k >= 0 && r.log[k].At > t; k-- {
		dst[int(r.log[k].Neuron)-r.lo] = r.log[k].Old
	}
}

// OutputAt is the output of unit i (population-local) at t; see Outputs.
func (r *RateUnits) OutputAt(i int, t event.Time) float64 {
	z := r.Z[i-r.lo]
	for k := len(r.log) - 1; k >= 0 && r.log[k].At > t; k-- {
		if int(r.log[k].Neuron) == i {
			z = r.log[k].Old
		}
	}
	return z
}

// Advance moves the units through [from, to). in is sorted by time and lies in
// that interval; what arrives at one instant is added in the order given. It
// appends the changes to send, ordered by (time, unit), to dst. A window that
// starts at 0 computes every unit at t = 0 and sends the change from its start
// value. An output or input that is not finite gives ErrNotFinite with unit and
// time, an arrival out of order ErrPast; the state is then of no use.
func (r *RateUnits) Advance(from, to event.Time, in []RateInput, dst []Change) ([]Change, error) {
	r.begin(from, in)
	for {
		t := r.next()
		if t >= to {
			return dst, r.left(to)
		}
		if err := r.take(t); err != nil {
			return dst, err
		}
		slices.Sort(r.touched)
		for _, u := range r.touched {
			r.mark[u] = false
			c, sent, err := r.compute(int(u), t)
			if err != nil {
				return dst, err
			}
			if sent {
				dst = append(dst, c)
			}
		}
	}
}

// begin starts a window.
func (r *RateUnits) begin(from event.Time, in []RateInput) {
	r.from, r.in, r.log, r.starting, r.tick = from, in, r.log[:0], from <= 0, event.MaxTime
	if r.hold > 0 {
		r.tick = max(from, 0)
		if rest := r.tick % r.hold; rest != 0 {
			r.tick += r.hold - rest
		}
	}
}

// next is the time of the next instant at which anything happens.
func (r *RateUnits) next() event.Time {
	t := r.tick
	if r.starting {
		t = 0
	}
	if len(r.kicked) > 0 {
		t = min(t, r.from)
	}
	if len(r.in) > 0 {
		t = min(t, r.in[0].At)
	}
	if r.gone < len(r.Expiries) {
		t = min(t, r.Expiries[r.gone].At)
	}
	return t
}

// left reports arrivals that were not in the window.
func (r *RateUnits) left(to event.Time) error {
	if len(r.in) > 0 {
		return fmt.Errorf("%w: at %v ms, window ends at %v ms, unit %d of %q", ErrPast, r.in[0].At, to, r.in[0].Unit, r.population)
	}
	return nil
}

// take applies everything at t except the recomputation, and leaves the units
// to recompute in touched, marked.
func (r *RateUnits) take(t event.Time) error {
	r.touched = r.touched[:0]
	// Spikes come in order of time and stay equally long, so they leave in the
	// same order: a queue.
	for ; r.gone < len(r.Expiries) && r.Expiries[r.gone].At == t; r.gone++ {
		e := r.Expiries[r.gone]
		r.change(int(e.Unit)-r.lo, e.Contribution, 0)
	}
	if 2*r.gone > len(r.Expiries) {
		r.Expiries = r.Expiries[:copy(r.Expiries, r.Expiries[r.gone:])]
		r.gone = 0
	}
	for len(r.in) > 0 && r.in[0].At <= t {
		x := r.in[0]
		if x.At < t || x.At < r.from {
			return fmt.Errorf("%w: at %v ms, clock %v ms, unit %d of %q", ErrPast, x.At, max(t, r.from), x.Unit, r.population)
		}
		r.in = r.in[1:]
		u := int(x.Unit) - r.lo
		if !x.Spike {
			r.change(u, float64(x.Weight*x.Old), float64(x.Weight*x.New))
			continue
		}
		c := float64(x.Weight * r.gain)
		r.change(u, 0, c)
		if t <= event.MaxTime-r.window {
			r.Expiries = append(r.Expiries, Expiry{t + r.window, x.Unit, c})
		}
	}
	if t == r.tick {
		r.ticking(t)
		r.tick = event.MaxTime
		if t <= event.MaxTime-r.hold {
			r.tick = t + r.hold
		}
		r.touchAll()
	}
	if r.starting {
		r.starting = false
		r.touchAll()
	}
	for _, u := range r.kicked {
		if !r.mark[u] {
			r.mark[u] = true
			r.touched = append(r.touched, u)
		}
	}
	r.kicked = r.kicked[:0]
	return nil
}

// Clamp holds the output of a unit (population-local) at z from the start of the
// next window on, whatever its input; Release ends that.
func (r *RateUnits) Clamp(unit int, z float64) error {
	if !(math.Abs(z) <= math.MaxFloat64) {
		return fmt.Errorf("%w: unit %d of %q clamped to %g", ErrNotFinite, unit, r.population, z)
	}
	if r.clamped == nil {
		r.clamped = make([]float64, r.hi-r.lo)
		for u := range r.clamped {
			r.clamped[u] = math.NaN()
		}
	}
	r.clamp(unit, z)
	return nil
}

// Release lets a clamped unit go.
func (r *RateUnits) Release(unit int) {
	if r.clamped != nil {
		r.clamp(unit, math.NaN())
	}
}

func (r *RateUnits) clamp(unit int, z float64) {
	r.clamped[unit-r.lo] = z
	r.kicked = append(r.kicked, uint32(unit-r.lo))
}

// ticking draws the noise and publishes the bias of all units at a tick.
func (r *RateUnits) ticking(t event.Time) {
	for u := range r.Eps {
		if r.sigma > 0 {
			a, b := r.noise.At(uint64(r.lo+u), uint64(t/r.hold))
			r.Eps[u] = float64(r.sigma * random.NormalOf(a, b))
		}
		if r.etaB > 0 && t > 0 {
			area := r.Area[u] + float64(r.Z[u]*inMS(t-r.Since[u]))
			r.B[u] += float64(r.etaB * (float64(r.target*inMS(r.hold)) - area))
			r.Area[u], r.Since[u] = 0, t
		}
	}
}

// inMS is t in ms, correctly rounded (event.Time.MS may be off by an ulp).
func inMS(t event.Time) float64 { return float64(t) / 1e9 }

func (r *RateUnits) touchAll() {
	r.touched = r.touched[:0]
	for u := range r.mark {
		r.mark[u] = true
		r.touched = append(r.touched, uint32(u))
	}
}

// change exchanges one contribution to the input of block-local unit u.
func (r *RateUnits) change(u int, old, new float64) {
	if old != 0 {
		r.add(u, -old)
	}
	if new != 0 {
		r.add(u, new)
	}
	if !r.mark[u] {
		r.mark[u] = true
		r.touched = append(r.touched, uint32(u))
	}
}

// add adds x to the input sum of block-local unit u. The relative error of one
// addition is below 2⁻¹⁰⁴.
func (r *RateUnits) add(u int, x float64) {
	s, e := twoSum(r.Hi[u], x)
	e += r.Lo[u]
	hi := s + e
	r.Hi[u], r.Lo[u] = hi, e-(hi-s)
}

// twoSum is a + b = s + e exactly, s rounded (Knuth).
func twoSum(a, b float64) (s, e float64) {
	s = a + b
	t := s - a
	return s, (a - (s - t)) + (b - t)
}

// compute recomputes block-local unit u at t. sent says whether the change c is
// to be sent.
func (r *RateUnits) compute(u int, t event.Time) (c Change, sent bool, err error) {
	s, e := twoSum(r.Hi[u], r.B[u])
	s, e2 := twoSum(s, r.Eps[u])
	x := s + (e + e2 + r.Lo[u])
	z := r.f.of(x)
	if r.clamped != nil && r.clamped[u] == r.clamped[u] {
		z = r.clamped[u]
	}
	if !(math.Abs(x) <= math.MaxFloat64) || !(math.Abs(z) <= math.MaxFloat64) {
		return c, false, fmt.Errorf("%w: unit %d of %q at %v ms: input %g, output %g", ErrNotFinite, r.lo+u, r.population, t, x, z)
	}
	old := r.Z[u]
	if z == old && z == r.Sent[u] {
		return c, false, nil
	}
	if z != old {
		if r.etaB > 0 {
			r.Area[u] += float64(old * inMS(t-r.Since[u]))
			r.Since[u] = t
		}
		r.log = append(r.log, Change{t, uint32(r.lo + u), old, z})
		r.Z[u] = z
	}
	if c = (Change{t, uint32(r.lo + u), r.Sent[u], z}); !(math.Abs(z-c.Old) > r.delta) {
		return c, false, nil
	}
	r.Sent[u] = z
	return c, true, nil
}
