package flow

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"hmn/event"
	"hmn/event/quantity"
	"hmn/synapse"
)

// wiring is n sources onto one target, all with one weight.
func wiring(n int, w float64) *synapse.Wiring {
	r := &synapse.Rows{Ptr: make([]uint32, n+1), Target: make([]uint16, n)}
	for i := range n {
		r.Ptr[i+1] = uint32(i + 1)
	}
	return &synapse.Wiring{Rows: r, Weight: w, Targets: 1}
}

func rule(t testing.TB, name string, w *synapse.Wiring, pairs ...any) *Flow {
	t.Helper()
	v := quantity.Values{}
	for k := 0; k < len(pairs); k += 2 {
		v[pairs[k].(string)] = quantity.Value{Number: pairs[k+1].(float64)}
	}
	m, ok := synapse.Lookup(name)
	if !ok {
		t.Fatalf("no model %s", name)
	}
	if _, err := quantity.CheckAll(name, m.Params, v); err != nil {
		t.Fatal(err)
	}
	l, err := m.Learning.NewRates(v, w, nil)
	if err != nil {
		t.Fatal(err)
	}
	return l.(*Flow)
}

const ms = event.Millisecond

// derivatives are those of w and θ, as the papers have them.
func derivatives(name string, eta, tau, z0, w, theta, x, z float64) (dw, dtheta float64) {
	switch name {
	case "hebb":
		return eta * x * z, 0
	case "oja":
		return eta * z * (x - z*w), 0
	}
	return eta * x * z * (z - theta), (z*z/z0 - theta) / tau
}

// TestAgainstRungeKutta: irregular inputs and outputs of both signs, against the
// equations integrated in steps of 1/64 ms by the classical method of fourth
// order, with the weight cut to its bounds after each step: where bcm turns at
// one, the step's error is first order, |dw/dt| of a step.
func TestAgainstRungeKutta(t *testing.T) {
	for _, name := range []string{"hebb", "oja", "bcm"} {
		for _, bounded := range []bool{false, true} {
			const eta, tau, z0, h = 0.004, 35.0, 1.3, 1.0 / 64
			lo, hi := 0.0, 1e6
			start := 5000.0
			tol := 1e-9
			if name == "oja" {
				start = 3
			}
			if bounded {
				start, lo, hi = 0.5, 0.2, 0.8
				tol = 0.004 * 2 * 2 * 6 * h // η |x z (z − θ)| of one step at most
			}
			pairs := []any{"eta", eta, "w_min", lo, "w_max", hi, "hold", 7.0}
			if name == "bcm" {
				pairs = append(pairs, "tau_theta", tau, "z_0", z0, "theta_0", 0.4)
			}
			f := rule(t, name, wiring(1, start), pairs...)
			w, theta := start, 0.0
			if name == "bcm" {
				theta = 0.4
			}
			rng := rand.New(rand.NewPCG(5, 1))
			x, z := 0.0, 0.0
			now := event.Time(0)
			atBound := 0
			for range 400 {
				d := 1 + rng.IntN(40)
				for range d * 64 {
					var k [4][2]float64
					k[0][0], k[0][1] = derivatives(name, eta, tau, z0, w, theta, x, z)
					k[1][0], k[1][1] = derivatives(name, eta, tau, z0, w+h/2*k[0][0], theta+h/2*k[0][1], x, z)
					k[2][0], k[2][1] = derivatives(name, eta, tau, z0, w+h/2*k[1][0], theta+h/2*k[1][1], x, z)
					k[3][0], k[3][1] = derivatives(name, eta, tau, z0, w+h*k[2][0], theta+h*k[2][1], x, z)
					w += h / 6 * (k[0][0] + 2*k[1][0] + 2*k[2][0] + k[3][0])
					theta += h / 6 * (k[0][1] + 2*k[1][1] + 2*k[2][1] + k[3][1])
					w = math.Max(lo, math.Min(w, hi))
				}
				now += event.Time(d) * ms
				f.Close(now - 1)
				if got := f.Weight(0, now); math.Abs(got-w) > tol*math.Max(1, w) {
					t.Fatalf("%s, bounded %v, at %v: %.15g, want %.15g", name, bounded, now, got, w)
				}
				if w == lo || w == hi {
					atBound++
				}
				switch rng.IntN(4) {
				case 0:
					x = 4*rng.Float64() - 2
				case 1:
					z = 4*rng.Float64() - 2
				case 2:
					x, z = 4*rng.Float64()-2, 2*rng.Float64()
				case 3:
					x = 0
				}
				f.Input(0, now, x)
				f.Output(0, now, z, z)
			}
			if bounded && atBound < 5 || !bounded && atBound > 0 && name != "oja" { // oja comes down to 0 whatever its bounds
				t.Errorf("%s, bounded %v: %d stretches end at a bound", name, bounded, atBound)
			}
		}
	}
}

