package neuron

import (
	"math"

	"hmn/event"
	"hmn/event/fmath"
	"hmn/event/quantity"
)

func init() {
	const cite = "Carnevale & Hines 2006, The NEURON Book, ISBN 978-0-521-84321-8, ch. 10; intfire1.mod, intfire2.mod, intfire4.mod of NEURON"
	tau := func(key, doc, equation string, x float64) quantity.Param {
		return quantity.Param{Key: key, Unit: "ms", Doc: doc, Equation: equation, Default: x, Min: 1e-3, Max: 1e6}
	}
	state := func(key, doc string) quantity.Param {
		return quantity.Param{Key: key, Unit: "1", Doc: doc, Min: -1e9, Max: 1e9}
	}
	const one = "tau dm/dt = −m; m > 1 → spike, m = 0 for refrac"
	Register(Model{
		Name: "IntFire1", Kind: Spiking,
		Doc: "NEURON's IntFire1, a leaky integrator of events: " + one + ". An arrival adds its weight to m; during the refractory period arrivals are discarded. " +
			"Arrivals of one instant are added before the threshold is tested.",
		Cite: cite,
		Params: []quantity.Param{tau("tau", "time constant of m", one, 10),
			{Key: "refrac", Unit: "ms", Doc: "refractory period, [t_spike, t_spike + refrac), in which m is held at 0", Equation: one, Default: 5, Min: 0, Max: 1e6}},
		States: []quantity.Param{state("m", "membrane state")}, Ports: []string{"ex", "in"}, WeightUnit: "1",
		New: func(v quantity.Values, n int) (Dynamics, error) { return newIntFire1(v, n) },
	})
	const two = "taus di/dt = ib − i, taum dm/dt = i − m; m = 1 → spike, m = 0"
	Register(Model{
		Name: "IntFire2", Kind: Spiking,
		Doc: "NEURON's IntFire2, a leaky integrator of a decaying current: " + two + ", while i goes on. An arrival adds its weight to i. " +
			"NEURON changes taus where it does not exceed taum; here they may have any order.",
		Cite: cite,
		Params: []quantity.Param{tau("taum", "time constant of m", two, 10), tau("taus", "time constant of i", two, 20),
			{Key: "ib", Unit: "1", Doc: "constant current; above 1 the neuron fires by itself", Equation: two, Min: -1e6, Max: 1e6}},
		States: []quantity.Param{state("m", "membrane state"), state("i", "current; starts at ib unless init says otherwise")}, Ports: []string{"ex", "in"}, WeightUnit: "1",
		New: func(v quantity.Values, n int) (Dynamics, error) { return newIntFire2(v, n), nil },
	})
	const four = "de/dt = −e/taue, di1/dt = −i1/taui1, di2/dt = −i2/taui2 + a1 i1, dm/dt = −m/taum + ae e + a2 i2; m = 1 → spike, m = 0"
	Register(Model{
		Name: "IntFire4", Kind: Spiking,
		Doc: "NEURON's IntFire4, fast excitatory current and slower inhibitory one on a slow membrane: " + four + ", while the currents go on. " +
			"Positive weights add to e, negative ones to i1; ae, a1 and a2 are such that a weight of 1 alone gives an m that peaks at 1, a weight of −1 an i2 and an m that peak at −1. " +
			"NEURON wants taue < taui1 < taui2 < taum and changes them otherwise; here they may have any order. NEURON fires at 1 − 1e-6.",
		Cite: cite,
		Params: []quantity.Param{tau("taue", "time constant of the excitatory current", four, 5), tau("taui1", "rise of the inhibitory current", four, 10),
			tau("taui2", "decay of the inhibitory current", four, 20), tau("taum", "time constant of m", four, 50)},
		States: []quantity.Param{state("m", "membrane state"), state("e", "excitatory current"), state("i1", "source of the inhibitory current"), state("i2", "inhibitory current")},
		Ports:  []string{"ex", "in"}, WeightUnit: "1",
		New: func(v quantity.Values, n int) (Dynamics, error) { return newIntFire4(v, n), nil },
	})
}

