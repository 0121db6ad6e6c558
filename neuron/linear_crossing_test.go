package neuron

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"hmn/event"
)

// scan lists the potential of the free solution on [0, L] at n+1 points, and at
// the top of every peak between them, found by golden section.
func (l *Linear) scan(y state, L float64, n int) (at, v []float64) {
	f := func(s float64) float64 { return l.after(y, s).v }
	h := L / float64(n)
	var grid []float64
	for k := range n + 1 {
		grid = append(grid, f(min(h*float64(k), L)))
	}
	for k := range grid {
		at, v = append(at, min(h*float64(k), L)), append(v, grid[k])
		if k+1 == len(grid) {
			break
		}
		// A peak in (k, k+1) shows as a rise at k and a fall at k+1.
		a, z := l.after(y, h*float64(k)), l.after(y, min(h*float64(k+1), L))
		if !(l.slope(&a) > 0 && l.slope(&z) < 0) {
			continue
		}
		lo, hi := h*float64(k), h*float64(k+1)
		for range 100 { // the zero of the slope
			mid := 0.5 * (lo + hi)
			if m := l.after(y, mid); l.slope(&m) > 0 {
				lo = mid
			} else {
				hi = mid
			}
		}
		at, v = append(at, lo), append(v, f(lo))
	}
	return at, v
}

// firstOf is the first time at which the scanned solution reaches th.
func (l *Linear) firstOf(y state, at, v []float64, th float64) (float64, bool) {
	for k := 1; k < len(at); k++ {
		if v[k] < th {
			continue
		}
		lo, hi := at[k-1], at[k]
		for range 100 {
			mid := 0.5 * (lo + hi)
			if l.after(y, mid).v < th {
				lo = mid
			} else {
				hi = mid
			}
		}
		return hi, true
	}
	return 0, false
}

func ulp(x float64) float64 {
	x = math.Abs(x)
	return math.Nextafter(x, math.Inf(1)) - x
}

// TestFirstCrossing: no crossing is missed and none invented, and crossings are
// exact to 1 ps where |V'|·1 ps exceeds 8 ulp of V, else V is on the threshold
// to 8 ulp (of the terms that make up V). The threshold is set at random, and
// close to the highest peaks at distances from 1 mV to 1e-13 mV: that makes
// double crossings of any distance.
func TestFirstCrossing(t *testing.T) {
	found, none, double := 0, 0, 0
	eachLinear(t, func(t *testing.T, l *Linear, rng *rand.Rand) {
		n := 1000
		for k := range 30 {
			y := anyState(l, rng)
			L := l.tauM * math.Ldexp(rng.Float64(), 1-rng.IntN(6))
			switch k % 4 {
			case 0: // as in the networks: excitation and inhibition
				y.e, y.i, y.de, y.di = math.Abs(y.e), -math.Abs(y.i), math.Abs(y.de), -math.Abs(y.di)
			case 1: // excitation alone
				y.e, y.i, y.de, y.di = math.Abs(y.e), 0, math.Abs(y.de), 0
			case 2: // the potential starts near an inflection: V'' = 0
				if l.psc == Delta {
					break
				}
				for range 60 {
					_, d2, _ := l.derivatives(&y)
					y.v -= d2 * l.tauM * l.tauM // V'' is linear in V with slope 1/tau²
				}
				y.v *= 1 + (rng.Float64()-0.5)*math.Pow(10, -4*float64(rng.IntN(4)))
			}
			at, v := l.scan(y, L, n)
			top := v[1]
			for _, x := range v[1:] {
				top = max(top, x)
			}
			for range 12 {
				th := y.v + (top-y.v)*rng.Float64()
				if rng.IntN(2) == 0 {
					th = top - math.Pow(10, -13*rng.Float64())*(2*rng.Float64()-1)
				}
				if !(y.v < th) {
					continue
				}
				want, is := l.firstOf(y, at, v, th)
				got, ok := l.crossing(y, L, th)
				what := fmt.Sprintf("state %+v, L %v, threshold %v", y, L, th)
				// One ulp of the largest term is the unit of all that follows.
				u := ulp(max(math.Abs(th), l.size(y)/20))
				if ok != is {
					if math.Abs(top-th) > 8*u {
						t.Errorf("%s: crossing %v, %v, want %v, %v; the peak is %g above", what, got, ok, want, is, top-th)
					}
					continue
				}
				if !ok {
					none++
					continue
				}
				found++
				if v[len(v)-1] < th {
					double++
				}
				if !(got > 0 && got <= L) {
					t.Errorf("%s: crossing at %v", what, got)
				}
				z := l.after(y, want)
				if rate := l.slope(&z); rate*picosecond > 8*u {
					if math.Abs(got-want) > picosecond {
						t.Errorf("%s: crossing at %.15g, want %.15g: %.3g ps off", what, got, want, (got-want)/picosecond)
					}
				} else if d := l.after(y, got).v - th; math.Abs(d) > 8*u && math.Abs(got-want) > picosecond {
					t.Errorf("%s: V is off by %g mV, %.3g ulp", what, d, d/u)
				}
			}
		}
	})
	if found < 1000 || none < 200 || double < 200 {
		t.Errorf("%d crossings, %d of them double, %d states without: too few to tell", found, double, none)
	}
}

