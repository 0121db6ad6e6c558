package fmath

import "math"

// toInt is 1.5·2⁵²: adding it to |x| < 2⁵¹ rounds x to an integer, halves to
// even, and leaves that integer in the low bits.
const toInt = 0x1.8p52

// Taylor coefficients of eˣ; on |x| ≤ log 2/256 the first term left out is
// below 2⁻⁶⁰.
const (
	inv3Fact = 1. / 6
	inv4Fact = 1. / 24
	inv5Fact = 1. / 120
)

// Exp returns eˣ. Error ≤ 0.52 ulp, also for subnormal results.
//
// x = k·log 2/128 + r; the table holds 2^(j/128), j = k mod 128, and eʳ is a
// polynomial (Tang 1989, doi:10.1145/63522.214389).
func Exp(x float64) float64 {
	if e := uint32(math.Float64bits(x)>>52) & 0x7ff; e-969 >= 63 { // |x| < 2⁻⁵⁴, ≥ 512 or NaN
		return expFar(x)
	}
	kd := float64(x*inv128Ln2) + toInt
	k := math.Float64bits(kd)
	kd -= toInt
	r := x - float64(kd*ln2By128Hi) - float64(kd*ln2By128Lo)
	t := &expTable[k%128]
	r2 := r * r
	p := t.tail + r + float64(r2*(0.5+float64(r*inv3Fact))) + float64(float64(r2*r2)*(inv4Fact+float64(r*inv5Fact)))
	s := math.Float64frombits(t.bits + k<<45)
	return s + float64(s*p)
}

// expFar is Exp where x or the result is not of ordinary size.
func expFar(x float64) float64 {
	switch {
	case x != x:
		return x
	case x > 710:
		return math.Inf(1)
	case x < -746:
		return 0
	case math.Abs(x) < 1:
		return 1 + x
	}
	kd := float64(x*inv128Ln2) + toInt
	k := math.Float64bits(kd)
	kd -= toInt
	r := x - float64(kd*ln2By128Hi) - float64(kd*ln2By128Lo)
	t := &expTable[k%128]
	r2 := r * r
	p := t.tail + r + float64(r2*(0.5+float64(r*inv3Fact))) + float64(float64(r2*r2)*(inv4Fact+float64(r*inv5Fact)))
	if x > 0 {
		s := math.Float64frombits(t.bits + k<<45 - 1009<<52)
		return 0x1p1009 * (s + float64(s*p))
	}
	s := math.Float64frombits(t.bits + k<<45 + 1022<<52)
	y := s + float64(s*p)
	if y < 1 {
		// The result is subnormal: round once, at the place where 1 + y ends.
		lo := s - y + float64(s*p)
		hi := 1 + y
		lo += 1 - hi + y
		y = hi + lo - 1
	}
	return 0x1p-1022 * y
}

// expParts returns e^(h+l) = m·2ⁿ with m near [1, 2), |l| ≤ ulp(h) and
// |h| ≤ 10⁵. The error of m is ≤ 0.52 ulp.
func expParts(h, l float64) (m float64, n int) {
	kd := float64(h*inv128Ln2) + toInt
	k := math.Float64bits(kd)
	kd -= toInt
	r := h - float64(kd*ln2By128Hi) - float64(kd*ln2By128Lo) + l
	t := &expTable[k%128]
	r2 := r * r
	p := t.tail + r + float64(r2*(0.5+float64(r*inv3Fact))) + float64(float64(r2*r2)*(inv4Fact+float64(r*inv5Fact)))
	s := math.Float64frombits(t.bits + (k%128)<<45)
	return s + float64(s*p), int(int64(k<<13) >> 20) // the low 51 bits of k, signed, over 128
}

// scale returns m·2ⁿ for m in [2⁻⁹, 2⁹], rounded once.
func scale(m float64, n int) float64 {
	switch {
	case n > 1000:
		n = min(n, 1100)
		return float64(m * 0x1p500 * math.Float64frombits(uint64(n-500+1023)<<52))
	case n < -1000:
		n = max(n, -1100)
		return float64(m * 0x1p-500 * math.Float64frombits(uint64(n+500+1023)<<52))
	}
	return float64(m * math.Float64frombits(uint64(n+1023)<<52))
}

// Expm1 returns eˣ − 1. Error ≤ 1.1 ulp.
func Expm1(x float64) float64 {
	a := math.Abs(x)
	if a < 0.125 {
		if a < 0x1p-54 {
			return x
		}
		x2 := x * x
		x4 := x2 * x2
		p := expm1C3 + float64(x*expm1C4) + float64(x2*(expm1C5+float64(x*expm1C6))) +
			float64(x4*(expm1C7+float64(x*expm1C8)+float64(x2*(expm1C9+float64(x*expm1C10)))))
		return x + (float64(0.5*x2) + float64(float64(x*x2)*p))
	}
	if !(a < 512) {
		if x < 0 {
			return -1
		}
		return expFar(x)
	}
	kd := float64(x*inv128Ln2) + toInt
	k := math.Float64bits(kd)
	kd -= toInt
	r := x - float64(kd*ln2By128Hi) - float64(kd*ln2By128Lo)
	t := &expTable[k%128]
	r2 := r * r
	p := t.tail + r + float64(r2*(0.5+float64(r*inv3Fact))) + float64(float64(r2*r2)*(inv4Fact+float64(r*inv5Fact)))
	s := math.Float64frombits(t.bits + k<<45)
	return s - 1 + float64(s*p)
}
