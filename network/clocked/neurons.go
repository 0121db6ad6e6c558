package clocked

import (
	"errors"
	"fmt"
	"math"

	"hmn/event"
	"hmn/event/random"
	"hmn/network"
	"hmn/neuron"
)

var errNaN = errors.New("the membrane potential is not a number")

// membranes are the neurons of one population of iaf_psc_delta, iaf_psc_exp or
// iaf_psc_alpha,
//
//	C_m dV/dt = −(C_m/tau_m)(V − E_L) + I_ex + I_in + I_level + I_e + b,
//
// carried from grid point to grid point by the exact propagator (Rotter &
// Diesmann 1999, doi:10.1007/s004220050570).
type membranes struct {
	delta, alpha bool // otherwise exponential currents

	r             float64 // tau_m/C_m [mV/pA]
	rest          float64 // E_L + R I_e [mV]
	vTh, vReset   float64
	refractory    int64   // t_ref in steps
	decayV        float64 // over one step, as all below
	decayI        [2]float64
	perI, perDI   [2]float64 // V after a step per unit of I, of dI
	kick          [2]float64 // dI of an arrival of weight 1
	step          float64
	v             []float64
	i, di         [2][]float64
	free          []int64   // first grid point at which the neuron is not refractory
	drive         []float64 // I_level of the present step [pA]
	total         []float64 // I_ex + I_in at the present grid point, after arrivals [pA]
	potentialSeen []float64 // V at the present grid point
	eta, target   float64   // of the bias: pA, 1/ms
	tick          int64     // steps between its ticks; 0: no bias to learn
	bias, acts    []float64 // b [pA], and as it was at the last tick
}

func (e *Engine) newMembranes(p *population) (*membranes, error) {
	num := func(key string) float64 { return p.model.Number(p.desc.Params, key) }
	n := p.desc.N
	c := &membranes{delta: p.desc.Model == "iaf_psc_delta", alpha: p.desc.Model == "iaf_psc_alpha", step: e.h}
	switch p.desc.Model {
	case "iaf_psc_delta", "iaf_psc_exp", "iaf_psc_alpha":
	default:
		return nil, fmt.Errorf("model %s is not known to the clocked engine", p.desc.Model)
	}
	tauM, cm := num("tau_m"), num("C_m")
	c.r = tauM / cm
	c.rest, c.vTh, c.vReset = num("E_L")+c.r*num("I_e"), num("V_th"), num("V_reset")
	tRef, _, err := event.FromMS(num("t_ref"))
	if err != nil {
		return nil, fmt.Errorf("t_ref: %w", err)
	}
	c.refractory = e.steps(tRef)
	c.bias, c.acts = make([]float64, n), make([]float64, n)
	for i := range c.bias {
		c.bias[i], c.acts[i] = num("b"), num("b")
	}
	if c.eta, c.target = num("eta_b"), num("r_target")/1000; c.eta > 0 {
		hold, _, err := event.FromMS(num("bias_hold"))
		if err != nil {
			return nil, fmt.Errorf("bias_hold: %w", err)
		}
		c.tick = max(1, e.steps(hold))
	}
	c.decayV = math.Exp(-e.h / tauM)
	if !c.delta {
		for k, key := range []string{"tau_syn_ex", "tau_syn_in"} {
			tau := num(key)
			gap := 1/tau - 1/tauM
			c.decayI[k] = math.Exp(-e.h / tau)
			c.perI[k] = c.decayV * powerIntegral(0, gap, e.h) / cm
			c.perDI[k] = c.decayV * powerIntegral(1, gap, e.h) / cm
			c.kick[k] = math.E / tau
		}
	}
	c.v, c.free = make([]float64, n), make([]int64, n)
	c.drive, c.total, c.potentialSeen = make([]float64, n), make([]float64, n), make([]float64, n)
	for k := range c.i {
		c.i[k], c.di[k] = make([]float64, n), make([]float64, n)
	}
	states := map[string][]float64{"V_m": c.v, "I_syn_ex": c.i[0], "I_syn_in": c.i[1], "dI_syn_ex": c.di[0], "dI_syn_in": c.di[1]}
	for i := range n {
		c.v[i] = num("E_L")
		for _, s := range p.model.States {
			x, given, err := e.model.Start(p.index, s.Key, i)
			if err != nil {
				return nil, err
			}
			if !given {
				continue
			}
			if s.Key == "V_m" && !(x < c.vTh) {
				return nil, fmt.Errorf("init.V_m of neuron %d: V_m = %g mV at t = 0, want less than V_th = %g mV", i, x, c.vTh)
			}
			if states[s.Key] == nil {
				return nil, fmt.Errorf("init.%s: the clocked engine does not know this state variable", s.Key)
			}
			states[s.Key][i] = x
		}
	}
	return c, nil
}

