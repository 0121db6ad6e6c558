package neuron

import (
	"math"
	"math/big"
	"math/rand/v2"
	"slices"
	"testing"

	"hmn/event"
	"hmn/event/quantity"
)

// bigExp is exp(−x) to about 1e-50 relative, x ≥ 0.
func bigExp(x *big.Float) *big.Float {
	const prec = 400
	y := new(big.Float).SetPrec(prec).Quo(x, big.NewFloat(1<<20))
	sum, term := big.NewFloat(1).SetPrec(prec), big.NewFloat(1).SetPrec(prec)
	for n := 1; n < 40; n++ {
		term.Mul(term, y).Quo(term, big.NewFloat(float64(n))).Neg(term)
		sum.Add(sum, term)
	}
	for range 20 {
		sum.Mul(sum, sum)
	}
	return sum
}

// TestDividedDifferences compares the divided differences of the exponential with their
// definition in 400 bits, also where the rates nearly meet.
func TestDividedDifferences(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	dd := func(s float64, k ...float64) float64 {
		// Σ exp(−k_i s)/Π_{j≠i}(k_j − k_i): the n-th divided difference up to sign.
		sum := new(big.Float).SetPrec(400)
		for i, ki := range k {
			x := new(big.Float).SetPrec(400).Mul(big.NewFloat(ki), big.NewFloat(s))
			e := bigExp(x)
			for j, kj := range k {
				if j != i {
					e.Quo(e, new(big.Float).SetPrec(400).Sub(big.NewFloat(kj), big.NewFloat(ki)))
				}
			}
			sum.Add(sum, e)
		}
		f, _ := sum.Float64()
		return f
	}
	worst2, worst3 := 0.0, 0.0
	for range 3000 {
		a := math.Exp(4 * (rng.Float64() - 0.5))
		near := math.Exp(-20 * rng.Float64())
		b, c := a*(1+near*rng.Float64()), a*(1+near*rng.Float64()*3)
		if a == b || b == c || a == c {
			continue
		}
		s := 4 * rng.Float64()
		worst2 = max(worst2, math.Abs(response2(a, b, s)/dd(s, a, b)-1), math.Abs(response2(b, a, s)/dd(s, a, b)-1))
		want := dd(s, a, b, c)
		for _, got := range []float64{response3(a, b, c, s), response3(c, a, b, s), response3(b, c, a, s)} {
			worst3 = max(worst3, math.Abs(got/want-1))
		}
	}
	// A few roundings each; the difference of two responses loses at most a
	// factor of about 10 for (c − a) s > 1/2.
	if worst2 > 2e-15 || worst3 > 4e-14 {
		t.Errorf("relative errors %g and %g", worst2, worst3)
	}
	if got := response3(0.5, 0.5, 0.5, 2); math.Abs(got-2*math.Exp(-1)) > 1e-15 { // s²/2 e^{−as}
		t.Errorf("three equal rates: %v", got)
	}
}

// TestIntFire4Normal: a weight of 1 gives an m that peaks at 1, a weight of −1
// an i2 and an m that peak at −1, equal time constants included.
func TestIntFire4Normal(t *testing.T) {
	for _, tau := range [][4]float64{{5, 10, 20, 50}, {10, 10, 20, 20}, {7, 7, 7, 7}, {50, 20, 10, 5}} {
		v := quantity.Values{"taue": {Number: tau[0]}, "taui1": {Number: tau[1]}, "taui2": {Number: tau[2]}, "taum": {Number: tau[3]}}
		for _, port := range []uint8{0, 1} {
			c := newIntFire4(v, 1)
			c.level = 2 // never fires
			w := 1 - 2*float64(port)
			at := []Arrival{{At: 0, Port: port, Weight: w}}
			peak, peakI := 0.0, 0.0
			for k := range event.Time(40000) {
				if _, err := c.Advance(0, k*10*event.Microsecond, (k+1)*10*event.Microsecond, at, nil); err != nil {
					t.Fatal(err)
				}
				at = nil
				c.Sync(0, (k+1)*10*event.Microsecond)
				peak, peakI = max(peak, w*c.all[0].u), max(peakI, -c.all[0].x1)
			}
			// The samples miss the peak by up to 5 µs: (0.005)²/2 · |m''| < 1e-5 · 1/25.
			if math.Abs(peak-1) > 1e-6 || port == 1 && math.Abs(peakI-1) > 1e-6 {
				t.Errorf("tau %v, weight %v: m peaks at %v, i2 at %v", tau, w, peak, peakI)
			}
		}
	}
}