// intFire1 is a block of IntFire1. Each neuron keeps its own time.
type intFire1 struct {
	rate   float64 // 1/tau
	refrac event.Time
	all    []intFire1Cell
	quiet  []event.Time
}

type intFire1Cell struct {
	m        float64
	at, free event.Time // local time; end of refractoriness
}

func newIntFire1(v quantity.Values, n int) (*intFire1, error) {
	m, _ := Lookup("IntFire1")
	refrac, _, err := event.FromMS(m.Number(v, "refrac"))
	return &intFire1{rate: 1 / m.Number(v, "tau"), refrac: refrac, all: make([]intFire1Cell, n), quiet: make([]event.Time, n)}, err
}

// Advance carries neuron i to `to`: see Dynamics. Only an arrival can make it
// fire, or a start value above 1.
func (f *intFire1) Advance(i int, _, to event.Time, arrivals []Arrival, spikes []event.Time) ([]event.Time, error) {
	x := &f.all[i]
	if f.quiet[i] == 0 {
		f.quiet[i] = event.MaxTime
		if x.m > 1 && (len(arrivals) == 0 || arrivals[0].At > 0) {
			spikes = f.fire(x, spikes)
		}
	}
	for k := 0; k < len(arrivals); {
		t := arrivals[k].At
		f.move(x, t)
		for ; k < len(arrivals) && arrivals[k].At == t; k++ {
			if t >= x.free {
				x.m += arrivals[k].Weight
			}
		}
		if !(x.m <= 1) {
			if math.IsNaN(x.m) {
				return spikes, ErrNaN
			}
			spikes = f.fire(x, spikes)
		}
	}
	return spikes, nil
}

func (f *intFire1) fire(x *intFire1Cell, spikes []event.Time) []event.Time {
	x.m, x.free = 0, x.at+f.refrac
	return append(spikes, x.at)
}

// move takes a neuron to t; a refractory one stays at 0.
func (f *intFire1) move(x *intFire1Cell, t event.Time) {
	x.m = float64(x.m * fmath.Exp(-f.rate*(t-x.at).MS()))
	x.at = t
}

// Quiet implements Lazy.
func (f *intFire1) Quiet() []event.Time { return f.quiet }

// Sync implements Lazy.
func (f *intFire1) Sync(i int, t event.Time) { f.move(&f.all[i], t) }

// Copy implements Copier.
func (f *intFire1) Copy(dst, src int) { f.all[dst], f.quiet[dst] = f.all[src], f.quiet[src] }

// State gives access to m, the one state variable.
func (f *intFire1) State(i int, key string) *float64 {
	if key == "m" {
		return &f.all[i].m
	}
	return nil
}

func newIntFire2(v quantity.Values, n int) *cascadeNeurons {
	m, _ := Lookup("IntFire2")
	c := newCascadeNeurons(n, "m", "i")
	c.bias = m.Number(v, "ib")
	c.k0, c.k1 = 1/m.Number(v, "taum"), 1/m.Number(v, "taus")
	c.g[0] = c.k0
	c.level, c.resets = 1, true
	c.start(0, c.bias)
	return c
}

func newIntFire4(v quantity.Values, n int) *cascadeNeurons {
	m, _ := Lookup("IntFire4")
	c := newCascadeNeurons(n, "m", "e", "i2", "i1")
	c.k0, c.k1 = 1/m.Number(v, "taum"), 1/m.Number(v, "taue")
	c.k2, c.k3 = 1/m.Number(v, "taui2"), 1/m.Number(v, "taui1")
	c.g[0] = 1 / response2(c.k0, c.k1, peak2(c.k0, c.k1))
	c.h = 1 / response2(c.k2, c.k3, peak2(c.k2, c.k3))
	c.g[1] = 1 / (c.h * response3(c.k0, c.k2, c.k3, peak3(c.k0, c.k2, c.k3)))
	c.level, c.resets, c.inhibitory = 1, true, 2
	return c
}
