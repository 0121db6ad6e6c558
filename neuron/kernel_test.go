package neuron

import (
	"math"
	"math/rand/v2"
	"testing"

	"hmn/event"
)

// TestKernel: the tables give the state of a unit arrival x ms later. The
// remainder of a cell is 2⁻⁵⁴ of the terms (a few times that for the alpha
// current, whose fifth derivative is up to 5/τ⁴), rounding some ulp.
func TestKernel(t *testing.T) {
	eachLinear(t, func(t *testing.T, l *Linear, rng *rand.Rand) {
		span := l.HMax().MS()
		for k := range 2000 {
			x := span * rng.Float64()
			switch k {
			case 0:
				x = span
			case 1:
				x = picosecond
			case 2:
				x = 0
			}
			if l.psc == Delta {
				if got, want := l.Jump(x), math.Exp(-x/l.tauM); math.Abs(got-want) > 4*eps {
					t.Fatalf("jump %g ms ago: %.17g, want %.17g", x, got, want)
				}
				continue
			}
			for p := range 2 {
				var y, want state
				l.arrive(&y, &Hit{W: 1, Port: uint8(p)}, false)
				want = l.after(y, x)
				v, i := l.Response(p, x)
				got := state{v: v}
				var d float64
				if l.psc == Alpha {
					d = l.Slope(p, x)
				}
				if p == 0 {
					got.e, got.de = i, d
				} else {
					got.i, got.di = i, d
				}
				scale := l.scales(y)
				scale[0] -= 15 // no membrane here
				closeStates(t, "unit arrival", got, want, scale, 10)
				if t.Failed() {
					t.Fatalf("port %d, %g ms of %g", p, x, span)
				}
			}
		}
	})
}

// TestKernelCells: every offset of a step finds a cell, at the ends too.
func TestKernelCells(t *testing.T) {
	for _, longest := range []event.Time{1, 2, 7, 1000, event.Millisecond, event.MaxWindow} {
		l, err := NewLinear("iaf_psc_exp", num("tau_m", 10, "tau_syn_ex", 0.001, "tau_syn_in", 10), longest)
		if err != nil {
			t.Fatal(err)
		}
		h := min(longest, l.HMax())
		for _, x := range []event.Time{0, 1, h / 2, h - 1, h} {
			if x < 0 {
				continue
			}
			for p := range 2 {
				if v, i := l.Response(p, x.MS()); !(v >= -1e-18 && i >= 0 && i <= 1) {
					t.Errorf("longest %d, port %d, %d ps: %g, %g", longest, p, x, v, i)
				}
			}
		}
	}
}

// TestAccumulate: what the accumulators add up is what replaying the arrivals
// one by one gives, for any cut of the window into steps.
func TestAccumulate(t *testing.T) {
	eachLinear(t, func(t *testing.T, l *Linear, rng *rand.Rand) {
		for range 30 {
			k := 1 + rng.IntN(5)
			h := 1 + event.Time(rng.Int64N(int64(min(l.HMax(), event.Millisecond))/8))
			var cut []event.Time
			for j := range k {
				cut = append(cut, h*event.Time(j+1))
			}
			cut[k-1] += event.Time(rng.IntN(k))
			end := cut[k-1]
			p := rng.IntN(2)
			a := Arrivals{Const: 3}
			weighted := rng.IntN(2) == 0
			const n = 3
			var want [n][8]state
			size := 0.0
			for range 40 {
				off := event.Time(rng.Int64N(int64(end)))
				if rng.IntN(4) == 0 { // on a boundary
					off = cut[rng.IntN(k)] - event.Time(rng.IntN(2))
					off = min(off, end-1)
				}
				w := 3.0
				if weighted {
					w = rng.Float64() * 5
					a.W = append(a.W, w)
				}
				a.At = append(a.At, Timed{Off: uint32(off), T: uint16(rng.IntN(n))})
				j := 0
				for off >= cut[j] {
					j++
				}
				var y state
				l.arrive(&y, &Hit{W: w, Port: uint8(p)}, false)
				size += w
				y = l.after(y, (cut[j] - off).MS())
				if p == 1 {
					y.e, y.de = y.i, y.di
				}
				z := &want[a.At[len(a.At)-1].T][j]
				z.v, z.e, z.de = z.v+y.v, z.e+y.e, z.de+y.de
			}
			acc1, acc2, acc3 := make([]float64, n*k), make([][2]float64, n*k), make([][3]float64, n*k)
			switch l.psc {
			case Delta:
				l.AddJumps(acc1, n, &a, cut)
			case Exp:
				l.AddPairs(acc2, n, p, &a, cut)
			case Alpha:
				l.AddTriples(acc3, n, p, &a, cut)
			}
			for i := range n {
				for j := range k {
					got := state{v: acc1[j*n+i] + acc2[j*n+i][0] + acc3[j*n+i][0], e: acc2[j*n+i][1] + acc3[j*n+i][1], de: acc3[j*n+i][2]}
					var y state
					l.arrive(&y, &Hit{W: size, Port: uint8(p)}, false)
					if p == 1 {
						y.e, y.de = y.i, y.di
					}
					tau := l.tauS[p]
					scale := [5]float64{math.Abs(y.v) + 20*l.r*(y.e+y.de*tau), y.e + y.de*tau, 1, y.de, 1}
					closeStates(t, "accumulated", got, want[i][j], scale, 12)
				}
			}
			if t.Failed() {
				t.Fatalf("cut %v, port %d", cut, p)
			}
		}
	})
}
