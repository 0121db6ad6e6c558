package neuron

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"hmn/event"
)

// arrivalsIn draws arrivals in [0, h), sorted: positive ones at the excitatory
// port, negative ones at the inhibitory one.
func arrivalsIn(l *Linear, rng *rand.Rand, h event.Time) []Hit {
	var hits []Hit
	for range rng.IntN(7) {
		hit := Hit{Off: uint32(rng.Int64N(int64(h))), Src: uint32(rng.IntN(5))}
		if rng.IntN(6) == 0 {
			hit.Off = uint32(rng.IntN(2)) * uint32(h-1)
		}
		hit.W = math.Ldexp(rng.Float64(), rng.IntN(8)-5) // mV
		if l.psc != Delta {
			hit.W /= l.r * min(1, h.MS()/min(l.tauS[0], l.tauM))
		}
		if rng.IntN(3) == 0 {
			hit.W, hit.Port = -hit.W, PortIn
		}
		hits = append(hits, hit)
	}
	slices.SortStableFunc(hits, func(a, b Hit) int {
		if a.Off != b.Off {
			return int(int64(a.Off) - int64(b.Off))
		}
		return int(int64(a.Src) - int64(b.Src))
	})
	return hits
}

// sums are the accumulators of one neuron for arrivals in a step of length h.
func sums(l *Linear, hits []Hit, h event.Time) (pos, neg [3]float64) {
	for _, hit := range hits {
		acc := &pos
		if hit.W < 0 {
			acc = &neg
		}
		x := (h - event.Time(hit.Off)).MS()
		if l.psc == Delta {
			acc[0] += hit.W * l.Jump(x)
			continue
		}
		v, i := l.Response(int(hit.Port), x)
		acc[0] += hit.W * v
		acc[1] += hit.W * i
		if l.psc == Alpha {
			acc[2] += hit.W * l.Slope(int(hit.Port), x)
		}
	}
	return pos, neg
}

// sweep1 sweeps a population of one and reports whether it was flagged.
func sweep1(t *testing.T, l *Linear, s *State, st *Step, pos, neg [3]float64) bool {
	t.Helper()
	var flagged []int32
	switch l.psc {
	case Delta:
		p, n := []float64{pos[0]}, []float64{neg[0]}
		flagged = l.SweepDelta(s, st, p, n, nil)
		pos, neg = [3]float64{p[0]}, [3]float64{n[0]}
	case Exp:
		p, n := [][2]float64{{pos[0], pos[1]}}, [][2]float64{{neg[0], neg[1]}}
		flagged = l.SweepExp(s, st, p, n, nil)
		pos, neg = [3]float64{p[0][0], p[0][1]}, [3]float64{n[0][0], n[0][1]}
	case Alpha:
		p, n := [][3]float64{pos}, [][3]float64{neg}
		flagged = l.SweepAlpha(s, st, p, n, nil)
		pos, neg = p[0], n[0]
	}
	if pos != [3]float64{} || neg != [3]float64{} {
		t.Fatalf("the sums were not set back: %v, %v", pos, neg)
	}
	return len(flagged) > 0
}

func put(s *State, y state)  { s.put(0, &y) }
func got(s *State) (y state) { s.get(&y, 0); return y }
func cloneOf(l *Linear, s *State) *State {
	c := l.NewState(len(s.V))
	for i := range s.V {
		s.Copy(c, i, i)
	}
	return c
}

// peakWith is the highest potential on [0, h] with arrivals, by a dense scan of
// the exact solution.
func peakWith(l *Linear, y state, hits []Hit, h event.Time, points int) float64 {
	top := y.v
	now := event.Time(0)
	for k := 0; ; k++ {
		next := h
		if k < len(hits) {
			next = event.Time(hits[k].Off)
		}
		if next > now {
			at, v := l.scan(y, (next - now).MS(), points)
			_ = at
			for _, x := range v {
				top = max(top, x)
			}
			y = l.after(y, (next - now).MS())
			now = next
		}
		top = max(top, y.v)
		if k == len(hits) {
			return top
		}
		l.arrive(&y, &hits[k], false)
		top = max(top, y.v)
	}
}

