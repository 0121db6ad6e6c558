package fmath

import (
	"math"
	"math/big"
)

// Slow, obvious references in math/big. Each returns about prec correct bits
// (relative to the result unless stated); the callers ask for far more than
// the 53 they judge.

func bf(prec uint, x float64) *big.Float { return new(big.Float).SetPrec(prec).SetFloat64(x) }
func bi(prec uint, n int64) *big.Float   { return new(big.Float).SetPrec(prec).SetInt64(n) }

func add(a, b *big.Float) *big.Float { return new(big.Float).SetPrec(a.Prec()).Add(a, b) }
func sub(a, b *big.Float) *big.Float { return new(big.Float).SetPrec(a.Prec()).Sub(a, b) }
func mul(a, b *big.Float) *big.Float { return new(big.Float).SetPrec(a.Prec()).Mul(a, b) }
func quo(a, b *big.Float) *big.Float { return new(big.Float).SetPrec(a.Prec()).Quo(a, b) }

func ldexp(a *big.Float, n int) *big.Float {
	return new(big.Float).SetPrec(a.Prec()).SetMantExp(a, n)
}

// negligible reports whether adding t to s changes nothing at s's precision.
func negligible(t, s *big.Float) bool {
	return t.Sign() == 0 || (s.Sign() != 0 && t.MantExp(nil) < s.MantExp(nil)-int(s.Prec())-2)
}

// bigExpm1 sums the Taylor series; |x| < 1.
func bigExpm1(x *big.Float) *big.Float {
	prec := x.Prec()
	s, t := bi(prec, 0), bi(prec, 1)
	for n := int64(1); ; n++ {
		t = quo(mul(t, x), bi(prec, n))
		s = add(s, t)
		if negligible(t, s) {
			return s
		}
	}
}

// bigExp is e^x = (e^(x/2^k))^(2^k); |x| < 10⁶.
func bigExp(x *big.Float) *big.Float {
	if x.Sign() == 0 {
		return bi(x.Prec(), 1)
	}
	k := max(x.MantExp(nil)+6, 0)
	w := x.Prec() + uint(k) + 16
	y := add(bi(w, 1), bigExpm1(ldexp(new(big.Float).SetPrec(w).Set(x), -k)))
	for range k {
		y = mul(y, y)
	}
	return new(big.Float).SetPrec(x.Prec()).Set(y)
}

// bigLog1p is 2 artanh(x/(2+x)) for |x| < 1/2.
func bigLog1p(x *big.Float) *big.Float {
	prec := x.Prec()
	if x.Sign() == 0 {
		return bi(prec, 0)
	}
	v := quo(x, add(bi(prec, 2), x))
	v2 := mul(v, v)
	s, t := bi(prec, 0), v
	for n := int64(1); ; n += 2 {
		a := quo(t, bi(prec, n))
		s = add(s, a)
		if negligible(a, s) {
			return ldexp(s, 1)
		}
		t = mul(t, v2)
	}
}

var ln2Cache = map[uint]*big.Float{}

func bigLn2(prec uint) *big.Float {
	if v, ok := ln2Cache[prec]; ok {
		return v
	}
	v := mul(bi(prec, -1), bigLog1p(sub(quo(bi(prec, 3), bi(prec, 4)), bi(prec, 1))))
	// −log(3/4) = 2 log 2 − log 3 and log(3/2) = log 3 − log 2: their sum is log 2.
	w := add(bi(prec, 0), bigLog1p(sub(quo(bi(prec, 5), bi(prec, 4)), bi(prec, 1)))) // log(5/4)
	w = add(w, bigLog1p(quo(bi(prec, 1), bi(prec, 5))))                              // + log(6/5) = log(3/2)
	v = add(v, w)
	ln2Cache[prec] = v
	return v
}

// bigLog is log x for x > 0, with relative accuracy also near 1.
func bigLog(x *big.Float) *big.Float {
	prec := x.Prec() + 32
	m := new(big.Float).SetPrec(prec)
	k := x.MantExp(m) // m in [1/2, 1)
	if m.Cmp(bf(prec, 0.7)) < 0 {
		m = ldexp(m, 1)
		k--
	}
	// m in [0.7, 1.4); two square roots bring it to [0.91, 1.09).
	d := sub(m, bi(prec, 1))
	if math.Abs(f64(d)) < 0.09 {
		d = bigLog1p(d)
	} else {
		r := new(big.Float).SetPrec(prec).Sqrt(m)
		r = new(big.Float).SetPrec(prec).Sqrt(r)
		d = ldexp(bigLog1p(sub(r, bi(prec, 1))), 2)
	}
	if k != 0 {
		d = add(d, mul(bi(prec, int64(k)), bigLn2(prec)))
	}
	return new(big.Float).SetPrec(x.Prec()).Set(d)
}

var piCache = map[uint]*big.Float{}

// bigPi is Machin's 16 arctan(1/5) − 4 arctan(1/239).
func bigPi(prec uint) *big.Float {
	if v, ok := piCache[prec]; ok {
		return v
	}
	w := prec + 32
	atanInv := func(n int64) *big.Float {
		t := quo(bi(w, 1), bi(w, n))
		s, n2 := bi(w, 0), bi(w, n*n)
		for k := int64(1); ; k += 2 {
			a := quo(t, bi(w, k))
			if negligible(a, s) {
				return s
			}
			if k%4 == 1 {
				s = add(s, a)
			} else {
				s = sub(s, a)
			}
			t = quo(t, n2)
		}
	}
	v := sub(mul(bi(w, 16), atanInv(5)), mul(bi(w, 4), atanInv(239)))
	v = new(big.Float).SetPrec(prec).Set(v)
	piCache[prec] = v
	return v
}