// powerIntegral is ∫_0^s u^k e^{−gu} du for k = 0 or 1.
func powerIntegral(k int, g, s float64) float64 {
	x := g * s
	if math.Abs(x) > 0.5 {
		if k == 0 {
			return -math.Expm1(-x) / g
		}
		return (1 - math.Exp(-x)*(1+x)) / (g * g)
	}
	sum, term := 0.0, 1.0 // Σ (−x)ⁿ/n! · 1/(n+k+1)
	for n := range 20 {
		sum += term / float64(n+k+1)
		term *= -x / float64(n+1)
	}
	return sum * math.Pow(s, float64(k+1))
}

// fire gives the neurons what arrives at the present grid point and tests the
// threshold. Arrivals of delta currents during refractoriness are discarded.
func (e *Engine) fire(p *population) error {
	c, sent := p.cells, p.spikesAt(e.n)
	in := p.input[slot(e.n, len(p.input))]
	current := p.current[slot(e.n, len(p.current))]
	for i := range c.v {
		sent[i] = 0
		if c.tick > 0 && e.n%c.tick == 0 {
			c.acts[i] = c.bias[i]
		}
		held := e.n < c.free[i]
		for port, w := range in {
			switch {
			case c.delta && !held:
				c.v[i] += w[i]
			case c.delta:
			case c.alpha:
				c.di[port][i] += w[i] * c.kick[port]
			default:
				c.i[port][i] += w[i]
			}
		}
		c.drive[i] = current[i]
		c.total[i] = c.i[0][i] + c.i[1][i]
		if math.IsNaN(c.v[i]) {
			return fmt.Errorf("neuron %d: %w", i, errNaN)
		}
		if !held && c.v[i] >= c.vTh {
			sent[i] = 1
			c.v[i] = c.vReset
			c.free[i] = e.n + c.refractory
			c.bias[i] -= c.eta
		}
		c.potentialSeen[i] = c.v[i]
	}
	return nil
}

// relax carries the neurons over one step.
func (e *Engine) relax(p *population) {
	c := p.cells
	for i := range c.v {
		v := c.rest + c.r*(c.drive[i]+c.acts[i])
		c.bias[i] += c.eta * c.target * c.step
		v += (c.v[i] - v) * c.decayV
		if !c.delta {
			for k := range c.i {
				v += c.i[k][i]*c.perI[k] + c.di[k][i]*c.perDI[k]
				c.i[k][i] = (c.i[k][i] + c.di[k][i]*c.step) * c.decayI[k]
				c.di[k][i] *= c.decayI[k]
			}
		}
		if e.n < c.free[i] {
			v = c.vReset
		}
		c.v[i] = v
	}
}

// foreign are the neurons of a model with its own dynamics, advanced one step at
// a time.
type foreign struct {
	dyn     neuron.Dynamics
	pending []int     // spikes inside the last step, sent at the next grid point
	current []float64 // that acted over the last step
}

// state is a state variable of neuron i at t, to which it has been advanced; nil:
// it has none of that name. Neurons that keep their own time are copied there.
func (f *foreign) state(i int, key string, t event.Time) *float64 {
	lazy, ok := f.dyn.(neuron.Lazy)
	if copier, can := f.dyn.(neuron.Copier); ok && can {
		spare := len(f.pending)
		copier.Copy(spare, i)
		lazy.Sync(spare, t)
		i = spare
	}
	return f.dyn.State(i, key)
}

func (e *Engine) newForeign(p *population) (*foreign, error) {
	dyn, err := p.model.New(p.desc.Params, p.desc.N+1) // one to look at
	if err != nil {
		return nil, err
	}
	for i := range p.desc.N {
		for _, s := range p.model.States {
			x, given, err := e.model.Start(p.index, s.Key, i)
			if err != nil {
				return nil, err
			}
			if !given {
				continue
			}
			v := dyn.State(i, s.Key)
			if v == nil {
				return nil, fmt.Errorf("model %s does not know its state variable %q", p.desc.Model, s.Key)
			}
			*v = x
		}
	}
	return &foreign{dyn: dyn, pending: make([]int, p.desc.N), current: make([]float64, p.desc.N)}, nil
}

