package fmath

import "math"

// Pow returns xʸ = exp(y·log x), the logarithm carried in two parts. Error
// ≤ 0.55 ulp, ≤ 1 ulp for subnormal results. Special cases as math.Pow:
//
//	Pow(x, ±0) = Pow(1, y) = 1
//	Pow(x, y) = NaN for finite x < 0 and finite y not an integer
//	Pow(±0, y), Pow(±Inf, y): ±0 or ±Inf, the sign that of x for odd integers y
//	Pow(−1, ±Inf) = 1; otherwise Pow(x, ±Inf) is +Inf or 0 as |x|^±1 grows or not
func Pow(x, y float64) float64 {
	switch {
	case y == 0 || x == 1:
		return 1
	case x != x || y != y:
		return math.NaN()
	}
	ay := math.Abs(y)
	isInt := ay >= 0x1p53 || math.Floor(ay) == ay
	odd := isInt && ay < 0x1p53 && int64(ay)&1 == 1
	ax := math.Abs(x)
	sign := 1.0
	if odd && math.Signbit(x) {
		sign = -1
	}
	switch {
	case ax == 0 || math.IsInf(ax, 1):
		if ax == 0 == (y > 0) {
			return sign * 0
		}
		return sign * math.Inf(1)
	case ax == 1 && (isInt || x == 1):
		return sign
	case x < 0 && !isInt:
		return math.NaN()
	case ay >= 0x1p64: // |log x| ≥ 2⁻⁵³: far over- or underflow
		if ax > 1 == (y > 0) {
			return math.Inf(1)
		}
		return 0
	case ay < 0x1p-64: // |y log x| < 2⁻⁵⁴
		return 1
	}
	h, l := logParts(ax)
	p, e := twoProduct(y, h)
	e += float64(y * l)
	if p > 710 {
		return sign * math.Inf(1)
	}
	if p < -746 {
		return sign * 0
	}
	m, n := expParts(p, e)
	return sign * scale(m, n)
}
