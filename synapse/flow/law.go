package flow

import "hmn/event/fmath"

// A law moves the weight of a synapse, w, over dt ms in which its input x and the
// output z of its target are constant, and θ of the synapse with it.
type law interface {
	// move returns w and θ after dt > 0, w kept within [lo, hi].
	move(w, theta, x, z, dt, lo, hi float64) (float64, float64)
	// still says that w does not move while x and z stay.
	still(x, z float64) bool
}

// hebb is dw/dt = η x z.
type hebb struct{ eta float64 }

func (l hebb) move(w, theta, x, z, dt, lo, hi float64) (float64, float64) {
	return bound(w+float64(float64(l.eta*dt)*float64(x*z)), lo, hi), theta
}

func (l hebb) still(x, z float64) bool { return x == 0 || z == 0 || l.eta == 0 }

// oja is dw/dt = η z (x − z w): w relaxes to x/z with the rate η z², so that in a
// stretch it moves in one direction, and what it would be beyond a bound is the
// bound.
type oja struct{ eta float64 }

func (l oja) move(w, theta, x, z, dt, lo, hi float64) (float64, float64) {
	y := float64(l.eta*dt) * float64(z*z)
	part := 1.0 // (1 − e^{−y})/y
	if y > 0 {
		part = -fmath.Expm1(-y) / y
	}
	// w e^{−y} + (x/z)(1 − e^{−y}), without the division by a small z.
	return bound(w+float64(float64(float64(l.eta*dt)*float64(z*(x-float64(z*w))))*part), lo, hi), theta
}

func (l oja) still(_, z float64) bool { return z == 0 || l.eta == 0 }

// bcm is dw/dt = η x z (z − θ), τ dθ/dt = z²/z_0 − θ. In a stretch θ goes
// monotonically to z²/z_0, so that dw/dt changes sign once at most, where θ = z:
// on either side of that w moves in one direction.
type bcm struct{ eta, tau, z0 float64 }

func (l bcm) move(w, theta, x, z, dt, lo, hi float64) (float64, float64) {
	end := float64(z*z) / l.z0
	// θ(s) = end + (θ − end) e^{−s/τ} is z where e^{−s/τ} = (z − end)/(θ − end).
	if turn := (z - end) / (theta - end); turn > 0 && turn < 1 {
		if s := float64(-l.tau * fmath.Log(turn)); s < dt {
			w = bound(w+l.change(theta, end, x, z, s), lo, hi)
			theta, dt = z, dt-s
		}
	}
	w = bound(w+l.change(theta, end, x, z, dt), lo, hi)
	return w, end + float64((theta-end)*fmath.Exp(-dt/l.tau))
}

// change is ∫ η x z (z − θ(s)) ds over dt.
func (l bcm) change(theta, end, x, z, dt float64) float64 {
	sum := float64((z-end)*dt) + float64(float64((theta-end)*l.tau)*fmath.Expm1(-dt/l.tau))
	return float64(float64(l.eta*float64(x*z)) * sum)
}

func (l bcm) still(x, z float64) bool { return x == 0 || z == 0 || l.eta == 0 }

func bound(w, lo, hi float64) float64 { return max(lo, min(w, hi)) }