// TestDenseScan is the same against 10⁵ points without any help from peaks.
func TestDenseScan(t *testing.T) {
	l := mustLinear(t, "iaf_psc_alpha", num("tau_m", 20, "tau_syn_ex", 5, "tau_syn_in", 7, "C_m", 250))
	rng := rand.New(rand.NewPCG(5, 0))
	const n = 100_000
	for range 12 {
		y := anyState(l, rng)
		L := 40.0
		v := make([]float64, n+1)
		top := math.Inf(-1)
		for k := range v {
			v[k] = l.after(y, L*float64(k)/n).v
			top = max(top, v[k])
		}
		for range 40 {
			th := y.v + (top-y.v)*math.Sqrt(rng.Float64())
			if !(y.v < th) {
				continue
			}
			k := 0
			for k <= n && v[k] < th {
				k++
			}
			got, ok := l.crossing(y, L, th)
			// The first point at or above the threshold, and none of those
			// before, bounds the crossing; a peak between two points may come
			// first, but no earlier point is above.
			if k <= n && (!ok || got > L*float64(k)/n+picosecond) {
				t.Fatalf("state %+v, threshold %v: %v, %v, but V(%v) = %v", y, th, got, ok, L*float64(k)/n, v[k])
			}
			if ok && math.Abs(l.after(y, got).v-th) > 1e-9 {
				t.Fatalf("state %+v, threshold %v: V(%v) = %v", y, th, got, l.after(y, got).v)
			}
		}
	}
}

// pspOf is a neuron at rest 0 mV with threshold 15 mV, C_m 250 pF, and the
// current [pA] of a jump of J mV in τ_m V' = −V + I.
func pspOf(t *testing.T, tauM, tauS, J float64) (l *Linear, amps float64) {
	l = mustLinear(t, "iaf_psc_exp", num("C_m", 250, "tau_m", tauM, "tau_syn_ex", tauS, "E_L", 0, "V_th", 15, "V_reset", 0, "t_ref", 2))
	return l, J / l.r
}

// TestPSP: peak, just-threshold weight and crossings of the closed form (Rotter &
// Diesmann 1999, doi:10.1007/s004220050570), worked out apart.
func TestPSP(t *testing.T) {
	l, amps := pspOf(t, 20, 5, 1)
	// Peak at ln(τ_m/τ_s) τ_m τ_s/(τ_m − τ_s) = 9.2420 ms.
	peak := math.Log(4) * 20 * 5 / 15
	at, v := l.scan(state{e: amps}, 40, 1000)
	best := 0
	for k := range v {
		if v[k] > v[best] {
			best = k
		}
	}
	if math.Abs(at[best]-peak) > 1e-6 || math.Abs(peak-9.2420) > 5e-5 {
		t.Errorf("peak at %v, want %v", at[best], peak)
	}
	just := 15 / v[best] // just-threshold J, 95.2441
	if math.Abs(just-95.2441) > 5e-5 {
		t.Errorf("just-threshold J = %v", just)
	}
	for _, c := range []struct {
		tauM, tauS, V0, J, at float64 // at 0: no crossing
	}{
		{20, 5, 0, 100, 6.500242}, {20, 5, 3, 150, 2.132445}, {20, 10, 0, 100, 4.0612368},
		{20, 5, 0, 95.24, 0}, {20, 5, 0, 95.25, -1}, {20, 5, 0, just * (1 - 1e-9), 0}, {20, 5, 0, just * (1 + 1e-9), -1},
		{20, 5, 0, just * (1 - 1e-12), 0}, {20, 5, 0, just * (1 + 1e-12), -1},
	} {
		l, amps := pspOf(t, c.tauM, c.tauS, c.J)
		got, ok := l.crossing(state{v: c.V0, e: amps}, 40, 15)
		switch {
		case c.at == 0:
			if ok {
				t.Errorf("J = %v: crossing at %v, want none", c.J, got)
			}
		case c.at < 0: // before the peak, and on the threshold
			if !ok || got > peak || math.Abs(l.after(state{v: c.V0, e: amps}, got).v-15) > 8*ulp(15) {
				t.Errorf("J = %v: crossing %v, %v, want one before the peak at %v", c.J, got, ok, peak)
			}
		default:
			if !ok || math.Abs(got-c.at) > 5e-7 {
				t.Errorf("τ %g/%g, J = %v: crossing at %v, want %v", c.tauM, c.tauS, c.J, got, c.at)
			}
		}
		// Replay finds the same in one piece or in 0.1 ms steps.
		for _, h := range []event.Time{4 * event.Millisecond, 100 * event.Microsecond, 7 * event.Nanosecond * 100} {
			s := l.NewState(1)
			s.V[0], s.E[0] = c.V0-15+s.Th[0], amps
			var spikes []Mark
			var first event.Time
			for now := event.Time(0); now < 12*event.Millisecond && len(spikes) == 0; now += h {
				var err error
				if spikes, _, err = l.Replay(s, 0, now, h, nil, 0, spikes, nil); err != nil {
					t.Fatal(err)
				}
				if len(spikes) > 0 {
					first = now + event.Time(spikes[0].Off)
				}
			}
			if (len(spikes) > 0) != ok {
				// 1e-12 J is 64 ulp of the terms: steps round more than that.
				if math.Abs(c.J/just-1) < 1e-11 && h < event.Millisecond {
					continue
				}
				t.Errorf("J = %v in steps of %v ms: %d spikes", c.J, h, len(spikes))
			} else if tol := 1.0; ok && math.Abs(float64(first)-got*1e9) > tol && c.at > 0 {
				t.Errorf("J = %v in steps of %v ms: spike at %d ps, want %.1f", c.J, h, first, got*1e9)
			}
		}
	}
}
