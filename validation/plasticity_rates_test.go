package validation

import (
	"cmp"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"hmn/event"
	"hmn/event/quantity"
	"hmn/network"
	"hmn/synapse"
)

// Rules between rate units, against their equations solved piece by piece where x
// and z are constant, in 128 digits.

// rateBond is a synapse between two given signals.
type rateBond struct {
	x, z              []hmnLevel
	axonal, dendritic event.Time
	weight            float64
}

// rateRule is one rule of the table.
type rateRule struct {
	name, model string
	params      quantity.Values
	wMin, wMax  float64
	state       float64 // θ at t = 0
	// piece takes weight and state over h ms with inputs x and z, without bounds
	// inside, to be called again from where turn is less than h.
	piece func(w, state real, x, z float64, h real) (real, real)
	// turn is where in (0, h) the drift changes its sign; nil where it never does.
	turn func(state real, x, z float64, h real) real
}

func (r *rateRule) weights(b *rateBond, reads []event.Time) (out []account) {
	type change struct {
		at  event.Time
		x   bool
		v   float64
		end bool
	}
	var all []change
	for _, l := range b.x {
		all = append(all, change{at: l.at + b.axonal, x: true, v: l.value})
	}
	for _, l := range b.z {
		all = append(all, change{at: l.at + b.dendritic, v: l.value})
	}
	for _, t := range reads {
		all = append(all, change{at: t, end: true})
	}
	slices.SortStableFunc(all, func(p, q change) int { return cmp.Compare(p.at, q.at) })
	a := account{num(b.weight), fresh()}
	state, x, z, now := num(r.state), 0.0, 0.0, event.Time(0)
	lo, hi := num(r.wMin), num(r.wMax)
	for _, c := range all {
		h := over(whole(int64(c.at-now)), whole(1e9))
		for h.Sign() > 0 {
			part := h
			if r.turn != nil {
				if s := r.turn(state, x, z, h); s != nil {
					part = s
				}
			}
			w, next := r.piece(a.w, state, x, z, part)
			a.add(minus(w, a.w), lo, hi)
			state, h = next, minus(h, part)
		}
		switch now = c.at; {
		case c.end:
			out = append(out, a)
		case c.x:
			x = c.v
		default:
			z = c.v
		}
	}
	return out
}

func hebbRule(eta, wMax float64) rateRule {
	return rateRule{name: "hebb", model: "hebb", wMax: wMax, params: values("eta", eta, "w_max", wMax),
		piece: func(w, s real, x, z float64, h real) (real, real) {
			return plus(w, times(num(eta), num(x), num(z), h)), s
		}}
}

func ojaRule(eta, wMax float64) rateRule {
	return rateRule{name: "oja", model: "oja", wMax: wMax, params: values("eta", eta, "w_max", wMax),
		piece: func(w, s real, x, z float64, h real) (real, real) {
			if z == 0 {
				return w, s
			}
			// dw/dt = η z (x − z w): w goes to x/z with the rate η z².
			rest, keep := over(num(x), num(z)), expReal(neg(times(num(eta), num(z), num(z), h)))
			return plus(rest, times(minus(w, rest), keep)), s
		}}
}

func bcmRule(eta, tau, z0, theta, wMin, wMax float64) rateRule {
	square := func(z float64) real { return over(times(num(z), num(z)), num(z0)) }
	return rateRule{name: "bcm", model: "bcm", wMin: wMin, wMax: wMax, state: theta, params: values("eta", eta, "tau_theta", tau, "z_0", z0, "theta_0", theta, "w_min", wMin, "w_max", wMax),
		piece: func(w, s real, x, z float64, h real) (real, real) {
			// θ goes to q = z²/z_0; dw/dt = η x z (z − θ).
			q, keep := square(z), expReal(neg(over(h, num(tau))))
			mean := plus(times(minus(num(z), q), h), neg(times(minus(s, q), num(tau), minus(whole(1), keep))))
			return plus(w, times(num(eta), num(x), num(z), mean)), plus(q, times(minus(s, q), keep))
		},
		turn: func(s real, x, z float64, h real) real {
			a, b := minus(s, square(z)), minus(num(z), square(z))
			if a.Sign() == 0 || b.Sign() == 0 || a.Sign() != b.Sign() || !smaller(magnitude(b), magnitude(a)) {
				return nil
			}
			if at := times(num(tau), logReal(over(a, b))); smaller(at, h) && smaller(times(num(1e-20), h), at) {
				return at
			}
			return nil
		}}
}

