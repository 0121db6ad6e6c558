package fmath

import "math"

// Tanh returns the hyperbolic tangent of x. Error ≤ 2 ulp.
func Tanh(x float64) float64 {
	a := math.Abs(x)
	if a <= 0.25 {
		z := x * x
		z2 := z * z
		z4 := z2 * z2
		p := tanhC3 + float64(z*tanhC4) + float64(z2*(tanhC5+float64(z*tanhC6))) +
			float64(z4*(tanhC7+float64(z*tanhC8)+float64(z2*(tanhC9+float64(z*tanhC10)))))
		return x + float64(float64(x*z)*p)
	}
	y := 1.0
	if a < 20 {
		t := Expm1(2 * a)
		y = t / (t + 2)
	} else if x != x {
		return x
	}
	if x < 0 {
		return -y
	}
	return y
}

// Sigmoid returns the logistic function 1/(1 + e⁻ˣ). Error ≤ 1.7 ulp.
func Sigmoid(x float64) float64 {
	if x >= 0 {
		return 1 / (1 + Exp(-x))
	}
	e := Exp(x)
	d := 1 + e
	c := e - (d - 1) // what rounding took from d; 1 − e/2 is near enough to 1/d
	q := e / d
	return q - float64(q*float64(c*(1-float64(0.5*e))))
}

// Softplus returns log(1 + eˣ), the integral of Sigmoid. Error ≤ 1.6 ulp.
func Softplus(x float64) float64 {
	if x > 0 {
		return x + Log1p(Exp(-x))
	}
	return Log1p(Exp(x))
}