// TestClosedForms: one stretch of each rule by hand.
func TestClosedForms(t *testing.T) {
	at := func(name string, w0, x, z, after float64, pairs ...any) float64 {
		f := rule(t, name, wiring(1, w0), append([]any{"w_max", 10.0}, pairs...)...)
		f.Input(0, 0, x)
		f.Output(0, 0, z, z)
		return f.Weight(0, event.Time(after*1e9))
	}
	for _, c := range []struct {
		what      string
		got, want float64
	}{
		{"hebb", at("hebb", 1, 2, 0.5, 100, "eta", 0.01), 2},
		{"hebb at its bound", at("hebb", 1, 2, 0.5, 1e5, "eta", 0.01), 10},
		{"hebb downward", at("hebb", 1, -2, 0.5, 1e5, "eta", 0.01, "w_min", 0.25), 0.25},
		{"oja", at("oja", 1, 6, 2, 10, "eta", 0.01), 3 - 2*math.Exp(-0.4)},
		{"oja, long after", at("oja", 1, 6, 2, 1e9, "eta", 0.01), 3},
		{"oja, cut", at("oja", 1, 6, 0.5, 1e9, "eta", 0.01), 10}, // toward 12
		{"oja, a small output", at("oja", 1, 6, 1e-200, 10, "eta", 0.01), 1},
		// θ from 0 to 4 with τ = 50 passes z = 2 at 50 ln 2: upward, then down, to
		// w₀ + η x z [(z − 4) s + 4 τ (1 − e^{−s/τ})] without bounds.
		{"bcm", at("bcm", 1, 0.1, 2, 60, "eta", 0.02, "tau_theta", 50.0, "theta_0", 0.0), 1 + 0.004*(-2*60+200*(1-math.Exp(-1.2)))},
		// With w_max at 1.1 it is cut there, and comes down from that: from the turn on
		// ∫(z − θ) = −2 s' + 2 τ (1 − e^{−s'/τ}), s' = 60 − 50 ln 2.
		{"bcm, cut in between", at("bcm", 1, 0.1, 2, 60, "eta", 0.02, "tau_theta", 50.0, "theta_0", 0.0, "w_max", 1.1),
			1.1 + 0.004*(-2*(60-50*math.Ln2)+100*(1-math.Exp(-(60-50*math.Ln2)/50)))},
	} {
		if math.Abs(c.got-c.want) > 1e-13*math.Max(1, math.Abs(c.want)) {
			t.Errorf("%s: %.16g, want %.16g", c.what, c.got, c.want)
		}
	}
}

// TestHold: targets get what a weight is at whole multiples of hold, and nothing
// while it rests; reads do not show, and earlier weights of a window are found.
func TestHold(t *testing.T) {
	f := rule(t, "hebb", wiring(3, 1), "eta", 0.01, "w_max", 10.0, "hold", 4.0)
	if f.NextClose().At != event.MaxTime {
		t.Error("a close is due before anything happened")
	}
	f.Begin(0)
	f.Output(0, 0, 1, 1)
	f.Input(1, 6*ms, 2)
	if at := f.NextClose().At; at != 8*ms {
		t.Errorf("next close at %v, want 8 ms", at)
	}
	if c := f.Close(8*ms - 1); len(c) != 0 {
		t.Errorf("closed early: %v", c)
	}
	f.Weight(1, 7*ms)
	want := fmt.Sprint([]synapse.Reweigh{{Synapse: 1, Close: event.Instant{At: 8 * ms}, W: 1.04}, {Synapse: 1, Close: event.Instant{At: 12 * ms}, W: 1.12}})
	var got []synapse.Reweigh
	got = append(got, f.Close(9*ms)...)
	got = append(got, f.Close(12*ms)...)
	if fmt.Sprint(got) != want {
		t.Errorf("closes %v, want %v", got, want)
	}
	f.Input(1, 13*ms, 0)
	if w := f.Weights(7 * ms); w[1] != 1.02 || w[0] != 1 {
		t.Errorf("weights at 7 ms: %v", w)
	}
	if w := f.Weights(20 * ms); math.Abs(w[1]-1.14) > 1e-15 {
		t.Errorf("weights at 20 ms: %v", w)
	}
	if c := f.Close(16 * ms); len(c) != 1 || math.Abs(c[0].W-1.14) > 1e-15 {
		t.Errorf("last close %v", c)
	}
	if f.NextClose().At != event.MaxTime {
		t.Error("a close is due at rest")
	}
	f.Input(2, 1000*ms, 1)
	if at := f.NextClose().At; at != 1004*ms {
		t.Errorf("after a rest the next close is at %v", at)
	}
}
