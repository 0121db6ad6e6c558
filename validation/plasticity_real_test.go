package validation

import (
	"math"
	"math/big"
	"testing"
)

// real is a number of the references of plastic rules: 128 binary digits, 38
// decimal ones, so that no rounding of theirs shows beside that of float64.
type real = *big.Float

const realDigits = 128

func fresh() real            { return new(big.Float).SetPrec(realDigits) }
func num(x float64) real     { return fresh().SetFloat64(x) }
func whole(n int64) real     { return fresh().SetInt64(n) }
func neg(a real) real        { return fresh().Neg(a) }
func minus(a, b real) real   { return fresh().Sub(a, b) }
func over(a, b real) real    { return fresh().Quo(a, b) }
func magnitude(a real) real  { return fresh().Abs(a) }
func double(a real) float64  { x, _ := a.Float64(); return x }
func smaller(a, b real) bool { return a.Cmp(b) < 0 }

func plus(terms ...real) real {
	s := fresh()
	for _, x := range terms {
		s.Add(s, x)
	}
	return s
}

func times(factors ...real) real {
	p := whole(1)
	for _, x := range factors {
		p.Mul(p, x)
	}
	return p
}

// clamp is the nearest number within [lo, hi].
func clamp(a, lo, hi real) real {
	switch {
	case smaller(a, lo):
		return lo
	case smaller(hi, a):
		return hi
	}
	return a
}

// expReal is e^x by its Taylor series at x/2^k, squared k times; 0 below e^−2000.
func expReal(x real) real {
	switch {
	case x.Sign() == 0:
		return whole(1)
	case smaller(x, whole(-2000)):
		return fresh() // and no sum with a number of a million digits
	}
	k := max(x.MantExp(nil)+8, 0)
	prec := uint(realDigits + k + 8) // each squaring doubles the relative error
	y := new(big.Float).SetPrec(prec).SetMantExp(x, -k)
	s, term := new(big.Float).SetPrec(prec).SetInt64(1), new(big.Float).SetPrec(prec).SetInt64(1)
	n := new(big.Float).SetPrec(prec)
	for i := int64(1); ; i++ {
		term.Mul(term, y)
		term.Quo(term, n.SetInt64(i))
		s.Add(s, term)
		if term.Sign() == 0 || term.MantExp(nil) < -int(prec) {
			break
		}
	}
	for range k {
		s.Mul(s, s)
	}
	return fresh().Set(s)
}

// logReal is ln x by Newton's method from float64: y ← y + x e^−y − 1 doubles the
// digits at every turn.
func logReal(x real) real {
	m := fresh()
	k := x.MantExp(m) // x = m 2^k, so that every x has a start in float64
	y := plus(num(math.Log(double(m))), times(whole(int64(k)), num(math.Ln2)))
	for range 4 {
		y = plus(y, times(x, expReal(neg(y))), whole(-1))
	}
	return y
}

// powReal is x^p for x ≥ 0, with 0^0 = 1.
func powReal(x, p real) real {
	switch {
	case p.Sign() == 0:
		return whole(1)
	case x.Sign() == 0:
		return fresh()
	case p.Cmp(whole(1)) == 0:
		return x
	}
	return expReal(times(p, logReal(x)))
}

// TestReal compares with digits from tables (Abramowitz & Stegun 1964, Table 1.1).
func TestReal(t *testing.T) {
	parse := func(s string) real {
		x, _, err := big.ParseFloat(s, 10, realDigits, big.ToNearestEven)
		if err != nil {
			t.Fatal(err)
		}
		return x
	}
	e, ln10 := parse("2.718281828459045235360287471352662497757247"), parse("2.302585092994045684017991454684364207601101")
	for _, c := range []struct {
		name      string
		got, want real
	}{
		{"e", expReal(whole(1)), e},
		{"1/e", expReal(whole(-1)), over(whole(1), e)},
		{"e^100 e^-100", times(expReal(whole(100)), expReal(whole(-100))), whole(1)},
		{"ln 10", logReal(whole(10)), ln10},
		{"ln 1e-300", logReal(parse("1e-300")), times(whole(-300), ln10)},
		{"e^(1e-9)−1", minus(expReal(parse("1e-9")), whole(1)), parse("1.000000000500000000166666666708333333341666666668e-9")},
		{"√2", powReal(whole(2), num(0.5)), parse("1.414213562373095048801688724209698078569671")},
		{"0^0", powReal(whole(0), whole(0)), whole(1)},
	} {
		tolerance := 1e-36
		if c.name == "e^(1e-9)−1" {
			tolerance = 1e-28 // nine digits are lost in the difference
		}
		if d := double(minus(c.got, c.want)); !(math.Abs(d) <= tolerance*math.Abs(double(c.want))) {
			t.Errorf("%s: off by %.2g of %.2g", c.name, d, double(c.want))
		}
	}
}
