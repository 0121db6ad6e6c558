package neuron

import (
	"hmn/event"
	"hmn/event/quantity"
)

// A Watch is what a rule of plasticity wants to know of the potential V of its
// targets: two low-pass filters of it, and the drive of potentiation,
//
//	TauLow dū₋/dt = V − ū₋,    TauHigh dū₊/dt = V − ū₊,
//	F = [V − High]₊ [ū₊ − Low]₊,
//
// which start at V(0). For ClampFor after a spike V is Clamp here, whatever the
// neuron's own is.
type Watch struct {
	TauLow, TauHigh float64 // ms
	TauX            float64 // ms; Pulse weights F by e^{−s/TauX}
	Low, High       float64 // mV
	Clamp           float64 // mV
	ClampFor        event.Time
}

// A Trace is what Cells remember of the potential of their neurons for a Watch. The
// filters and the integral of F are state variables of each neuron, integrated
// under the same error control as V; the trace keeps each step's polynomials.
type Trace struct {
	c       *Cells
	watch   Watch
	vars    int          // state variables of the neuron itself
	clamped bool         // of the neuron that is being advanced
	free    []event.Time // end of the clamp
	low     [][]bend     // by watched neuron
	pulses  [][]Pulse
	start   []float64    // V at t = 0
	needed  []event.Time // by reader: what it has still to ask for
}

// The variables of a trace, counted from Trace.vars.
const (
	lowVar   = iota
	highVar  // ū₊
	driveVar // ∫ fade F ds since the start of the step
	fadeVar  // e^{−s/TauX}, s since the start of the step
	traceVars
)

// bend is ū₋ on one step.
type bend struct {
	at      event.Time
	past, h float64
	y       float64
	r       [4]float64
}

// A Pulse is one step on which F is not 0 throughout.
type Pulse struct {
	At, Until event.Time // picoseconds in which it starts and ends
	Past      float64    // it starts so much after At [ms]
	h         float64
	whole     bool // it ended by itself, not at Until sharp
	r         [4]float64
}

// gain is how far the polynomial of a path has come at θ.
func gain(r *[4]float64, th float64) float64 {
	u := 1 - th
	return float64(th * (r[0] + float64(u*(r[1]+float64(th*(r[2]+float64(u*r[3])))))))
}

func (p *path) of(j int) [4]float64 { return [4]float64{p.r1[j], p.r2[j], p.r3[j], p.r4[j]} }

// shareOf is the part of the step from at + past, h long, that lies before t.
func shareOf(t, at event.Time, past, h float64) float64 {
	return min(max(((t-at).MS()-past)/h, 0), 1)
}

// watched makes neurons of a model whose first `of` are watched.
func watched(name string, system func(p func(key string) float64) System) func(quantity.Values, int, Watch, int) (*Cells, *Trace, error) {
	return func(v quantity.Values, n int, w Watch, of int) (*Cells, *Trace, error) {
		t := &Trace{watch: w, free: make([]event.Time, n), low: make([][]bend, of), pulses: make([][]Pulse, of), start: make([]float64, of)}
		c, err := cellsOf(name, system, v, n, t)
		t.c = c
		return c, t, err
	}
}

// extend adds the variables of the trace to a system.
func (t *Trace) extend(sys *System) {
	t.vars = len(sys.Vars)
	rest := sys.Vars[0].Ref
	sys.Vars = append(sys.Vars[:t.vars:t.vars],
		Var{"u_bar_minus", rest, scaleV, rest}, Var{"u_bar_plus", rest, scaleV, rest}, Var{"", 0, 1, 0}, Var{"", 1, 1, 0})
	n, own := t.vars, sys.Slopes
	w := &t.watch
	rLow, rHigh, rX := 1/w.TauLow, 1/w.TauHigh, 1/w.TauX
	sys.Slopes = func(dy, y *Vector, current float64, held bool) {
		own(dy, y, current, held)
		v := y[0]
		if t.clamped {
			v = w.Clamp
		}
		high := y[n+highVar]
		dy[n+lowVar] = float64((v - y[n+lowVar]) * rLow)
		dy[n+highVar] = float64((v - high) * rHigh)
		dy[n+driveVar] = 0
		if v > w.High && high > w.Low {
			dy[n+driveVar] = float64(y[n+fadeVar] * float64((v-w.High)*(high-w.Low)))
		}
		dy[n+fadeVar] = -float64(rX * y[n+fadeVar])
	}
}

