package fmath

// LogFactorial returns log n!, from a table below 128 and by Stirling's series,
// its leading terms in two parts, above. Error ≤ 0.55 ulp for n ≤ 2⁵³ and 1.7 ulp
// beyond, where n itself is rounded.
func LogFactorial(n uint64) float64 {
	if n < uint64(len(logFactorialTable)) {
		return logFactorialTable[n]
	}
	// (n + ½) log n − n + ½ log 2π + 1/12n − 1/360n³ + 1/1260n⁵
	x := float64(n)
	h, l := logParts(x)
	p, e := twoProduct(x+0.5, h)
	if x >= 0x1p52 { // x + 0.5 was rounded
		p, e = twoProduct(x, h)
		e += float64(0.5 * h)
	}
	s, f := twoSum(p, -x)
	v := 1 / x
	v2 := v * v
	t := float64(v * (1./12 - float64(v2*(1./360-float64(v2*(1./1260))))))
	s, g := twoSum(s, halfLog2Pi)
	return s + (t + halfLog2PiLo + float64(x*l) + e + f + g)
}
