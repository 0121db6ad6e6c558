package hmn

import (
	"math"
	"testing"
)

// Rewards worked by hand: r̄ per context, u common to both.
func TestSignalsReward(t *testing.T) {
	var s Signals
	u := 0.0
	for k, c := range []struct {
		r       float64
		context int
		delta   float64
		u       float64
	}{
		{1, 0, 1, 0.05},                   // r̄(0) = 0.1
		{0, 0, -0.1, 0.0525},              // r̄(0) = 0.09
		{1, 3, 1, 0.099875},               // r̄(3) = 0.1
		{1, 0, 0.91, 0.14038125},          // r̄(0) = 0.181
		{0.1, 3, 0, 0.1333621875},         // r̄(3) = 0.1: no error, u falls by 5 %
		{-1, 0, -1.181, 0.18574407812500}, // r̄(0) = 0.0629
	} {
		delta, du, err := s.Reward(c.r, c.context)
		if err != nil {
			t.Fatal(err)
		}
		u += du
		if math.Abs(delta-c.delta) > 1e-15 || math.Abs(u-c.u) > 1e-15 || math.Abs(s.Uncertainty-c.u) > 1e-15 {
			t.Errorf("reward %d: δ = %g, u = %g, want %g, %g", k, delta, s.Uncertainty, c.delta, c.u)
		}
	}
	for context, want := range []float64{0.0629, 0, 0, 0.1} {
		if math.Abs(s.Expected[context]-want) > 1e-15 {
			t.Errorf("r̄(%d) = %g, want %g", context, s.Expected[context], want)
		}
	}
}

// Onsets worked by hand: every N decays by 1 % per trial.
func TestSignalsOnset(t *testing.T) {
	var s Signals
	for k, c := range []struct {
		context int
		n       float64 // N(context) before
	}{
		{0, 0}, {0, 1}, {1, 0}, {0, 1.99 * 0.99}, {1, 0.99}, {0, (1.99*0.99*0.99 + 1) * 0.99},
	} {
		jump, err := s.Onset(c.context)
		if err != nil {
			t.Fatal(err)
		}
		if want := 1 / math.Sqrt(1+c.n); math.Abs(jump-want) > 1e-15 {
			t.Errorf("onset %d: jump %g, want %g", k, jump, want)
		}
	}
	// A context shown in every trial: N → 1/(1 − 0.99) = 100.
	for range 3000 {
		if _, err := s.Onset(2); err != nil {
			t.Fatal(err)
		}
	}
	if n := s.Count[2]; math.Abs(n-100) > 1e-9 {
		t.Errorf("N = %g after 3000 trials, want 100", n)
	}
}

func TestSignalsRefuse(t *testing.T) {
	var s Signals
	for _, c := range []int{-1, MaxContext + 1} {
		if _, _, err := s.Reward(1, c); err == nil {
			t.Errorf("Reward took context %d", c)
		}
		if _, err := s.Onset(c); err == nil {
			t.Errorf("Onset took context %d", c)
		}
	}
	for _, r := range []float64{math.NaN(), math.Inf(-1)} {
		if _, _, err := s.Reward(r, 0); err == nil {
			t.Errorf("Reward took %g", r)
		}
	}
}
