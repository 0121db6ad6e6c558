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

// intFire1 is a block of IntFire1.
type intFire1 struct {
	rate   float64 // 1/tau
	refrac event.Time
	m      []float64    // at the start of the coming window
	free   []event.Time // end of refractoriness
}

func newIntFire1(v quantity.Values, n int) (*intFire1, error) {
	m, _ := Lookup("IntFire1")
	refrac, _, err := event.FromMS(m.Number(v, "refrac"))
	return &intFire1{rate: 1 / m.Number(v, "tau"), refrac: refrac, m: make([]float64, n), free: make([]event.Time, n)}, err
}

// Advance carries neuron i through the window [from, to): see Dynamics. Only an
// arrival can make it fire, or a start value above 1.
func (f *intFire1) Advance(i int, from, to event.Time, arrivals []Arrival, spikes []event.Time) ([]event.Time, error) {
	m := f.m[i]
	for now, k := from, 0; ; {
		held := now < f.free[i]
		for ; k < len(arrivals) && arrivals[k].At == now; k++ {
			if !held {
				m += arrivals[k].Weight
			}
		}
		if !(m <= 1) {
			if math.IsNaN(m) {
				return spikes, ErrNaN
			}
			spikes = append(spikes, now)
			m, f.free[i] = 0, now+f.refrac
		}
		next := to
		if k < len(arrivals) {
			next = arrivals[k].At
		}
		// m is 0 during refractoriness: it decays to itself.
		m = float64(m * fmath.Exp(-f.rate*(next-now).MS()))
		if now = next; now == to {
			break
		}
	}
	f.m[i] = m
	return spikes, nil
}

func (f *intFire1) State(i int, key string) *float64 {
	if key == "m" {
		return &f.m[i]
	}
	return nil
}

func newIntFire2(v quantity.Values, n int) *cascadeNeurons {
	m, _ := Lookup("IntFire2")
	c := newCascadeNeurons(n)
	ib := m.Number(v, "ib")
	c.k0, c.k1 = 1/m.Number(v, "taum"), 1/m.Number(v, "taus")
	c.g[0] = c.k0
	c.rest, c.bias, c.level, c.resets = ib, ib, 1, true
	for i := range c.x0 {
		c.x0[i] = ib
	}
	c.keys = map[string][]float64{"m": c.v, "i": c.x0}
	return c
}

func newIntFire4(v quantity.Values, n int) *cascadeNeurons {
	m, _ := Lookup("IntFire4")
	c := newCascadeNeurons(n)
	c.k0, c.k1 = 1/m.Number(v, "taum"), 1/m.Number(v, "taue")
	c.k2, c.k3 = 1/m.Number(v, "taui2"), 1/m.Number(v, "taui1")
	c.g[0] = 1 / response2(c.k0, c.k1, peak2(c.k0, c.k1))
	c.h = 1 / response2(c.k2, c.k3, peak2(c.k2, c.k3))
	c.g[1] = 1 / (c.h * response3(c.k0, c.k2, c.k3, peak3(c.k0, c.k2, c.k3)))
	c.level, c.resets, c.inhibitory = 1, true, 2
	c.keys = map[string][]float64{"m": c.v, "e": c.x0, "i1": c.y, "i2": c.x1}
	return c
}
