package hmn

import (
	"math"

	"hmn/event/fmath"
)

// apply decides on a candidate, Eq. 5, and returns the new magnitude of the
// weight. w is the magnitude right before the close.
func (p *Params) apply(w, value float64, draw func() float64) (after, prob, u float64, applied bool) {
	if value == 0 {
		return w, math.NaN(), math.NaN(), false
	}
	prob, u = 1, 0
	if p.Bernoulli {
		prob = fmath.Sigmoid(float64(p.BetaP * (math.Abs(value) - p.ThetaP)))
		u = draw()
	}
	if !(u < prob) {
		return w, prob, u, false
	}
	if p.Soft {
		room := 1 - w/p.WMax
		if value < 0 {
			room = w / p.WMax
		}
		if p.Mu != 1 {
			room = fmath.Pow(max(room, 0), p.Mu)
		}
		value = float64(room * value)
	}
	return p.clip(w + value), prob, u, true
}

// clip keeps a magnitude within its bounds.
func (p *Params) clip(w float64) float64 { return min(max(w, p.WMin), p.WMax) }

// decayed is the magnitude w after ms milliseconds of the decay λ_w.
func (p *Params) decayed(w, ms float64) float64 {
	return max(float64(w*fmath.Exp(-float64(p.LambdaW*ms))), p.WMin)
}

// dead is the size below which a trace is set to 0 at a close: it could not
// change a weight by a bit, and without an end no synapse would ever be silent
// (docs/learning.md).
func (p *Params) dead() float64 {
	return 1e-12 * max(math.Abs(p.APlus), math.Abs(p.AMinus))
}