// bigSinCos reduces modulo π/2 with as many bits of π as x needs.
func bigSinCos(x *big.Float) (sin, cos *big.Float) {
	prec := x.Prec()
	if x.Sign() == 0 {
		return bi(prec, 0), bi(prec, 1)
	}
	w := prec + 80 + uint(max(x.MantExp(nil), 0))
	half := ldexp(bigPi(w), -1)
	q := quo(new(big.Float).SetPrec(w).Set(x), half)
	n, _ := add(q, bf(w, math.Copysign(0.5, f64(q)))).Int(nil)
	r := sub(new(big.Float).SetPrec(w).Set(x), mul(new(big.Float).SetPrec(w).SetInt(n), half))
	r = new(big.Float).SetPrec(prec + 16).Set(r)
	w = r.Prec()
	r2 := mul(r, r)
	s, c, t := bi(w, 0), bi(w, 0), bi(w, 1)
	for k := int64(0); ; k += 2 {
		c = add(c, t)
		u := quo(mul(t, r), bi(w, k+1))
		s = add(s, u)
		if k > 2 && negligible(t, c) && negligible(u, s) {
			break
		}
		t = quo(mul(t, r2), bi(w, -(k+1)*(k+2)))
		if r.Sign() == 0 {
			break
		}
	}
	switch new(big.Int).And(n, big.NewInt(3)).Int64() {
	case 1:
		s, c = c, s.Neg(s)
	case 2:
		s, c = s.Neg(s), c.Neg(c)
	case 3:
		s, c = c.Neg(c), s
	}
	return s, c
}

// bigErf is 2/√π e^(−x²) Σ 2ⁿ x^(2n+1)/(1·3·…·(2n+1)), all terms of one sign.
func bigErf(x *big.Float) *big.Float {
	prec := x.Prec() + 32
	x = new(big.Float).SetPrec(prec).Set(x)
	x2 := mul(x, x)
	s, t := bi(prec, 0), x
	for n := int64(1); x.Sign() != 0; n++ {
		s = add(s, t)
		t = quo(mul(ldexp(t, 1), x2), bi(prec, 2*n+1))
		if negligible(t, s) {
			break
		}
	}
	s = mul(ldexp(s, 1), bigExp(x2.Neg(x2)))
	s = quo(s, new(big.Float).SetPrec(prec).Sqrt(bigPi(prec)))
	return new(big.Float).SetPrec(prec - 32).Set(s)
}

// bigErfcx is e^(x²) erfc x for x ≥ 0: from bigErf below 5, where enough bits
// are carried to survive the subtraction, and the continued fraction
// 1/√π · 1/(x + (1/2)/(x + (2/2)/(x + (3/2)/(x + …)))) above.
func bigErfcx(x *big.Float) *big.Float {
	prec := x.Prec()
	xf := f64(x)
	if xf < 5 {
		w := prec + 64 + uint(2*xf*xf*1.5)
		y := new(big.Float).SetPrec(w).Set(x)
		e := sub(bi(w, 1), bigErf(y))
		return new(big.Float).SetPrec(prec).Set(mul(e, bigExp(mul(y, y))))
	}
	w := prec + 32
	y := new(big.Float).SetPrec(w).Set(x)
	q := 0.7 * float64(w) / (2 * xf)
	d := y
	for k := int64(30 + q*q); k >= 1; k-- {
		d = add(y, quo(ldexp(bi(w, k), -1), d))
	}
	d = mul(d, new(big.Float).SetPrec(w).Sqrt(bigPi(w)))
	return new(big.Float).SetPrec(prec).Set(quo(bi(w, 1), d))
}

// bigErfc is erfc x for any x.
func bigErfc(x *big.Float) *big.Float {
	if x.Sign() < 0 {
		return sub(bi(x.Prec(), 1), bigErf(x))
	}
	w := x.Prec() + 32
	y := new(big.Float).SetPrec(w).Set(x)
	y2 := new(big.Float).SetPrec(w+110).Mul(x, x) // exact for a float64 x
	return mul(bigErfcx(y), bigExp(y2.Neg(y2)))
}

// bigLogFactorial is log n!: the product below 3000, Stirling's series above.
func bigLogFactorial(prec uint, n uint64) *big.Float {
	if n < 3000 {
		return bigLog(new(big.Float).SetPrec(prec).SetInt(new(big.Int).MulRange(1, int64(n))))
	}
	x := new(big.Float).SetPrec(prec).SetUint64(n)
	s := mul(add(x, bf(prec, 0.5)), bigLog(x))
	s = sub(s, x)
	s = add(s, ldexp(bigLog(ldexp(bigPi(prec), 1)), -1))
	t, x2 := quo(bi(prec, 1), x), mul(x, x)
	for _, c := range [][2]int64{{1, 12}, {-1, 360}, {1, 1260}, {-1, 1680}, {1, 1188}, {-691, 360360}, {1, 156}, {-3617, 122400}} {
		s = add(s, quo(mul(t, bi(prec, c[0])), bi(prec, c[1])))
		t = quo(t, x2)
	}
	return s
}

func f64(x *big.Float) float64 { v, _ := x.Float64(); return v }
