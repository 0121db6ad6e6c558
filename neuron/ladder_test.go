package neuron

import (
	"math"
	"math/rand/v2"
	"testing"

	"hmn/event"
)

func ladderModels(t *testing.T) []*Linear {
	var all []*Linear
	for _, tau := range tausOf {
		all = append(all, mustLinear(t, "iaf_psc_exp", num("C_m", 200, "tau_m", tau[0], "tau_syn_ex", tau[1], "tau_syn_in", min(2*tau[1], 50), "t_ref", min(2, 100*tau[0]))))
	}
	return all
}

// TestCatchUp: k windows at once equal the free solution over their length.
func TestCatchUp(t *testing.T) {
	for _, l := range ladderModels(t) {
		rng := rand.New(rand.NewPCG(3, 0))
		for range 20 {
			h := 1 + event.Time(rng.Int64N(int64(l.HMax())))
			d := l.NewLadder(h)
			s := l.NewState(1)
			for _, k := range []int{0, 1, 2, rng.IntN(Rungs), Rungs} {
				y := anyState(l, rng)
				put(s, y)
				d.CatchUp(s, 0, k)
				closeStates(t, "caught up", got(s), l.after(y, (event.Time(k)*h).MS()), l.scales(y), 100)
			}
		}
	}
}

// TestSafe: without arrivals a neuron stays below its threshold through all the
// windows it is declared safe for, by a dense scan.
func TestSafe(t *testing.T) {
	safe, near := 0, 0
	for _, l := range ladderModels(t) {
		rng := rand.New(rand.NewPCG(4, 0))
		for range 150 {
			h := 1 + event.Time(float64(l.HMax()-1)*math.Ldexp(rng.Float64(), -rng.IntN(8)))
			d := l.NewLadder(h)
			y := anyState(l, rng)
			y.e, y.i = math.Abs(y.e), -math.Abs(y.i)
			if rng.IntN(2) == 0 {
				y.i = 0
			}
			s := l.NewState(1)
			put(s, y)
			s.Th[0] = y.v + math.Ldexp(rng.Float64(), 3-rng.IntN(10))
			k := l.Safe(d, s, 0)
			if k > Rungs {
				t.Fatalf("safe for %d windows, at most %d are allowed", k, Rungs)
			}
			if k == 0 {
				continue
			}
			safe++
			_, v := l.scan(y, (event.Time(k) * h).MS(), 300)
			for _, x := range v {
				if !(x < s.Th[0]) {
					t.Fatalf("state %+v, threshold %v, %d windows of %d ps: V reaches %v", y, s.Th[0], k, h, x)
				}
			}
			if k < Rungs {
				near++
			}
		}
	}
	if safe < 300 || near < 30 {
		t.Errorf("%d safe states, %d of them for less than the most: too few to tell", safe, near)
	}
	l := ladderModels(t)[0]
	d := l.NewLadder(event.Microsecond)
	for _, v := range []float64{15, 16, math.NaN(), 15 - 1e-10} { // at, above, no number, within the margin
		s := l.NewState(1)
		s.V[0], s.Th[0] = v, 15
		if k := l.Safe(d, s, 0); k != 0 {
			t.Errorf("V = %v is safe for %d windows", v, k)
		}
	}
	s := l.NewState(1)
	s.E[0], s.V[0] = math.NaN(), -5
	if k := l.Safe(d, s, 0); k != 0 {
		t.Errorf("a current that is not a number is safe for %d windows", k)
	}
}

