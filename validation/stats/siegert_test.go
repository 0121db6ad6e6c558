package stats

import (
	"math"
	"testing"
)

func TestSiegert(t *testing.T) {
	n := LIF{VTh: 20, VReset: 10, TauM: 20, TRef: 2}
	for _, c := range []struct {
		neuron    LIF
		mu, sigma float64
		want      float64 // Hz: mpmath 1.3.0, the formula of the doc comment at 40 digits
	}{
		{n, 12, 5, 2.858983507811941896},
		{n, 15, 5, 9.4607998057591260995},
		{n, 20, 5, 27.340567353077267461},
		{n, 15, 3, 2.2880430157770237982},
		{n, 40, 5, 100.54039187180128982},
		{n, 25, 0.1, 41.717999643522962452},
		{n, 100, 1, 229.59493490065147163},
		{n, 10, 1, 1.0441131540846240154e-41},
		{n, 5, 0.8, 1.0993163088585280336e-150},
		{n, 19, 0.25, 0.000012271379763554705031},
		// σ² = 1.5 mV² is the σ of the equation, so the free potential has the
		// variance 0.75 mV²; with that at 1.5 the rate would be 29.906 Hz.
		{LIF{VTh: 15, VReset: 0, TauM: 10, TRef: 2}, 15, math.Sqrt(1.5), 27.109593437930917499},
	} {
		near(t, "relative rate", c.neuron.Siegert(c.mu, c.sigma)/c.want, 1, 1e-12)
	}
}

func TestSiegertLimits(t *testing.T) {
	n := LIF{VTh: 15, VReset: 0, TauM: 10, TRef: 2}
	// Without noise: 1/(t_ref + τ_m ln((μ−V_r)/(μ−V_th))).
	clock := 1000 / (2 + 10*math.Log(3))
	near(t, "noise-free rate", n.Siegert(22.5, 0), clock, 1e-12)
	for _, s := range []float64{1e-300, 1e-12, 1e-9, 1e-6, 1e-5} {
		near(t, "rate with little noise", n.Siegert(22.5, s), clock, 1e-8)
	}
	for _, s := range []float64{0, 1e-300, 1e-3, 0.2} {
		near(t, "rate far below threshold", n.Siegert(5, s), 0, 1e-300)
	}
	near(t, "rate at threshold without noise", n.Siegert(15, 0), 0, 0)
	near(t, "strong drive", n.Siegert(1e9, 1), 500, 1e-3) // 1/t_ref
	last := 0.0
	for mu := -50.0; mu < 200; mu += 0.5 {
		r := n.Siegert(mu, 3)
		if !(r >= last) {
			t.Fatalf("rate falls from %g to %g Hz at μ = %g mV", last, r, mu)
		}
		last = r
	}
}

func TestScaledErfc(t *testing.T) {
	for u, want := range map[float64]float64{ // mpmath, 40 digits
		-1000: 0.0005641893014533876542, -50: 0.0112815362653237725, -10.5: 0.053491899746564116726,
		-10: 0.056140992743822585858, -9.9: 0.056702456938832268241, -5: 0.11070463773306862637,
		-1: 0.42758357615580700441, 0: 1, 0.5: 1.9523604891825570933, 3: 16205.988853999586625,
		10: 5.3762342836322708968e+43, 26: 7.6577249314905683515e+293,
	} {
		near(t, "relative erfcx", scaledErfc(u)/want, 1, 3e-13)
	}
}
