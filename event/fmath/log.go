package fmath

import "math"

const (
	logOff = 0x3fe6 << 48 // bits of 0.6875: z is reduced to [0.6875, 1.375)
	expMsk = 0xfff << 52
	hiMsk  = 0xffff_ffff << 32
)

// Log returns the natural logarithm of x. Error ≤ 0.58 ulp.
//
// x = 2ᵏz and z·inv = 1 + r with inv from a table (Tang 1990,
// doi:10.1145/98267.98294); next to 1 a polynomial in x − 1.
func Log(x float64) float64 {
	if f := x - 1; math.Abs(f) < 1./32 {
		return log1pNear(f)
	}
	b := math.Float64bits(x)
	var k int64
	if b-1<<52 >= 0x7fe<<52 { // not a positive normal number
		switch {
		case x == 0:
			return math.Inf(-1)
		case x != x || b == 0x7ff<<52:
			return x
		case x < 0:
			return math.NaN()
		}
		b = math.Float64bits(x * 0x1p52)
		k = -52
	}
	d := b - logOff
	k += int64(d) >> 52
	b -= d & expMsk
	t := &logTable[d>>45%128]
	// z in two parts of which each times inv is exact.
	zh := math.Float64frombits(b & hiMsk)
	zl := math.Float64frombits(b) - zh
	r := (float64(zh*t.inv) - 1) + float64(zl*t.inv)
	kd := float64(k)
	w := float64(kd*ln2Hi) + t.hi // exact
	h := w + r
	l := w - h + r + (float64(kd*ln2Lo) + t.lo)
	r2 := r * r
	p := -0.5 + float64(r*logC3) + float64(r2*(logC4+float64(r*logC5)+float64(r2*(logC6+float64(r*logC7)))))
	return l + float64(r2*p) + h
}

// log1pNear is log(1+x) for |x| ≤ 1/32.
func log1pNear(x float64) float64 {
	if x == 0 {
		return x
	}
	x2 := x * x
	x4 := x2 * x2
	p := log1pC3 + float64(x*log1pC4) + float64(x2*(log1pC5+float64(x*log1pC6))) +
		float64(x4*(log1pC7+float64(x*log1pC8)+float64(x2*(log1pC9+float64(x*log1pC10)))))
	return x - (float64(0.5*x2) - float64(float64(x*x2)*p))
}

// Log1p returns log(1+x). Error ≤ 0.58 ulp.
func Log1p(x float64) float64 {
	if math.Abs(x) < 1./32 {
		return log1pNear(x)
	}
	if !(x > -1 && x < 0x1p60) {
		return Log(1 + x)
	}
	u := 1 + x
	c := 1 - (u - x) // what rounding took from u
	if x < 1 {
		c = x - (u - 1)
	}
	b := math.Float64bits(u)
	d := b - logOff
	k := int64(d) >> 52
	b -= d & expMsk
	t := &logTable[d>>45%128]
	zh := math.Float64frombits(b & hiMsk)
	zl := math.Float64frombits(b) - zh + float64(c*math.Float64frombits(uint64(1023-k)<<52))
	r := (float64(zh*t.inv) - 1) + float64(zl*t.inv)
	kd := float64(k)
	w := float64(kd*ln2Hi) + t.hi
	h := w + r
	l := w - h + r + (float64(kd*ln2Lo) + t.lo)
	r2 := r * r
	p := -0.5 + float64(r*logC3) + float64(r2*(logC4+float64(r*logC5)+float64(r2*(logC6+float64(r*logC7)))))
	return l + float64(r2*p) + h
}

// logParts returns log x = h + l for positive, finite x, |l| ≤ ulp(h)/2, with a
// relative error below 2⁻⁶⁵.
func logParts(x float64) (h, l float64) {
	b := math.Float64bits(x)
	var k int64
	if b < 1<<52 {
		b = math.Float64bits(x * 0x1p52)
		k = -52
	}
	d := b - logOff
	k += int64(d) >> 52
	b -= d & expMsk
	t := &logTable[d>>45%128]
	zh := math.Float64frombits(b & hiMsk)
	zl := math.Float64frombits(b) - zh
	r, re := twoSum(float64(zh*t.inv)-1, float64(zl*t.inv)) // r + re = z·inv − 1, exact
	r2, r2e := twoProduct(r, r)
	r4 := r2 * r2
	p := log2C3 + float64(r*log2C4) + float64(r2*(log2C5+float64(r*log2C6))) +
		float64(r4*(log2C7+float64(r*log2C8)+float64(r2*(log2C9+float64(r*log2C10)))))
	kd := float64(k)
	w := float64(kd*ln2Hi) + t.hi // exact, and 0 or larger than |r|
	h1 := w + r
	l1 := w - h1 + r
	if w == 0 {
		l1 = 0
	}
	h2 := h1 - float64(0.5*r2)
	l2 := h1 - h2 - float64(0.5*r2)
	l = re - float64(0.5*r2e) - float64(r*re) + float64(float64(r*r2)*p)
	l += l2 + l1 + (float64(kd*ln2Lo) + t.lo)
	h = h2 + l
	return h, h2 - h + l
}

// twoSum returns s + e = a + b with s the rounded sum (Knuth).
func twoSum(a, b float64) (s, e float64) {
	s = a + b
	v := s - a
	return s, (a - (s - v)) + (b - v)
}

// twoProduct returns p + e = a·b with p the rounded product (Dekker 1971,
// doi:10.1007/BF01397083), for |a|, |b| < 2⁹⁷⁰ and no underflow of e.
func twoProduct(a, b float64) (p, e float64) {
	const split = 1<<27 + 1
	p = float64(a * b)
	t := float64(a * split)
	ah := t - (t - a)
	al := a - ah
	t = float64(b * split)
	bh := t - (t - b)
	bl := b - bh
	return p, float64(al*bl) - (((p - float64(ah*bh)) - float64(al*bh)) - float64(ah*bl))
}
