package neuron

import (
	"errors"
	"math"

	"hmn/event"
)

// System is a neuron whose equations have no closed solution, dy/dt = f(y): the
// state, its slopes, what an arrival does, and what a spike is. NewCells makes
// neurons of it.
type System struct {
	Vars []Var // V_m first
	// Slopes sets dy to the slopes at y [per ms], given the current from outside
	// [pA]. held says that the neuron is refractory and Hold is set: then dy[0]
	// must be 0.
	Slopes func(dy, y *Vector, current float64, held bool)
	Inputs []Input // by port: what an arrival changes

	Level float64 // potential that is called a spike [mV]
	// Summit: the spike is the maximum of V, when that is at least Level, as NEST
	// has it for Hodgkin–Huxley neurons. Otherwise it is V reaching Level.
	Summit bool
	Reset  func(y *Vector) // after a spike; nil: nothing
	TRef   event.Time      // refractoriness, [t_spike, t_spike + TRef)
	// Hold keeps V where Reset left it during refractoriness; the other variables
	// go on. Otherwise a refractory neuron sends no spike, and that is all.
	Hold bool
}

// Var is a state variable of a System.
type Var struct {
	Key   string  // as in Model.States
	Start float64 // value at t = 0
	// The tolerance of a step is share·rtol·(Scale + |y − Ref|).
	Scale, Ref float64
}

// Input is what an arrival of weight w at a port does: y[Var] += Gain·w, or
// Gain·|w| for a conductance.
type Input struct {
	Var       int
	Gain      float64
	Magnitude bool
}

// ErrStiff reports equations that no step can follow, or not in a reasonable number
// of them.
var ErrStiff = errors.New("the steps that the tolerance asks for are too short, below 1e-16 ms or more than 10⁶ from one spike or window to the next: the state runs away, or the parameters make the equations too stiff")

const (
	// share of the tolerance that a step may use: the errors of some ten steps
	// add up before a neuron has forgotten them.
	share = 0.1

	firstStep = 0.05  // ms, after a start or a spike
	leastStep = 1e-16 // ms
	mostStep  = 100.  // ms
	mostSteps = 1e6   // in one call without a spike
)

// Cells are neurons of one System. Each keeps its own local time, from which a
// step leads on: the step ends where its error reaches the tolerance, never
// because a window ends or somebody looks. An arrival takes the state where it is
// at that instant on the step (dense output) and starts a new one, of the length
// that the controller had come to; so the result is a function of the arrivals
// alone.
type Cells struct {
	s     solver
	rtol  float64
	fixed event.Time // grid of the fixed-step mode; 0: adaptive
	quiet []event.Time
	all   []orbit
	trace *Trace // nil: nobody watches
}

// orbit is one neuron on its way.
type orbit struct {
	y       Vector
	path    path
	at      event.Time // the step starts at + past
	free    event.Time // end of refractoriness
	past    float64    // ms, below 1 ps
	h, next float64    // length of the step and of the one after it [ms]
	current float64    // from outside [pA]
	ready   bool       // the step is made
	fires   bool       // a spike at quiet, which lies on the step
	rising  bool       // Summit: V was rising before at
	topped  bool       // Summit: a spike was sent and V has not been seen to fall since
	coming  Vector     // fixed-step mode: what arrivals add at the next grid point
	more    float64    // the same for the current
}

// NewCells makes n neurons. rtol is the relative tolerance of a step; fixed, if
// not 0, the length of steps on a grid from t = 0, on which arrivals then act and
// spikes are found, as grid simulators have it.
func NewCells(sys System, rtol float64, fixed event.Time, n int) *Cells {
	c := &Cells{s: solver{sys: &sys}, rtol: float64(share * rtol), fixed: fixed, quiet: make([]event.Time, n), all: make([]orbit, n)}
	for j, v := range sys.Vars {
		c.s.tol[j] = c.rtol * v.Scale
	}
	for i := range c.all {
		for j, v := range sys.Vars {
			c.all[i].y[j] = v.Start
		}
		c.all[i].next = firstStep
	}
	return c
}

// Quiet implements Lazy.
func (c *Cells) Quiet() []event.Time { return c.quiet }

// Copy implements Copier.
func (c *Cells) Copy(dst, src int) {
	c.all[dst], c.quiet[dst] = c.all[src], c.quiet[src]
	if c.trace != nil {
		c.trace.free[dst] = c.trace.free[src]
	}
}

// State gives access to a state variable at the neuron's local time.
func (c *Cells) State(i int, key string) *float64 {
	for j := range c.s.sys.Vars {
		if c.s.sys.Vars[j].Key == key {
			return &c.all[i].y[j]
		}
	}
	return nil
}

// Sync implements Lazy.
func (c *Cells) Sync(i int, t event.Time) {
	if x := &c.all[i]; x.ready {
		c.move(x, t)
	}
}