// TestCascadeCrossings: no crossing is missed, against a dense scan of the
// margin, double crossings near a peak included.
func TestCascadeCrossings(t *testing.T) {
	found, double := 0, 0
	for seed := range uint64(4000) {
		rng := rand.New(rand.NewPCG(seed, 3))
		c := newIntFire4(quantity.Values{"taue": {Number: 0.2 + 3*rng.Float64()}, "taui1": {Number: 0.2 + 3*rng.Float64()},
			"taui2": {Number: 0.2 + 4*rng.Float64()}, "taum": {Number: 0.5 + 5*rng.Float64()}}, 1)
		c.r = [2]float64{rng.Float64(), 3 * rng.Float64()}
		y := cascadeState{u: rng.NormFloat64(), x0: 3 * rng.NormFloat64(), x1: rng.NormFloat64(), y: 2 * rng.NormFloat64(), th: [2]float64{rng.Float64(), rng.NormFloat64()}}
		const L, steps = 4.0, 4000
		top, at := math.Inf(-1), 0.0
		var z cascadeState
		for k := range steps + 1 {
			c.advance(&z, &y, L*float64(k)/steps)
			if f := c.margin(&z); f > top {
				top, at = f, L*float64(k)/steps
			}
		}
		if at > 0 && seed%2 == 0 { // just above or just below the level
			c.level = top * (1 + 1e-9*rng.NormFloat64())
		} else {
			c.level = rng.NormFloat64()
		}
		if c.margin(&y) >= 0 {
			continue
		}
		c.advance(&z, &y, L)
		end := z
		s, ok := c.firstCrossing(&y, &end, L)
		scan := math.Inf(1)
		for k := range steps + 1 {
			if c.advance(&z, &y, L*float64(k)/steps); c.margin(&z) >= 0 {
				scan = L * float64(k) / steps
				break
			}
		}
		if !ok {
			if !math.IsInf(scan, 1) {
				t.Errorf("seed %d: missed a crossing before %v", seed, scan)
			}
			continue
		}
		found++
		c.advance(&z, &y, s)
		if math.Abs(c.margin(&z)) > 1e-11 || s > scan+1e-12 {
			t.Errorf("seed %d: crossing at %v with margin %g, scan %v", seed, s, c.margin(&z), scan)
		}
		if c.margin(&end) < 0 {
			double++
		}
	}
	if found < 1000 || double < 300 {
		t.Errorf("only %d crossings, %d of them double", found, double)
	}
}