// TestTouch: touching only neurons with arrivals and those whose safety has
// ended gives the spikes and states of sweeping all in every window.
func TestTouch(t *testing.T) {
	spikes := 0
	for m, l := range ladderModels(t) {
		const n, windows = 30, 600
		rng := rand.New(rand.NewPCG(uint64(m), 5))
		h := min(l.HMax(), event.Time(float64(l.tauM)*1e9/100))
		d, st := l.NewLadder(h), l.Step(h)
		a, b := l.NewState(n), l.NewState(n)
		scale := 0.0
		for i := range n {
			x := l.vTh - 15*rng.Float64() - 1e-6
			l.Set(a, i, "V_m", x)
			l.Set(b, i, "V_m", x)
		}
		last, safe := make([]uint32, n), make([]uint32, n)
		pos, neg := make([][2]float64, n), make([][2]float64, n)
		var marksA, marksB [][2]int64
		replay := func(s *State, i int, now event.Time, hits []Hit, marks [][2]int64) [][2]int64 {
			out, _, err := l.Replay(s, i, now*h, h, hits, 0, nil, nil)
			if err != nil {
				t.Fatal(err)
			}
			for _, m := range out {
				marks = append(marks, [2]int64{int64(now*h) + int64(m.Off), int64(m.I)})
			}
			return marks
		}
		for now := range event.Time(windows) {
			hits := make([][]Hit, n)
			for i := range n {
				if rng.IntN(12) > 0 {
					continue
				}
				w := (3 + 4*rng.Float64()) / l.r * max(1, l.tauM/l.tauS[0])
				hit := Hit{Off: uint32(rng.Int64N(int64(h))), W: w}
				if rng.IntN(4) == 0 {
					hit.W, hit.Port = -w, PortIn
				}
				hits[i] = append(hits[i], hit)
				scale = max(scale, l.scales(state{e: w})[0])
			}
			// All neurons, in every window.
			fill := func() {
				for i := range n {
					p, q := sums(l, hits[i], h)
					pos[i], neg[i] = [2]float64{p[0], p[1]}, [2]float64{q[0], q[1]}
				}
			}
			held := func(s *State, i int) bool { return s.V[i] < heldBelow || s.Due[i] }
			fill()
			th := append([]float64(nil), a.Th...)
			for i := range n {
				if held(a, i) {
					a.Th[i] = math.Inf(-1)
				}
			}
			flagged := l.SweepExp(a, &st, pos, neg, nil)
			copy(a.Th, th)
			for _, i := range flagged {
				marksA = replay(a, int(i), now, hits[i], marksA)
			}
			// Only those that something happens to.
			fill()
			var list []int32
			for i := range n {
				if len(hits[i]) > 0 || safe[i] <= uint32(now) || held(b, i) {
					list = append(list, int32(i))
				}
				if held(b, i) {
					b.Th[i] = math.Inf(-1)
				}
			}
			flagged = l.Touch(b, d, list, last, safe, uint32(now), pos, neg, nil)
			copy(b.Th, th)
			for _, i := range list {
				if last[i] == uint32(now)+1 && (safe[i] < last[i] || safe[i] > last[i]+Rungs) {
					t.Fatalf("neuron %d: carried to window %d, safe until %d", i, last[i], safe[i])
				}
			}
			for _, i := range flagged {
				if last[i] != uint32(now) {
					t.Fatalf("flagged neuron %d stands at window %d, want %d", i, last[i], now)
				}
				marksB = replay(b, int(i), now, hits[i], marksB)
				last[i] = uint32(now) + 1
				safe[i] = last[i] + l.Safe(d, b, int(i))
			}
			for i := range n {
				if pos[i] != [2]float64{} || neg[i] != [2]float64{} {
					t.Fatalf("the sums of neuron %d were not set back", i)
				}
			}
		}
		if len(marksA) != len(marksB) {
			t.Fatalf("tau %v/%v: %d spikes swept, %d touched", l.tauM, l.tauS[0], len(marksA), len(marksB))
		}
		spikes += len(marksA)
		seen := map[[2]int64]bool{}
		for _, x := range marksA {
			for dt := int64(-2); dt <= 2; dt++ {
				seen[[2]int64{x[0] + dt, x[1]}] = true
			}
		}
		for _, x := range marksB {
			if !seen[x] {
				t.Errorf("tau %v/%v: spike %v only when touched", l.tauM, l.tauS[0], x)
			}
		}
		for i := range n {
			d.CatchUp(b, i, windows-int(last[i]))
			var x, y state
			a.get(&x, i)
			b.get(&y, i)
			if x.v < heldBelow && y.v < heldBelow {
				x.v, y.v = 0, 0
			}
			sc := l.scales(state{v: 15, e: scale / l.r, i: scale / l.r})
			closeStates(t, "touched", y, x, sc, 1000) // some hundred windows
		}
	}
	if spikes < 200 {
		t.Errorf("%d spikes in all: too few to tell", spikes)
	}
}