// Advance carries neuron i to `to`: see Dynamics.
func (c *Cells) Advance(i int, _, to event.Time, arrivals []Arrival, spikes []event.Time) ([]event.Time, error) {
	x := &c.all[i]
	first, sent, steps := len(spikes), len(spikes), 0
	var err error
	for k := 0; ; {
		t := to
		if k < len(arrivals) {
			t = arrivals[k].At
		}
		for !x.ready || c.quiet[i] < t {
			if spikes, err = c.proceed(x, i, spikes); err != nil {
				return spikes, err
			}
			if len(spikes)-first > maxPerStep {
				return spikes, ErrRunaway
			}
			if steps++; len(spikes) > sent {
				sent, steps = len(spikes), 0
			}
			if steps > mostSteps && c.fixed == 0 {
				return spikes, ErrStiff
			}
		}
		if k == len(arrivals) {
			return spikes, nil
		}
		if c.fixed > 0 {
			c.collect(x, &arrivals[k])
			k++
			continue
		}
		due := x.fires && c.quiet[i] == t
		if c.trace != nil {
			c.trace.left(x, i, t, false)
		}
		c.move(x, t)
		c.s.first = false
		for ; k < len(arrivals) && arrivals[k].At == t; k++ {
			c.arrive(&x.y, &x.current, &arrivals[k])
		}
		if math.IsNaN(x.y[0]) {
			return spikes, ErrNaN
		}
		if spikes, err = c.begin(x, i, due, spikes); err != nil {
			return spikes, err
		}
	}
}

// arrive applies an arrival.
func (c *Cells) arrive(y *Vector, current *float64, a *Arrival) {
	if a.Port == PortCurrent {
		*current += a.Weight
		return
	}
	in := &c.s.sys.Inputs[a.Port]
	w := a.Weight
	if in.Magnitude {
		w = math.Abs(w)
	}
	y[in.Var] += float64(in.Gain * w)
}

// move takes the state to t on the step, where a new one is to begin.
func (c *Cells) move(x *orbit, t event.Time) {
	n := len(c.s.sys.Vars)
	if th := ((t - x.at).MS() - x.past) / x.h; th >= 1 {
		x.end(n)
	} else if th > 0 {
		if c.s.sys.Summit {
			b := x.path.bernstein(&x.y, 0)
			_, rest := cut(0, &b, th)
			x.goes(rest[1] > rest[0])
		}
		x.y = x.path.at(&x.y, th, n)
	}
	x.at, x.past = t, 0
}

// end takes the state to the end of the step.
func (x *orbit) end(n int) {
	x.goes(x.path.r1[0]-x.path.r2[0]-x.path.r3[0] > 0)
	for j := range n {
		x.y[j] += x.path.r1[j]
	}
}

// goes notes which way V was going.
func (x *orbit) goes(up bool) {
	x.rising = up
	x.topped = x.topped && up
}

// proceed goes on from the end of the step, or from the spike on it.
func (c *Cells) proceed(x *orbit, i int, spikes []event.Time) ([]event.Time, error) {
	switch {
	case !x.ready:
		return c.begin(x, i, false, spikes)
	case x.fires:
		if c.trace != nil {
			c.trace.left(x, i, c.quiet[i], false)
		}
		c.move(x, c.quiet[i])
		c.s.first = false
		return c.begin(x, i, true, spikes)
	case c.fixed > 0:
		return c.gridPoint(x, i, spikes)
	}
	n := len(c.s.sys.Vars)
	held := c.held(x)
	ps, past := whole(x.past + x.h)
	if c.trace != nil {
		c.trace.left(x, i, x.at+event.Time(ps), true)
	}
	x.end(n)
	x.past = past
	x.at += event.Time(ps)
	if c.held(x) == held { // the slopes are those at the end of the step
		for j := range n {
			c.s.k[0][j] = (x.path.r1[j] - x.path.r2[j] - x.path.r3[j]) / x.h
		}
		c.s.first = true
	}
	return c.begin(x, i, false, spikes)
}

// whole divides ms into whole picoseconds and the rest [ms]; what differs from
// the next whole number by rounding only is that number.
func whole(ms float64) (ps, rest float64) {
	ps = math.Floor(float64(ms*1e9) + 1e-4)
	return ps, max(ms-float64(ps*1e-9), 0)
}

// held tells whether the potential is held at reset.
func (c *Cells) held(x *orbit) bool { return c.s.sys.Hold && x.at < x.free }