// TestBound: a neuron that the sweep does not flag stays below its threshold
// between and at all arrivals, and its state afterwards is that of the replay.
// The threshold is put where the sweep only just lets the neuron pass, which
// leaves the bound no slack but its own.
func TestBound(t *testing.T) {
	passed, tight := 0, 0
	eachLinear(t, func(t *testing.T, l *Linear, rng *rand.Rand) {
		for k := range 60 {
			h := 1 + event.Time(rng.Float64()*math.Ldexp(float64(l.HMax()-1), -rng.IntN(6)))
			if k%5 == 0 {
				h = l.HMax()
			}
			y := anyState(l, rng)
			y.e, y.i, y.de, y.di = math.Abs(y.e), -math.Abs(y.i), math.Abs(y.de), -math.Abs(y.di)
			switch k % 3 {
			case 0:
				y.i, y.di = 0, 0
			case 1:
				y.e, y.de = y.e/16, y.de/16
			}
			hits := arrivalsIn(l, rng, h)
			pos, neg := sums(l, hits, h)
			st := l.Step(h)
			s := l.NewState(1)
			flaggedAt := func(th float64) bool {
				put(s, y)
				s.Th[0] = th
				return sweep1(t, l, s, &st, pos, neg)
			}
			lo, hi := -1e6, 1e6 // flagged at lo, passes at hi
			if !flaggedAt(lo) || flaggedAt(hi) {
				t.Fatalf("state %+v: flagged below, or not above, everything", y)
			}
			for hi-lo > 1e-11 {
				if mid := 0.5 * (lo + hi); flaggedAt(mid) {
					lo = mid
				} else {
					hi = mid
				}
				if mid := 0.5 * (lo + hi); mid == lo || mid == hi {
					break
				}
			}
			top := peakWith(l, y, hits, h, 150)
			if !(top < hi) {
				t.Errorf("h %d ps, state %+v, arrivals %+v: passes below %.17g, but reaches %.17g", h, y, hits, hi, top)
			}
			passed++
			if hi-top < 1e-3 {
				tight++
			}
			// Replay of what passes: no spike, the same state.
			if flaggedAt(hi) {
				t.Fatal("flagged where it passed before")
			}
			swept := got(s)
			put(s, y)
			spikes, _, err := l.Replay(s, 0, 0, h, hits, 0, nil, nil)
			if err != nil || len(spikes) > 0 || s.Due[0] {
				t.Errorf("h %d ps, state %+v, arrivals %+v: replay at %g gives %d spikes, %v", h, y, hits, hi, len(spikes), err)
			}
			scale := l.scales(y)
			for _, hit := range hits {
				var z state
				l.arrive(&z, &hit, false)
				for q, x := range l.scales(z) {
					scale[q] += x
				}
			}
			closeStates(t, "swept", swept, got(s), scale, 100) // 1e-14 or so, far below 1e-12
			if t.Failed() {
				t.FailNow()
			}
			// Flagged: nothing was changed.
			put(s, y)
			s.Th[0] = lo - 1
			if !sweep1(t, l, s, &st, pos, neg) || got(s) != y {
				t.Errorf("a flagged neuron was changed: %+v, was %+v", got(s), y)
			}
		}
	})
	if tight < passed/10 {
		t.Errorf("of %d cases the bound was within 1e-3 mV in %d only: the test proves little", passed, tight)
	}
}

// TestSweepRefractory: a held neuron absorbs what arrives and is not flagged,
// and its currents go on.
func TestSweepRefractory(t *testing.T) {
	eachLinear(t, func(t *testing.T, l *Linear, rng *rand.Rand) {
		h := l.HMax()
		st := l.Step(h)
		s := l.NewState(1)
		y := anyState(l, rng)
		y.e, y.i, y.de, y.di = math.Abs(y.e), -math.Abs(y.i), math.Abs(y.de), -math.Abs(y.di)
		y.v = sentinel
		put(s, y)
		// 500 tau_m is the longest refractory period; HMax ≤ tau_m.
		steps := int(500 * l.tauM / h.MS())
		for k := range min(steps, 3000) {
			if sweep1(t, l, s, &st, [3]float64{1e3, 0, 0}, [3]float64{-1e3, 0, 0}) {
				t.Fatalf("flagged in step %d", k)
			}
		}
		if steps <= 3000 && !(s.V[0] < heldBelow) {
			t.Errorf("V = %g after %d steps no longer counts as held", s.V[0], steps)
		}
	})
}

// TestSweepNaN: what is not a number is flagged, whichever variable it is in.
func TestSweepNaN(t *testing.T) {
	nan := math.NaN()
	for _, model := range []string{"iaf_psc_delta", "iaf_psc_exp", "iaf_psc_alpha"} {
		l := mustLinear(t, model, num())
		st := l.Step(event.Microsecond)
		for k := range 8 {
			s := l.NewState(1)
			y := state{v: -10}
			var pos, neg [3]float64
			switch k {
			case 0:
				y.v = nan
			case 1:
				pos[0] = nan
			case 2:
				s.Th[0] = nan
			case 3:
				y.e = nan
			case 4:
				y.i = nan
			case 5:
				y.de = nan
			case 6:
				y.di = nan
			}
			if k >= 3 && l.psc == Delta || k >= 5 && l.psc == Exp {
				continue
			}
			put(s, y)
			if flagged := sweep1(t, l, s, &st, pos, neg); flagged != (k < 7) {
				t.Errorf("%s, case %d: flagged = %v", model, k, flagged)
			}
		}
	}
}

func TestOrdinary(t *testing.T) {
	l := mustLinear(t, "iaf_psc_alpha", num())
	for k, c := range []struct {
		e, i, de, di float64
		want         bool
	}{
		{0, 0, 0, 0, true}, {1, -1, 1, -1, true}, {-1, 0, 0, 0, false}, {0, 1, 0, 0, false}, {0, 0, -1, 0, false},
		{0, 0, 0, 1, false}, {math.NaN(), 0, 0, 0, false}, {0, 0, 0, math.NaN(), false},
	} {
		s := l.NewState(2)
		s.E[1], s.I[1], s.DE[1], s.DI[1] = c.e, c.i, c.de, c.di
		if s.Ordinary() != c.want {
			t.Errorf("case %d: Ordinary = %v", k, !c.want)
		}
	}
}

func TestSweepAllocs(t *testing.T) {
	l := mustLinear(t, "iaf_psc_exp", num())
	st := l.Step(100 * event.Microsecond)
	s := l.NewState(100)
	pos, neg := make([][2]float64, 100), make([][2]float64, 100)
	flagged := make([]int32, 0, 100)
	if n := testing.AllocsPerRun(10, func() { flagged = l.SweepExp(s, &st, pos, neg, flagged[:0]) }); n > 0 {
		t.Errorf("%v allocations per sweep", n)
	}
}
