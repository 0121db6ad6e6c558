package hmn

import (
	"fmt"
	"math"
)

const (
	rewardGain      = 0.1  // κ: gain of the expected reward
	uncertaintyGain = 0.05 // gain of the uncertainty
	noveltyDecay    = 0.99 // of the count of a context, per trial

	// MaxContext bounds the number of a context, so that a mistaken one cannot
	// ask for all memory.
	MaxContext = 1<<16 - 1
)

// Signals are the built-in modulating signals (Eqs. 6 and 10–11): prediction
// error of the reward, uncertainty and novelty. They start at
// 0. Plain data; copy the slices to keep a state.
type Signals struct {
	Expected    []float64 // r̄ by context
	Uncertainty float64   // u
	Count       []float64 // N by context
}

// Reward takes a reward r in a context, 0 ≤ context ≤ MaxContext:
//
//	δ = r − r̄(context),  r̄ ← r̄ + 0.1 δ,  u ← u + 0.05 (|δ| − u)
//
// It returns δ, by which the modulator centred_reward jumps, and the change of
// u, by which the held modulator uncertainty does.
func (s *Signals) Reward(r float64, context int) (delta, du float64, err error) {
	if !(math.Abs(r) <= metaLoss) {
		return 0, 0, fmt.Errorf("hmn: reward %g, want a finite number", r)
	}
	if s.Expected, err = reach(s.Expected, context); err != nil {
		return 0, 0, err
	}
	delta = r - s.Expected[context]
	s.Expected[context] += float64(rewardGain * delta)
	u := s.Uncertainty + float64(uncertaintyGain*(math.Abs(delta)-s.Uncertainty))
	du = u - s.Uncertainty
	s.Uncertainty = u
	return delta, du, nil
}

// Onset takes the onset of a stimulus, the start of a trial in a context, 0 ≤
// context ≤ MaxContext. It returns 1/√(1 + N(context)), by which the modulator
// novelty jumps; then every N decays by 1 % and this trial is added to
// N(context).
func (s *Signals) Onset(context int) (jump float64, err error) {
	if s.Count, err = reach(s.Count, context); err != nil {
		return 0, err
	}
	jump = 1 / math.Sqrt(1+s.Count[context])
	for c := range s.Count {
		s.Count[c] *= noveltyDecay
	}
	s.Count[context]++
	return jump, nil
}

// reach makes room for a context.
func reach(x []float64, context int) ([]float64, error) {
	if context < 0 || context > MaxContext {
		return x, fmt.Errorf("hmn: context %d, want 0 to %d", context, MaxContext)
	}
	for len(x) <= context {
		x = append(x, 0)
	}
	return x, nil
}