// advanceForeign advances the neurons over the step that begins at t. A spike at
// t itself is sent at once, later ones at the next grid point.
func (e *Engine) advanceForeign(p *population, t event.Time) error {
	f, sent := p.foreign, p.spikesAt(e.n)
	in, current := p.input[slot(e.n, len(p.input))], p.current[slot(e.n, len(p.current))]
	var arrivals []neuron.Arrival
	var times []event.Time
	for i := range f.pending {
		arrivals = arrivals[:0]
		for port, w := range in {
			if w[i] != 0 {
				arrivals = append(arrivals, neuron.Arrival{At: t, Port: uint8(port), Weight: w[i]})
			}
		}
		if d := current[i] - f.current[i]; d != 0 {
			arrivals = append(arrivals, neuron.Arrival{At: t, Port: neuron.PortCurrent, Weight: d})
			f.current[i] = current[i]
		}
		var err error
		times, err = f.dyn.Advance(i, t, t+e.dt, arrivals, times[:0])
		if err != nil {
			return fmt.Errorf("neuron %d: %w", i, err)
		}
		sent[i], f.pending[i] = f.pending[i], 0
		for _, s := range times {
			if s == t {
				sent[i]++
			} else {
				f.pending[i]++
			}
		}
	}
	return nil
}

// units are the rate units of one population,
//
//	z_j(t) = f(Σ_i w_ij x_i(t − delay_ij) + b_j + ε_j)   (1)
//
// with ε_j redrawn at every multiple of noise_hold, so that the noise does not
// depend on Δt. A noise_hold of Δt gives the pseudocode's draw per step.
type units struct {
	f           func(float64) float64
	b, eps, z   []float64
	start       []float64 // outputs before t = 0
	area        []float64 // ∫ z dt since the last tick [ms]
	etaB        float64
	target      float64
	sigma       float64
	delta       float64
	hold        event.Time // 0: no ticks
	tick        int64      // the next
	noise       random.Key
	window      event.Time // of spikes that count as a rate
	gain        float64    // Hz per spike in it
	counted     [][]counted
	withoutWait [][]source // connections without delay, by unit
}

// counted are weights that arrived at one time and count until the window is over.
type counted struct {
	until event.Time
	w     float64
}

// source is synapse i of a projection.
type source struct {
	p *projection
	i int
}

// unit is one rate unit.
type unit struct {
	p *population
	i int
}

var transfers = map[string]func(float64) float64{
	"relu":     func(x float64) float64 { return math.Max(x, 0) },
	"sigmoid":  func(x float64) float64 { return 1 / (1 + math.Exp(-x)) },
	"tanh":     math.Tanh,
	"linear":   func(x float64) float64 { return x },
	"softplus": func(x float64) float64 { return math.Max(x, 0) + math.Log1p(math.Exp(-math.Abs(x))) },
}

func (e *Engine) newUnits(p *population) (*units, error) {
	v, n := p.desc.Params, p.desc.N
	num := func(key string) float64 { return p.model.Number(v, key) }
	u := &units{
		f: transfers[p.model.Word(v, "f")],
		b: make([]float64, n), eps: make([]float64, n), z: make([]float64, n), start: make([]float64, n), area: make([]float64, n),
		etaB: num("eta_b"), target: num("r_target"), sigma: num("noise_sigma"), delta: num("delta_z"),
		noise:   random.NewKey(e.model.Simulation.Seed, random.StreamNoise, random.Name(p.desc.Name)),
		counted: make([][]counted, n), withoutWait: make([][]source, n),
	}
	if u.f == nil {
		return nil, fmt.Errorf("transfer function %q is not known to the clocked engine", p.model.Word(v, "f"))
	}
	var err error
	if u.window, _, err = event.FromMS(num("spike_window")); err != nil {
		return nil, fmt.Errorf("spike_window: %w", err)
	}
	u.gain = 1000 / num("spike_window")
	if u.sigma > 0 || u.etaB > 0 {
		if u.hold, _, err = event.FromMS(num("noise_hold")); err != nil || u.hold <= 0 {
			return nil, fmt.Errorf("noise_hold = %g ms, want at least 1 ps", num("noise_hold"))
		}
	}
	for i := range n {
		u.b[i] = num("b")
		if list := v["b"].List; list != nil {
			u.b[i] = list[i]
		}
		if u.start[i], _, err = e.model.Start(p.index, "z", i); err != nil {
			return nil, err
		}
	}
	copy(u.z, u.start)
	return u, nil
}

