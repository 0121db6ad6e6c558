package neuron

import (
	"math"
	"math/rand/v2"
	"testing"

	"hmn/event"
)

// TestSweepFree: adding arrivals one by one to the end of a step flags a neuron
// exactly once, and never lets one pass that reaches its threshold; what passes
// has the state of the replay. The threshold is put where the neuron only just
// passes.
func TestSweepFree(t *testing.T) {
	for m, l := range expModels(t) {
		rng := rand.New(rand.NewPCG(uint64(m), 7))
		for range 60 {
			h := 1 + event.Time(rng.Float64()*math.Ldexp(float64(l.HMax()-1), -rng.IntN(6)))
			y := anyState(l, rng)
			y.e, y.i = math.Abs(y.e)/4, -math.Abs(y.i)
			hits := arrivalsIn(l, rng, h)
			st := l.Step(h)
			s := l.NewState(1)
			var pos, neg Arrivals
			for _, x := range hits {
				a := &pos
				if x.W < 0 {
					a = &neg
				}
				a.At, a.W = append(a.At, Timed{Off: x.Off}), append(a.W, x.W)
			}
			pass := func(th float64) bool {
				put(s, y)
				s.Th[0] = th
				flagged := l.SweepFree(s, &st, nil)
				next := s.Next()
				flagged = l.AddPositive(next, h, &pos, flagged)
				l.AddNegative(next, h, &neg)
				if len(flagged) > 1 {
					t.Fatalf("flagged %d times", len(flagged))
				}
				if len(flagged) == 1 && got(s) != y {
					t.Fatalf("a flagged neuron was changed")
				}
				return len(flagged) == 0
			}
			lo, hi := -1e6, 1e6
			for hi-lo > 1e-11 {
				mid := 0.5 * (lo + hi)
				if mid == lo || mid == hi {
					break
				}
				if pass(mid) {
					hi = mid
				} else {
					lo = mid
				}
			}
			if top := peakWith(l, y, hits, h, 150); !(top < hi) {
				t.Fatalf("h %d ps, state %+v, arrivals %+v: passes below %.17g, but reaches %.17g", h, y, hits, hi, top)
			}
			// What passes.
			pass(hi)
			s.Advance(nil)
			swept := got(s)
			put(s, y)
			if spikes, _, err := l.Replay(s, 0, 0, h, hits, 0, nil, nil); err != nil || len(spikes) > 0 {
				t.Fatalf("replay gives %d spikes, %v", len(spikes), err)
			}
			scale := l.scales(y)
			for _, x := range hits {
				var z state
				l.arrive(&z, &x, false)
				for q, v := range l.scales(z) {
					scale[q] += v
				}
			}
			closeStates(t, "swept", swept, got(s), scale, 100)
			// What was replayed keeps its state.
			pass(lo - 1)
			put(s, state{v: 1, e: 2, i: -3})
			s.Advance([]int32{0})
			if got(s) != (state{v: 1, e: 2, i: -3}) {
				t.Fatalf("a replayed neuron has state %+v", got(s))
			}
		}
	}
	// NaN and held neurons.
	l := expModels(t)[0]
	st := l.Step(event.Microsecond)
	for k, y := range []state{{v: math.NaN()}, {e: math.NaN()}, {i: math.NaN()}, {v: sentinel}} {
		s := l.NewState(1)
		put(s, y)
		flagged := l.SweepFree(s, &st, nil)
		if (len(flagged) == 1) != (k < 3) {
			t.Errorf("case %d: flagged %v", k, flagged)
		}
	}
}

func expModels(t *testing.T) []*Linear {
	var all []*Linear
	for _, tau := range tausOf {
		all = append(all, mustLinear(t, "iaf_psc_exp", num("C_m", 200, "tau_m", tau[0], "tau_syn_ex", tau[1], "tau_syn_in", min(2*tau[1], 50), "t_ref", min(2, 100*tau[0]))))
	}
	return all
}
