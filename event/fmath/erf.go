package fmath

import "math"

// Erf returns the error function 2/√π ∫₀ˣ exp(−t²) dt. Error ≤ 1.3 ulp.
func Erf(x float64) float64 {
	a := math.Abs(x)
	if a < 1 {
		z := x * x
		z2 := z * z
		z4 := z2 * z2
		p := erfC4 + float64(z*erfC5) + float64(z2*(erfC6+float64(z*erfC7))) +
			float64(z4*(erfC8+float64(z*erfC9)+float64(z2*(erfC10+float64(z*erfC11)))+float64(z4*(erfC12+float64(z*erfC13)))))
		p = erfC0 + float64(z*(erfC1+float64(z*(erfC2+float64(z*(erfC3+float64(z*p)))))))
		return x + float64(x*p)
	}
	y := 1.0
	if a < 6 {
		y = 1 - erfcPos(a)
	} else if x != x {
		return x
	}
	if x < 0 {
		return -y
	}
	return y
}

// Erfc returns 1 − erf x without cancellation. Error ≤ 2.8 ulp, and half the
// smallest subnormal more where the result is subnormal (x > 26.5).
func Erfc(x float64) float64 {
	switch {
	case math.Abs(x) < 0.5:
		return 1 - Erf(x)
	case x > 28:
		return 0
	case x > 0:
		return erfcPos(x)
	case x < -6:
		return 2
	case x < 0:
		return 2 - erfcPos(-x)
	}
	return x // NaN
}

// erfcPos is erfc x = exp(−x²)·erfcx x for x in [0.5, 28], with x² in two parts.
func erfcPos(x float64) float64 {
	h, l := twoProduct(x, x)
	m, n := expParts(-h, -l)
	return scale(m*erfcxPos(x), n)
}

// Erfcx returns the scaled complementary error function exp(x²)·erfc x, +Inf
// below −26.63. Error ≤ 0.65 ulp on [0, 8], 1.5 ulp above, 1.9 ulp
// for x < 0.
func Erfcx(x float64) float64 {
	switch {
	case x >= 0:
		return erfcxPos(x)
	case x < -27:
		return math.Inf(1)
	case x < 0:
		h, l := twoProduct(x, x)
		if x > -0x1p-500 {
			l = 0 // x² and its rest underflow
		}
		m, n := expParts(h, l)
		return scale(2*m, n) - erfcxPos(-x)
	}
	return x // NaN
}

// erfcxPos is Erfcx for x ≥ 0: below 8 a polynomial around the middle of each
// piece, from 8 on the asymptotic series in 1/x² with fitted coefficients.
func erfcxPos(x float64) float64 {
	if x < 8 {
		i := uint(x * 8)
		if x >= 1 {
			i = uint(math.Float64bits(x)>>49) - 1023*8 + 8
		}
		c := &erfcxTable[i%32]
		d := x - c[0]
		d2 := d * d
		d4 := d2 * d2
		p := c[5] + float64(d*c[6]) + float64(d2*(c[7]+float64(d*c[8]))) +
			float64(d4*(c[9]+float64(d*c[10])+float64(d2*(c[11]+float64(d*c[12])))))
		p = c[3] + float64(d*(c[4]+float64(d*p)))
		return c[1] + (c[2] + float64(d*p))
	}
	y := invSqrtPi / x
	z := 1 / x / x // not 1/(x·x), which overflows
	p := erfcxC10
	p = erfcxC9 + float64(z*p)
	p = erfcxC8 + float64(z*p)
	p = erfcxC7 + float64(z*p)
	p = erfcxC6 + float64(z*p)
	p = erfcxC5 + float64(z*p)
	p = erfcxC4 + float64(z*p)
	p = erfcxC3 + float64(z*p)
	p = erfcxC2 + float64(z*p)
	p = erfcxC1 + float64(z*p)
	p = erfcxC0 + float64(z*p)
	return y + float64(float64(y*z)*p)
}