// begin prepares neuron i for a new step; its slopes are to be found anew.
func (t *Trace) begin(x *orbit, i int) {
	if !x.ready {
		x.y[t.vars+lowVar], x.y[t.vars+highVar] = x.y[0], x.y[0]
		if i < len(t.start) {
			t.start[i] = x.y[0]
		}
	}
	x.y[t.vars+driveVar], x.y[t.vars+fadeVar] = 0, 1
	t.clamped = x.at < t.free[i]
	t.c.s.first = false
}

// fired starts the clamp.
func (t *Trace) fired(x *orbit, i int) {
	t.free[i] = x.at + t.watch.ClampFor
	t.clamped = t.watch.ClampFor > 0
	t.c.s.first = false
}

// left ends the step of neuron i at until, or a little after it.
func (t *Trace) left(x *orbit, i int, until event.Time, whole bool) {
	if i >= len(t.low) {
		return // a copy
	}
	j := t.vars + lowVar
	t.low[i] = append(t.low[i], bend{x.at, x.past, x.h, x.y[j], x.path.of(j)})
	if p := t.pulse(x); p.r != [4]float64{} {
		p.Until, p.whole = until, whole
		t.pulses[i] = append(t.pulses[i], p)
	}
}

func (t *Trace) pulse(x *orbit) Pulse {
	return Pulse{At: x.at, Until: event.MaxTime, Past: x.past, h: x.h, r: x.path.of(t.vars + driveVar)}
}

// Read adds a reader and gives its number.
func (t *Trace) Read() int {
	t.needed = append(t.needed, 0)
	return len(t.needed) - 1
}

// Forget says that a reader asks for nothing before t any more.
func (t *Trace) Forget(reader int, to event.Time) {
	before := t.least()
	t.needed[reader] = to
	if to = t.least(); to <= before {
		return
	}
	for i, list := range t.low {
		k := len(list) // the last that starts before to stays
		for k > 0 && list[k-1].at >= to {
			k--
		}
		if k > 1 {
			t.low[i] = list[:copy(list, list[k-1:])]
		}
		pulses := t.pulses[i]
		k = 0
		for k < len(pulses) && pulses[k].Until < to {
			k++
		}
		if k > 0 {
			t.pulses[i] = pulses[:copy(pulses, pulses[k:])]
		}
	}
}

func (t *Trace) least() event.Time {
	least := event.MaxTime
	for _, x := range t.needed {
		least = min(least, x)
	}
	return least
}

// Low is ū₋ of neuron i at time s, up to which it has been advanced; before t = 0 it
// is what it starts from. Of two steps that meet at s the first counts, which
// does not depend on whether the second has been made.
func (t *Trace) Low(i int, s event.Time) float64 {
	if x := &t.c.all[i]; x.ready && x.at < s {
		j := t.vars + lowVar
		r := x.path.of(j)
		return x.y[j] + gain(&r, shareOf(s, x.at, x.past, x.h))
	}
	if !t.c.all[i].ready {
		return t.c.all[i].y[0]
	}
	list := t.low[i]
	for k := len(list) - 1; k >= 0; k-- {
		if b := &list[k]; b.at < s {
			return b.y + gain(&b.r, shareOf(s, b.at, b.past, b.h))
		}
	}
	return t.start[i]
}

// Pulses are the pulses of neuron i that are over, that end at or after from and
// start before to.
func (t *Trace) Pulses(i int, from, to event.Time) []Pulse {
	list := t.pulses[i]
	z := len(list)
	for z > 0 && list[z-1].At >= to {
		z--
	}
	k := z
	for k > 0 && list[k-1].Until >= from {
		k--
	}
	return list[k:z]
}

// Running is the pulse of neuron i that is not over.
func (t *Trace) Running(i int) (p Pulse, ok bool) {
	x := &t.c.all[i]
	if !x.ready {
		return p, false
	}
	p = t.pulse(x)
	return p, p.r != [4]float64{}
}

// Between is ∫ e^{−(s−start)/TauX} F ds over the part of the pulse between two times
// [mV² ms], start being its own.
func (p *Pulse) Between(lo, hi event.Time) float64 {
	a, b := 0.0, 1.0
	if lo > p.At {
		a = shareOf(lo, p.At, p.Past, p.h)
	}
	if hi <= p.Until || !p.whole {
		b = shareOf(min(hi, p.Until), p.At, p.Past, p.h)
	}
	// F ≥ 0, but not its polynomial.
	return max(gain(&p.r, b)-gain(&p.r, a), 0)
}