// begin tests the threshold and makes the step that starts where the neuron is.
// due: it has reached its threshold.
func (c *Cells) begin(x *orbit, i int, due bool, spikes []event.Time) ([]event.Time, error) {
	sys := c.s.sys
	if c.trace != nil {
		c.trace.begin(x, i)
	}
	x.ready = true
	if sys.Summit && !due && x.rising && !x.topped && x.at >= x.free && x.y[0] >= sys.Level {
		// An arrival may end the rise at once.
		if !c.s.first {
			sys.Slopes(&c.s.k[0], &x.y, x.current, false)
			c.s.first = true
		}
		due = c.s.k[0][0] <= 0
	}
	if due || !sys.Summit && x.y[0] >= sys.Level && !c.held(x) {
		spikes = append(spikes, x.at)
		x.past, x.rising, x.topped = 0, false, true
		x.free = x.at + sys.TRef
		if sys.Reset != nil {
			sys.Reset(&x.y)
			x.next, c.s.first = max(x.next, firstStep), false
		}
		if c.trace != nil {
			c.trace.fired(x, i)
		}
	}
	if c.fixed > 0 {
		c.gridStep(x, i)
		return spikes, nil
	}
	held := c.held(x)
	wanted := min(x.next, mostStep)
	x.h = wanted
	if held {
		x.h = min(x.h, (x.free-x.at).MS()-x.past)
	}
	if c.trace != nil && c.trace.clamped {
		x.h = min(x.h, (c.trace.free[i]-x.at).MS()-x.past)
	}
	cut := x.h < wanted
	for {
		err := c.s.embedded(&x.y, x.h, x.current, held, c.rtol, &x.path)
		f := growth(err)
		if err <= 1 {
			x.next = float64(x.h * f)
			if cut {
				x.next = max(x.next, wanted)
			}
			break
		}
		x.h, cut, c.s.first = float64(x.h*f), false, true
		if x.h < leastStep {
			if c.upstroke(x, i, held) {
				return spikes, nil
			}
			return spikes, ErrStiff
		}
	}
	c.s.first = false
	x.fires = false
	if !held {
		if th, ok := c.find(x); ok {
			ms := x.past + float64(th*x.h)
			x.fires = true
			c.quiet[i] = x.at + event.Time(math.Floor(float64(ms*1e9)+0.5))
			return spikes, nil
		}
	}
	ps, _ := whole(x.past + x.h)
	c.quiet[i] = x.at + event.Time(ps)
	return spikes, nil
}

// upstroke tells whether the steps have become so short because V runs away to its
// threshold, exponentially as in AdEx neurons, and then makes it fire: from where
// it is, V takes less than 1e-12 ms there, as its slope only grows.
func (c *Cells) upstroke(x *orbit, i int, held bool) bool {
	k := &c.s.k[0]
	if c.s.sys.Summit || held || !(float64(k[0]*1e-12) > c.s.sys.Level-x.y[0]) {
		return false
	}
	at := x.at + event.Time(math.Floor(float64(x.past*1e9)+0.5))
	x.path = path{}
	if x.h = (at - x.at).MS() - x.past; x.h > 0 { // the others go on to the whole picosecond
		for j := 1; j < len(c.s.sys.Vars); j++ {
			x.path.r1[j] = float64(x.h * k[j])
		}
	}
	x.h = max(x.h, leastStep)
	x.fires, c.s.first, c.quiet[i] = true, false, at
	return true
}

// find looks for a spike on the step.
func (c *Cells) find(x *orbit) (th float64, ok bool) {
	sys := c.s.sys
	b := x.path.bernstein(&x.y, 0)
	if !sys.Summit {
		return firstAtLeast(b, sys.Level)
	}
	if under(&b, sys.Level) {
		return 0, false
	}
	// The step after a spike starts a little before or after the summit that it
	// was, as rounding and interpolation have it.
	same := x.topped && b[1] > b[0]
	summits(b, func(s float64) bool {
		if same {
			same = false
			return false
		}
		y := x.path.at(&x.y, s, 1)
		ok = y[0] >= sys.Level && x.past+float64(s*x.h) >= (x.free-x.at).MS()
		th = s
		return ok
	})
	return th, ok
}

// Fixed-step mode.

// collect keeps an arrival for the next grid point.
func (c *Cells) collect(x *orbit, a *Arrival) { c.arrive(&x.coming, &x.more, a) }

// gridPoint ends the step at the next grid point: first arrivals, then the
// threshold.
func (c *Cells) gridPoint(x *orbit, i int, spikes []event.Time) ([]event.Time, error) {
	sys := c.s.sys
	up := x.path.r1[0] > 0
	for j := range sys.Vars {
		x.y[j] += x.path.r1[j] + x.coming[j]
	}
	x.at = c.quiet[i]
	x.current += x.more
	x.coming, x.more = Vector{}, 0
	if math.IsNaN(x.y[0]) {
		return spikes, ErrNaN
	}
	due := sys.Summit && x.rising && !up && x.y[0] >= sys.Level && x.at >= x.free
	x.rising = up
	return c.begin(x, i, due, spikes)
}

// gridStep makes the step to the next grid point.
func (c *Cells) gridStep(x *orbit, i int) {
	x.h = c.fixed.MS()
	c.s.first = false
	c.s.classical(&x.y, x.h, x.current, c.held(x), &x.path)
	c.quiet[i] = x.at + c.fixed
}
