package fmath

import (
	"bytes"
	"flag"
	"fmt"
	"go/format"
	"math"
	"math/big"
	"os"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write tables.go from the computation in tables_test.go")

const tablePrec = 400

// fit returns the degree+1 coefficients, lowest first, of the polynomial that
// meets f at the Chebyshev nodes of [a, b]: within a small factor of minimax.
func fit(f func(*big.Float) *big.Float, a, b *big.Float, degree int) []*big.Float {
	p, n := uint(tablePrec), degree+1
	x, d := make([]*big.Float, n), make([]*big.Float, n)
	for i := range n {
		angle := quo(mul(bi(p, int64(2*i+1)), bigPi(p)), bi(p, int64(2*n)))
		_, c := bigSinCos(angle)
		x[i] = ldexp(add(add(a, b), mul(sub(b, a), c)), -1)
		d[i] = f(x[i])
	}
	for j := 1; j < n; j++ { // divided differences
		for i := n - 1; i >= j; i-- {
			d[i] = quo(sub(d[i], d[i-1]), sub(x[i], x[i-j]))
		}
	}
	c := []*big.Float{d[n-1]}
	for i := n - 2; i >= 0; i-- { // c ← c·(X − x[i]) + d[i]
		next := make([]*big.Float, len(c)+1)
		for k := range next {
			next[k] = bi(p, 0)
			if k > 0 {
				next[k] = add(next[k], c[k-1])
			}
			if k < len(c) {
				next[k] = sub(next[k], mul(x[i], c[k]))
			}
		}
		next[0] = add(next[0], d[i])
		c = next
	}
	return c
}

func lit(x *big.Float) string {
	if x.Sign() == 0 {
		return "0"
	}
	return fmt.Sprintf("%x", f64(x))
}

// toLSB rounds x to a multiple of 2^−n.
func toLSB(x *big.Float, n int) *big.Float {
	y := ldexp(x, n)
	i, _ := add(y, bf(x.Prec(), math.Copysign(0.5, f64(y)))).Int(nil)
	return ldexp(new(big.Float).SetPrec(x.Prec()).SetInt(i), -n)
}

// makeTables computes every number of tables.go from its definition.
func makeTables() []byte {
	p := uint(tablePrec)
	var w strings.Builder
	w.WriteString("package fmath\n\n// Made by `go test ./event/fmath -run TestTables -update`; the test proves each\n// number against its definition in tables_test.go. Do not edit.\n\n")
	num := func(v float64) *big.Float { return bf(p, v) }
	one := num(1)

	ln2 := bigLn2(p)
	hi := toLSB(quo(ln2, num(128)), 41) // 41 bits below the point: 34 in all
	fmt.Fprintf(&w, "// log 2/128 in two parts; k·ln2By128Hi is exact for |k| < 2¹⁸.\nconst (\n")
	fmt.Fprintf(&w, "inv128Ln2 = %s\nln2By128Hi = %s\nln2By128Lo = %s\n)\n\n", lit(quo(num(128), ln2)), lit(hi), lit(sub(quo(ln2, num(128)), hi)))
	hi = toLSB(ln2, 42)
	fmt.Fprintf(&w, "// log 2 in two parts; k·ln2Hi is exact for |k| < 2¹¹.\nconst (\nln2Hi = %s\nln2Lo = %s\n)\n\n", lit(hi), lit(sub(ln2, hi)))

	poly := func(doc, name string, first int, c []*big.Float) {
		fmt.Fprintf(&w, "// %s\nconst (\n", doc)
		for i, v := range c {
			fmt.Fprintf(&w, "%s%d = %s\n", name, first+i, lit(v))
		}
		w.WriteString(")\n\n")
	}
	cube := func(x *big.Float) *big.Float { return mul(x, mul(x, x)) }
	poly("(eˣ − 1 − x − x²/2)/x³ on |x| ≤ 1/8.", "expm1C", 3, fit(func(x *big.Float) *big.Float {
		return quo(sub(sub(bigExpm1(x), x), ldexp(mul(x, x), -1)), cube(x))
	}, num(-0.125), num(0.125), 7))
	log3 := func(x *big.Float) *big.Float {
		if x.MantExp(nil) < -90 { // the middle node, 0 but for rounding
			return quo(one, num(3))
		}
		return quo(add(sub(bigLog1p(x), x), ldexp(mul(x, x), -1)), cube(x))
	}
	poly("(log(1+x) − x + x²/2)/x³ on |x| ≤ 1/32.", "log1pC", 3, fit(log3, num(-1./32), num(1./32), 7))
	poly("(log(1+x) − x + x²/2)/x³ on |x| ≤ 1/128.", "logC", 3, fit(log3, num(-1./128), num(1./128), 4))
	poly("(log(1+x) − x + x²/2)/x³ on |x| ≤ 1/128, to more digits.", "log2C", 3, fit(log3, num(-1./128), num(1./128), 7))

	quarter := ldexp(bigPi(p), -2)
	z0, z1 := num(0), mul(quarter, quarter)
	poly("(sin x − x)/x³ in x² on |x| ≤ π/4.", "sinC", 3, fit(func(z *big.Float) *big.Float {
		x := new(big.Float).SetPrec(p).Sqrt(z)
		s, _ := bigSinCos(x)
		return quo(sub(s, x), mul(x, z))
	}, z0, z1, 5))
	poly("(cos x − 1 + x²/2)/x⁴ in x² on |x| ≤ π/4.", "cosC", 4, fit(func(z *big.Float) *big.Float {
		_, c := bigSinCos(new(big.Float).SetPrec(p).Sqrt(z))
		return quo(add(sub(c, one), ldexp(z, -1)), mul(z, z))
	}, z0, z1, 5))
	poly("(tanh x − x)/x³ in x² on |x| ≤ 1/4.", "tanhC", 3, fit(func(z *big.Float) *big.Float {
		x := new(big.Float).SetPrec(p).Sqrt(z)
		e := bigExpm1(ldexp(x, 1))
		return quo(sub(quo(e, add(e, num(2))), x), mul(x, z))
	}, num(0), num(1./16), 7))
	poly("(erf x − x)/x in x² on |x| ≤ 1.", "erfC", 0, fit(func(z *big.Float) *big.Float {
		x := new(big.Float).SetPrec(p).Sqrt(z)
		return quo(sub(bigErf(x), x), x)
	}, num(0), num(1), 13))
	rootPi := new(big.Float).SetPrec(p).Sqrt(bigPi(p))
	poly("(√π x erfcx x − 1)/z in z = 1/x² on x ≥ 8.", "erfcxC", 0, fit(func(z *big.Float) *big.Float {
		x := quo(one, new(big.Float).SetPrec(p).Sqrt(z))
		return quo(sub(mul(mul(rootPi, x), bigErfcx(x)), one), z)
	}, num(0), num(1./64), 10))

	fmt.Fprintf(&w, "// π/2 in four parts of 33 bits and a rest.\nconst (\n")
	rest := ldexp(bigPi(p), -1)
	fmt.Fprintf(&w, "halfPi = %s\n", lit(rest))
	fmt.Fprintf(&w, "halfPiLo = %s\n", lit(sub(rest, num(f64(rest)))))
	for i, n := range []int{32, 65, 98} {
		v := toLSB(rest, n)
		fmt.Fprintf(&w, "halfPi%d = %s\n", i+1, lit(v))
		rest = sub(rest, v)
	}
	fmt.Fprintf(&w, "halfPi4 = %s\n", lit(rest))
	fmt.Fprintf(&w, "twoOverPi = %s\n)\n\n", lit(quo(num(2), bigPi(p))))

	fmt.Fprintf(&w, "// Other constants.\nconst (\ninvSqrtPi = %s // 1/√π\nhalfLog2Pi = %s // log(2π)/2, and what it leaves\nhalfLog2PiLo = %s\n)\n\n", lit(quo(one, rootPi)),
		lit(ldexp(bigLog(ldexp(bigPi(p), 1)), -1)), func() string {
			v := ldexp(bigLog(ldexp(bigPi(p), 1)), -1)
			return lit(sub(v, num(f64(v))))
		}())

	w.WriteString("// twoOverPiBits holds 64 zero bits, then the bits of 2/π below the point.\nvar twoOverPiBits = [20]uint64{\n")
	t, _ := ldexp(quo(bi(1400, 2), bigPi(1400)), 19*64).Int(nil)
	for i := 19; i >= 0; i-- {
		v := new(big.Int).Rsh(t, uint(64*i))
		fmt.Fprintf(&w, "%#016x,\n", v.And(v, new(big.Int).SetUint64(math.MaxUint64)).Uint64())
	}
	w.WriteString("}\n\n")

	w.WriteString("// expTable[j] is 2^(j/128) = s·(1 + tail), s the float64 nearest. bits are those\n// of s less j<<45: bits + k<<45 with k ≡ j mod 128 are those of 2^((k−j)/128)·s.\nvar expTable = [128]struct {\ntail float64\nbits uint64\n}{\n")
	for j := range 128 {
		v := bigExp(quo(mul(num(float64(j)), ln2), num(128)))
		if j == 0 {
			v = one
		}
		s := f64(v)
		fmt.Fprintf(&w, "{%s, %#x},\n", lit(sub(quo(v, num(s)), one)), math.Float64bits(s)-uint64(j)<<45)
	}
	w.WriteString("}\n\n")

	w.WriteString("// logTable[i] serves z with (bits(z) − bits(0.6875))>>45 = i: inv is near 1/z,\n// with 12 bits, and hi + lo = −log inv, hi a multiple of 2⁻⁴².\nvar logTable = [128]struct{ inv, hi, lo float64 }{\n")
	off := math.Float64bits(0.6875)
	for i := range uint64(128) {
		a, b := math.Float64frombits(off+i<<45), math.Float64frombits(off+(i+1)<<45)
		inv := new(big.Float).SetPrec(12).SetFloat64(2 / (a + b)) // a+b exact; 12 bits of a rounded quotient
		if i == 79 || i == 80 {
			inv.SetInt64(1) // next to 1 the reduced argument is z − 1 itself
		}
		invP := new(big.Float).SetPrec(p).Set(inv)
		l := bigLog(invP)
		l.Neg(l)
		hi := toLSB(l, 42)
		fmt.Fprintf(&w, "{%s, %s, %s},\n", lit(invP), lit(hi), lit(sub(l, hi)))
	}
	w.WriteString("}\n\n")

	w.WriteString("// erfcxTable[i] is the polynomial of erfcx around the middle c of its piece:\n// c, then the constant term and what rounding took from it, then the terms 1 to 10.\nvar erfcxTable = [32][13]float64{\n")
	for i := range 32 {
		a, b := erfcxPiece(i)
		c := (a + b) / 2
		h := (b - a) / 2
		q := fit(func(d *big.Float) *big.Float { return bigErfcx(add(num(c), d)) }, num(-h), num(h), 10)
		fmt.Fprintf(&w, "{%x, %s, %s,\n", c, lit(q[0]), lit(sub(q[0], num(f64(q[0])))))
		for k, v := range q[1:] {
			w.WriteString(lit(v) + []string{", ", ",\n"}[k%5/4])
		}
		w.WriteString("},\n")
	}
	w.WriteString("}\n\n")

	w.WriteString("// logFactorialTable[n] is log n!.\nvar logFactorialTable = [128]float64{\n")
	for n := range uint64(128) {
		v := bigLogFactorial(p, n)
		if n < 2 {
			v = num(0)
		}
		fmt.Fprintf(&w, "%s,\n", lit(v))
	}
	w.WriteString("}\n")
	out, err := format.Source([]byte(w.String()))
	if err != nil {
		panic(err)
	}
	return out
}

// erfcxPiece is the interval of erfcxTable[i]: eighths of [0, 1), [1, 2), [2, 4), [4, 8).
func erfcxPiece(i int) (a, b float64) {
	if i < 8 {
		return float64(i) / 8, float64(i+1) / 8
	}
	s := float64(int(1) << (i/8 - 1))
	return s * (1 + float64(i%8)/8), s * (1 + float64(i%8+1)/8)
}

func TestTables(t *testing.T) {
	want := makeTables()
	if *update {
		if err := os.WriteFile("tables.go", want, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile("tables.go")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Fatal("tables.go differs from its definition; run with -update and look at the difference")
	}
}
