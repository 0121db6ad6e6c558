package fmath

import (
	"math"
	"math/bits"
)

// Sincos returns sin x and cos x. Error ≤ 0.82 ulp for every finite x; NaN for
// ±Inf and NaN.
func Sincos(x float64) (sin, cos float64) {
	q, y, e := reduce(x)
	s, c := sinKernel(y, e), cosKernel(y, e)
	switch q & 3 {
	case 0:
		return s, c
	case 1:
		return c, -s
	case 2:
		return -s, -c
	}
	return -c, s
}

// Sin returns the sine of x [rad]. Error ≤ 0.82 ulp.
func Sin(x float64) float64 {
	q, y, e := reduce(x)
	s := 0.0
	if q&1 == 0 {
		s = sinKernel(y, e)
	} else {
		s = cosKernel(y, e)
	}
	if q&2 != 0 {
		return -s
	}
	return s
}

// Cos returns the cosine of x [rad]. Error ≤ 0.82 ulp.
func Cos(x float64) float64 {
	q, y, e := reduce(x)
	c := 0.0
	if q&1 == 0 {
		c = cosKernel(y, e)
	} else {
		c = sinKernel(y, e)
	}
	if (q+1)&2 != 0 {
		return -c
	}
	return c
}

// sinKernel is sin(y + e) for |y| ≤ π/4 + tiny, |e| ≤ ulp(y).
func sinKernel(y, e float64) float64 {
	z := y * y
	z2 := z * z
	v := z * y
	p := sinC4 + float64(z*sinC5) + float64(z2*(sinC6+float64(z*sinC7)+float64(z2*sinC8)))
	// y + (e(1 − z/2) + v·(C3 + z·p))
	return y - ((float64(z*(float64(0.5*e)-float64(v*p))) - e) - float64(v*sinC3))
}

// cosKernel is cos(y + e) for |y| ≤ π/4 + tiny, |e| ≤ ulp(y).
func cosKernel(y, e float64) float64 {
	z := y * y
	z2 := z * z
	p := cosC4 + float64(z*cosC5) + float64(z2*(cosC6+float64(z*cosC7)+float64(z2*(cosC8+float64(z*cosC9)))))
	h := float64(0.5 * z)
	w := 1 - h
	return w + (((1 - w) - h) + (float64(z2*p) - float64(y*e)))
}

// reduce returns x = q·π/2 + y + e modulo 2π, |y| ≤ π/4 + tiny.
func reduce(x float64) (q uint64, y, e float64) {
	a := math.Abs(x)
	if a <= 0.785 {
		return 0, x, 0
	}
	if !(a < 0x1p20) {
		return reduceFar(x)
	}
	// The products with the 33-bit parts are exact: |kd| < 2²⁰.
	kd := float64(x*twoOverPi) + toInt
	q = math.Float64bits(kd)
	kd -= toInt
	y, e = twoSum(x-float64(kd*halfPi1), -float64(kd*halfPi2)) // x − kd·halfPi1 is exact
	y, f := twoSum(y, -float64(kd*halfPi3))
	e += f - float64(kd*halfPi4)
	s := y + e
	return q, s, y - s + e
}

// reduceFar is reduce in integers for any finite x (Payne & Hanek 1983,
// doi:10.1145/1057600.1057602). Only the bits of 2/π that contribute to
// x·2/π modulo 4 are multiplied.
func reduceFar(x float64) (q uint64, y, e float64) {
	if x-x != 0 {
		return 0, math.NaN(), 0
	}
	b := math.Float64bits(x)
	m := b&(1<<52-1) | 1<<52
	exp := uint(b>>52&0x7ff) - 1075 // |x| = m·2^exp, exp ≥ −32 (wraps, as does at)
	// 192 bits of 2/π from weight 2^(1−exp) on; the table starts with 64 zeros.
	at := exp + 62
	t := twoOverPiBits[at/64:]
	var w [3]uint64
	for i := range w {
		w[i] = t[i]<<(at%64) | t[i+1]>>(64-at%64)
	}
	// m·w modulo 2¹⁹²: two bits of quarter turns, then the fraction.
	h2, l2 := bits.Mul64(m, w[2])
	h1, l1 := bits.Mul64(m, w[1])
	mid, c := bits.Add64(l1, h2, 0)
	top := m*w[0] + h1 + c
	q = top >> 62
	hi, lo := top<<2|mid>>62, mid<<2|l2>>62 // 128 bits of fraction of a quarter
	neg := hi>>63 != 0
	if neg { // above one half: nearer to the next quarter
		q++
		hi, lo = ^hi, ^lo
	}
	n := uint(bits.LeadingZeros64(hi))
	hi, lo = hi<<n|lo>>(64-n), lo<<n // n < 64: no double is that near to a multiple of π/2
	f := float64(hi >> 11)
	g := float64((hi<<53|lo>>11)>>11) * 0x1p-53
	// (f + g)·π/2 in two parts
	y, e = twoProduct(f, halfPi)
	e += float64(f*halfPiLo) + float64(g*halfPi)
	y, e = y+e, y-(y+e)+e
	s := math.Float64frombits(uint64(1023-53-n) << 52)
	y, e = y*s, e*s
	if neg {
		y, e = -y, -e
	}
	if x < 0 {
		return -q, -y, -e
	}
	return q, y, e
}
