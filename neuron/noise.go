package neuron

import (
	"math"

	"hmn/event"
	"hmn/event/fmath"
	"hmn/event/quantity"
	"hmn/event/random"
)

func init() {
	pMean := quantity.Param{Key: "mean", Unit: "pA", Doc: "mean of the current", Min: -1e9, Max: 1e9}
	hold := func(key, doc string) quantity.Param {
		return quantity.Param{Key: key, Unit: "ms", Doc: doc, Default: 1, Min: 1e-3, Max: 1e6}
	}
	const ou = "dI/dt = −(I − mean)/tau + sigma √(2/tau) ξ(t)"
	Register(Model{
		Name: "ou_current", Kind: LevelSource,
		Doc: "Ornstein–Uhlenbeck current, one independent realisation per neuron: " + ou + ", started in its stationary state. Its values at the whole multiples k·hold are exact, " +
			"I_k+1 = mean + (I_k − mean) e^(−hold/tau) + sigma √(1 − e^(−2 hold/tau)) ξ_k, and are held in between. A projection of weight w, a plain factor, injects w·I; connect one to one for noise that is independent between targets.",
		Cite: "Uhlenbeck & Ornstein 1930, doi:10.1103/PhysRev.36.823; exact update: Gillespie 1996, doi:10.1103/PhysRevE.54.2084",
		Params: []quantity.Param{pMean,
			{Key: "sigma", Unit: "pA", Doc: "stationary standard deviation", Equation: ou, Required: true, Min: 0, Max: 1e9},
			{Key: "tau", Unit: "ms", Doc: "correlation time", Equation: ou, Required: true, Min: 1e-3, Max: 1e9},
			hold("hold", "interval at which the process is sampled and held"),
		},
	})
	Register(Model{
		Name: "noise_current", Kind: LevelSource,
		Doc: "Gaussian white noise current, one independent realisation per neuron: a new value, normal with mean and standard deviation std, at every whole multiple of dt, held in between (NEST's noise_generator; its std_mod is not here). " +
			"A projection of weight w, a plain factor, injects w·I; connect one to one for noise that is independent between targets.",
		Cite:   "noise_generator of NEST; Mattia & Del Giudice 2004, doi:10.1103/PhysRevE.70.052903",
		Params: []quantity.Param{pMean, {Key: "std", Unit: "pA", Doc: "standard deviation of the values", Required: true, Min: 0, Max: 1e9}, hold("dt", "interval after which a new value is drawn")},
	})
}

// noise is the values of a population of ou_current or noise_current at the
// whole multiples of hold. Draw k of neuron i is keyed by (i, k). A value hangs
// on all draws before it, so it is carried from tick to tick; asked for a tick
// that has passed, it starts from t = 0 again.
type noise struct {
	mean, stay, kick float64 // z' = stay z + kick ξ
	first            float64 // kick of tick 0: the stationary deviation
	hold             event.Time
	key              random.Key
	next             event.Time // the coming tick
	z                []float64  // value less mean, of the tick before
}

// newNoise makes the noise of n neurons from checked parameters.
func newNoise(m *Model, v quantity.Values, n int, seed uint64, population string) (*noise, error) {
	x := &noise{mean: m.Number(v, "mean"), z: make([]float64, n),
		key: random.NewKey(seed, random.StreamNoise, random.Name(population))}
	hold := m.Number(v, map[string]string{"ou_current": "hold", "noise_current": "dt"}[m.Name])
	if m.Name == "ou_current" {
		h := hold / m.Number(v, "tau")
		x.first = m.Number(v, "sigma")
		x.stay, x.kick = fmath.Exp(-h), float64(x.first*math.Sqrt(-fmath.Expm1(-2*h)))
	} else {
		x.first = m.Number(v, "std")
		x.kick = x.first
	}
	var err error
	x.hold, _, err = event.FromMS(hold)
	return x, err
}

// changes appends the changes of neurons [lo, hi) in [from, to) to dst.
func (x *noise) changes(lo, hi int, from, to event.Time, dst []Change) []Change {
	if from < x.next-x.hold+1 {
		x.next = 0
		clear(x.z)
	}
	for ; x.next < to; x.next += x.hold {
		tick, kick := uint64(x.next/x.hold), x.kick
		if tick == 0 {
			kick = x.first
		}
		for i, z := range x.z {
			old := x.mean + z
			if tick == 0 {
				old = 0
			}
			a, b := x.key.At(uint64(i), tick)
			z = float64(x.stay*z) + float64(kick*random.NormalOf(a, b))
			x.z[i] = z
			if now := x.mean + z; x.next >= from && i >= lo && i < hi && now != old {
				dst = append(dst, Change{x.next, uint32(i), old, now})
			}
		}
	}
	return dst
}