// makeOrder puts the rate units into an order in which those connected without
// delay come after their sources.
func (e *Engine) makeOrder() error {
	waits := map[unit]int{}
	out := map[unit][]unit{}
	for _, p := range e.projs {
		if p.src.units == nil && p.src.levels == nil || p.tgt.units == nil {
			continue
		}
		for i, s := range p.syn {
			if s.axonal+s.dendritic > 0 {
				continue
			}
			to := unit{p.tgt, int(s.target)}
			p.tgt.units.withoutWait[s.target] = append(p.tgt.units.withoutWait[s.target], source{p, i})
			if p.src.units != nil {
				from := unit{p.src, int(s.source)}
				out[from] = append(out[from], to)
				waits[to]++
			}
		}
	}
	all := 0
	for _, p := range e.pops {
		if p.units == nil {
			continue
		}
		for i := range p.desc.N {
			all++
			if u := (unit{p, i}); waits[u] == 0 {
				e.order = append(e.order, u)
			}
		}
	}
	for k := 0; k < len(e.order); k++ {
		for _, to := range out[e.order[k]] {
			if waits[to]--; waits[to] == 0 {
				e.order = append(e.order, to)
			}
		}
	}
	if len(e.order) < all {
		for _, p := range e.pops {
			for i := range p.desc.N {
				if waits[unit{p, i}] > 0 {
					return fmt.Errorf("clocked: rate unit %d of %q is on or behind a cycle of connections without delay", i, p.desc.Name)
				}
			}
		}
	}
	return nil
}

// computeUnits computes all rate units at t.
func (e *Engine) computeUnits(t event.Time) error {
	for _, p := range e.pops {
		if p.units != nil {
			p.units.ticks(t)
		}
	}
	for _, q := range e.order {
		u, i := q.p.units, q.i
		x := q.p.current[slot(e.n, len(q.p.current))][i]
		for _, s := range u.withoutWait[i] {
			y := &s.p.syn[s.i]
			x += s.p.weightFor(s.i, t) * s.p.src.outAt(e.n)[y.source]
		}
		w := 0.0
		for _, port := range q.p.input[slot(e.n, len(q.p.input))] {
			w += port[i]
		}
		if w != 0 {
			u.counted[i] = append(u.counted[i], counted{t + u.window, w})
		}
		for len(u.counted[i]) > 0 && u.counted[i][0].until <= t {
			u.counted[i] = u.counted[i][1:]
		}
		for _, c := range u.counted[i] {
			x += c.w * u.gain
		}
		z := u.f(x + u.b[i] + u.eps[i])
		if math.IsNaN(z) || math.IsInf(z, 0) {
			return &network.StoppedError{At: t, Population: q.p.desc.Name, Reason: fmt.Sprintf("unit %d: input %g, output %g, want finite numbers", i, x, z)}
		}
		u.z[i] = z
		out := q.p.outAt(e.n)
		out[i] = q.p.outAt(e.n - 1)[i]
		if math.Abs(z-out[i]) > u.delta {
			out[i] = z
			e.stats.RateChanges++
		}
	}
	return nil
}

// ticks draws the noise and moves the bias at the last multiple of noise_hold
// that was reached.
func (u *units) ticks(t event.Time) {
	if u.hold == 0 || t < event.Time(u.tick)*u.hold {
		return
	}
	k := int64(t / u.hold)
	for i := range u.z {
		if u.sigma > 0 {
			u.eps[i] = u.sigma * random.NormalOf(u.noise.At(uint64(i), uint64(k)))
		}
		if u.etaB > 0 && k > 0 {
			u.b[i] += u.etaB * (u.target*ms(u.hold)*float64(k-u.tick+1) - u.area[i])
			u.area[i] = 0
		}
	}
	u.tick = k + 1
}

// pass lets h ms go by.
func (u *units) pass(h float64) {
	for i, z := range u.z {
		u.area[i] += z * h
	}
}