// TestCascadeWindows: one long window equals many short ones to the last bit, with arrivals at
// their starts and ends and in refractoriness.
func TestCascadeWindows(t *testing.T) {
	for _, model := range []string{"IntFire1", "IntFire2", "IntFire4", "mat2_psc_exp"} {
		m, _ := Lookup(model)
		scale := map[string]float64{"mat2_psc_exp": 3000, "IntFire1": 0.5, "IntFire2": 2, "IntFire4": 0.8}[model]
		run := func(step event.Time) (spikes []event.Time, state []float64) {
			d, err := m.New(nil, 1)
			if err != nil {
				t.Fatal(err)
			}
			rng := rand.New(rand.NewPCG(5, 6))
			var in []Arrival
			for at := event.Time(0); at < 400*event.Millisecond; {
				w := scale * (rng.Float64() - 0.2)
				port := uint8(0)
				if w < 0 {
					port = 1
				}
				in = append(in, Arrival{At: at, Port: port, Weight: w})
				if rng.IntN(3) == 0 {
					at += event.Millisecond - at%event.Millisecond
				} else {
					at += event.Time(rng.ExpFloat64() * 0.7e9)
				}
			}
			for from, k := event.Time(0), 0; from < 400*event.Millisecond; from += step {
				j := k
				for j < len(in) && in[j].At < from+step {
					j++
				}
				n := len(spikes)
				spikes, err = d.Advance(0, from, from+step, in[k:j], spikes)
				if err != nil {
					t.Fatal(err)
				}
				for _, s := range spikes[n:] {
					if s < from || s >= from+step {
						t.Fatalf("%s: spike at %v in [%v, %v)", model, s, from, from+step)
					}
				}
				k = j
			}
			d.(Lazy).Sync(0, 400*event.Millisecond)
			for _, q := range m.States {
				state = append(state, *d.State(0, q.Key))
			}
			return spikes, state
		}
		one, x := run(400 * event.Millisecond)
		many, y := run(event.Millisecond / 4)
		if len(one) < 10 || len(one) != len(many) {
			t.Fatalf("%s: %d and %d spikes", model, len(one), len(many))
		}
		if !slices.Equal(one, many) || !slices.Equal(x, y) {
			t.Errorf("%s: windows change the result: spikes %v and %v, states %v and %v", model, one, many, x, y)
		}
	}
}

// TestIntFire1 follows NEURON's code by hand: m > 1 fires, at the arrival.
func TestIntFire1(t *testing.T) {
	f, err := newIntFire1(nil, 1) // tau 10 ms, refrac 5 ms
	if err != nil {
		t.Fatal(err)
	}
	at := func(ms, w float64) Arrival { return Arrival{At: event.Time(ms * 1e9), Weight: w} }
	in := []Arrival{at(0, 1), at(1, 0.09), at(1, 0.1), at(2, 50), at(6, 1), at(6, 1e-12), at(20, 0.5)}
	got, err := f.Advance(0, 0, 20*event.Millisecond+1, in, nil)
	if err != nil {
		t.Fatal(err)
	}
	// At 0, m = 1 exactly: no spike. At 1 ms, e^{−0.1} + 0.19 = 1.0948 > 1. At
	// 2 ms refractory. At 6 ms free again, m = 1 + 1e-12.
	want := []event.Time{event.Millisecond, 6 * event.Millisecond}
	if len(got) != 2 || got[0] != want[0] || got[1] != want[1] {
		t.Errorf("spikes at %v, want %v", got, want)
	}
	f.Sync(0, 20*event.Millisecond)
	if m := *f.State(0, "m"); math.Abs(m-0.5) > 1e-10 {
		t.Errorf("m = %v, want 0.5", m)
	}
}

func BenchmarkCascade(b *testing.B) {
	for _, model := range []string{"IntFire2", "IntFire4", "mat2_psc_exp"} {
		b.Run(model+"/arrivals=1e3", func(b *testing.B) {
			m, _ := Lookup(model)
			d, _ := m.New(nil, 1)
			w := map[string]float64{"mat2_psc_exp": 100, "IntFire2": 0.3, "IntFire4": 0.1}[model]
			in := make([]Arrival, 1000)
			spikes := make([]event.Time, 0, 1000)
			from := event.Time(0)
			b.ReportAllocs()
			for b.Loop() {
				for k := range in {
					in[k] = Arrival{At: from + event.Time(k)*event.Millisecond + 7, Weight: w}
				}
				spikes, _ = d.Advance(0, from, from+event.Second, in, spikes[:0])
				from += event.Second
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/1000, "ns/arrival")
		})
	}
}