// randomLevels steps to uniform values in [lo, hi], often to 0.
func randomLevels(rng *rand.Rand, n int, mean, lo, hi float64) (out []hmnLevel) {
	at := 0.0
	for range n {
		v := lo + (hi-lo)*rng.Float64()
		if rng.IntN(5) == 0 {
			v = 0
		}
		out = append(out, hmnLevel{ms(at), v})
		at += 0.001 + rng.ExpFloat64()*mean
	}
	return out
}

// checkRatePieces is the table of the rules between rate units.
func checkRatePieces(t *testing.T, mode mode) (rows []Check) {
	n := []int{300, 5000, 5000}[mode]
	type scene struct {
		name, why string
		bonds     func(rng *rand.Rand, r *rateRule) []rateBond
		end       event.Time
	}
	some := func(changes int, mean, lo, hi float64) func(rng *rand.Rand, r *rateRule) []rateBond {
		return func(rng *rand.Rand, r *rateRule) (out []rateBond) {
			for range 12 {
				out = append(out, rateBond{x: randomLevels(rng, changes, mean, lo, hi), z: randomLevels(rng, changes, mean, lo, hi),
					axonal: ms(1) + event.Time(rng.Int64N(5e9)), dendritic: event.Time(rng.Int64N(5e9)), weight: r.wMin + (r.wMax-r.wMin)*rng.Float64()})
			}
			return out
		}
	}
	scenes := []scene{
		{"random steps", "12 synapses, steps of both sides at random", some(n, 20, 0, 1.5), event.Time(n) * ms(20)},
		{"steps of both signs", "12 synapses; the weight goes to its bounds and back", some(200, 40, -1.5, 1.5), 8 * event.Second},
		{"both sides at one instant, delay sides", "steps every 50 ms, of both sides together or apart by a picosecond", func(rng *rand.Rand, r *rateRule) (out []rateBond) {
			for k := range 8 {
				b := rateBond{axonal: ms(1) + event.Time(k)*ms(0.5), dendritic: ms(4) - event.Time(k)*ms(0.5), weight: (r.wMin + r.wMax) / 2}
				for i := range 20 {
					at := ms(50 * float64(i+1))
					b.x = append(b.x, hmnLevel{at - b.axonal, rng.Float64()})
					b.z = append(b.z, hmnLevel{at - b.dendritic + event.Time(rng.IntN(3)-1), rng.Float64()})
				}
				out = append(out, b)
			}
			return out
		}, 2 * event.Second},
		{"9·10⁶ s of silence", "and again a step, of the same size", func(rng *rand.Rand, r *rateRule) (out []rateBond) {
			for k := range 4 {
				pulse := func(at float64, v float64) []hmnLevel { return []hmnLevel{{ms(at), v}, {ms(at + 300), 0}} }
				b := rateBond{axonal: ms(1), weight: r.wMin + (r.wMax-r.wMin)*0.3}
				b.x = append(pulse(100, 0.7), pulse(9e9+100, 0.9)...)
				b.z = append(pulse(150, 0.5+0.2*float64(k)), pulse(9e9+120, 0.8)...)
				out = append(out, b)
			}
			return out
		}, ms(9e9 + 5000)},
	}
	for i, r := range []rateRule{hebbRule(1e-5, 2), hebbRule(2e-3, 2), ojaRule(1e-4, 3), ojaRule(5e-3, 0.8), bcmRule(1e-4, 1000, 1, 1, 0, 2), bcmRule(2e-3, 120, 0.6, 0.2, 0.1, 1)} {
		if _, ok := synapse.Lookup(r.model); !ok {
			continue
		}
		if i%2 == 1 {
			r.name += ", large steps"
		}
		for k, s := range scenes {
			bonds := s.bonds(rand.New(rand.NewPCG(40, uint64(10*i+k))), &r)
			var x, z [][]hmnLevel
			p := network.Projection{Name: "plastic", Source: "pre", Target: "post", Rule: network.EdgeList, Autapses: true, Multapses: true, Synapse: r.model, SynapseParams: r.params}
			for i, b := range bonds {
				x, z = append(x, b.x), append(z, b.z)
				p.Edges = append(p.Edges, edge(i, i, b.weight, b.axonal, b.dendritic))
			}
			every := s.end / 100
			m := &network.Model{Populations: []network.Population{levels("pre", x), levels("post", z)}, Projections: []network.Projection{p},
				Records: []network.Record{record(network.RecordWeight, "plastic", every)}}
			var reads []event.Time
			for k := event.Time(5); k <= 100; k += 5 {
				reads = append(reads, k*every)
			}
			run := func(workers, pieces int) (*tape, [][]float64) {
				net := build(t, m, workers)
				defer net.Close()
				r := &tape{}
				for k := range pieces {
					advance(t, net, (s.end+1)*event.Time(k+1)/event.Time(pieces)-(s.end+1)*event.Time(k)/event.Time(pieces), r)
				}
				var w [][]float64
				for i := range bonds {
					_, x := r.signal(0, i)
					w = append(w, x)
				}
				return r, w
			}
			one, got := run(1, 1)
			worst := 0.0
			for i := range bonds {
				for k, a := range r.weights(&bonds[i], reads) {
					e := math.Abs(double(minus(num(got[i][5*(k+1)]), a.w))) / (double(a.total) + r.wMax)
					worst = math.Max(worst, e)
				}
			}
			rows = append(rows, Check{Name: r.name + ": " + s.name, Unit: "Σ|Δw|+w_max", Expected: 0, Got: worst, Tolerance: 1e-12, Why: s.why + "; pieces in closed form"})
			if s.end < event.MaxTime/4 {
				differ := 0
				if many, _ := run(3, 7); many.hash() != one.hash() {
					differ = 1
				}
				rows = append(rows, Check{Name: "… in 7 pieces with 3 workers: differs", Unit: "1", Expected: 0, Got: float64(differ), Why: "bit for bit"})
			}
		}
	}
	return append(rows, checkPrincipal(t)...)
}

// checkPrincipal is a linear unit under Oja's rule, which finds the first
// eigenvector of its inputs.
func checkPrincipal(t *testing.T) []Check {
	if _, ok := synapse.Lookup("oja"); !ok {
		return nil
	}
	// x is ±√(2λ_1) e_1 and ±√(2λ_2) e_2 in random order: ⟨x xᵀ⟩ = [[3, 1], [1, 2]],
	// and w = e_1 rests at each of them.
	const eta, step = 1e-4, 20.0
	root := math.Sqrt(5)
	angle := 0.5 * math.Atan2(2, 1)
	rng := rand.New(rand.NewPCG(43, 0))
	var x [2][]hmnLevel
	for k := range 5000 {
		size, turn := math.Sqrt(5+root), angle
		if rng.IntN(2) == 0 {
			size, turn = math.Sqrt(5-root), angle+math.Pi/2
		}
		if rng.IntN(2) == 0 {
			size = -size
		}
		for i, y := range []float64{math.Cos(turn), math.Sin(turn)} {
			x[i] = append(x[i], hmnLevel{ms(float64(k) * step), size * y})
		}
	}
	p := edges("in", "out", edge(0, 0, 0.3, ms(1), 0), edge(1, 0, 0.9, ms(1), 0))
	p.Synapse, p.SynapseParams = "oja", values("eta", eta, "w_max", 2.0, "hold", step)
	m := &network.Model{Populations: []network.Population{levels("in", x[:]), population("out", 1, "rate", values("f", "linear"), nil)},
		Projections: []network.Projection{p}, Records: []network.Record{record(network.RecordWeight, p.Name, event.Second)}}
	r := play(t, m, 100*event.Second+1)
	_, w1 := r.signal(0, 0)
	_, w2 := r.signal(0, 1)
	why := "the first eigenvector of ⟨x xᵀ⟩ = [[3, 1], [1, 2]]; what is left of the start is e^(−η t (λ_1 − λ_2)), t = 100 s"
	return []Check{
		{Name: "oja: a linear unit and two inputs, w_1", Unit: "1", Expected: math.Cos(angle), Got: w1[len(w1)-1], Tolerance: 1e-8, Why: why},
		{Name: "… w_2", Unit: "1", Expected: math.Sin(angle), Got: w2[len(w2)-1], Tolerance: 1e-8, Why: why},
	}
}
