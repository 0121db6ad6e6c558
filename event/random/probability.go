package random

import "hmn/event/fmath"

// Logarithms of probabilities, arranged so that no large terms cancel (Loader
// 2000, "Fast and accurate computation of binomial probabilities").

const halfLog2Pi = 0x1.d67f1c864beb5p-01

// logPoisson is log(e^−m mᵏ/k!), m > 0, k a whole number.
func logPoisson(k, m float64) float64 {
	if k == 0 {
		return -m
	}
	return -stirlingRest(k) - deviance(k, m) - halfLog2Pi - float64(0.5*fmath.Log(k))
}

// logBinomial is log(C(n,k) pᵏ (1−p)ⁿ⁻ᵏ), 0 < p ≤ ½, k and n whole numbers.
func logBinomial(k, n, p float64) float64 {
	switch {
	case k == 0:
		return float64(n * fmath.Log1p(-p))
	case k == n:
		return float64(n * fmath.Log(p))
	}
	return stirlingRest(n) - stirlingRest(k) - stirlingRest(n-k) - deviance(k, float64(n*p)) - deviance(n-k, float64(n*(1-p))) -
		halfLog2Pi - float64(0.5*fmath.Log(k*((n-k)/n)))
}

// logHypergeometric is log(C(g,k) C(n−g,d−k)/C(n,d)): three binomials of
// probability d/n.
func logHypergeometric(k, g, d, n float64) float64 {
	p := d / n
	return logBinomial(k, g, p) + logBinomial(d-k, n-g, p) - logBinomial(d, n, p)
}

// deviance is x log(x/m) + m − x for x, m > 0, without cancellation near x = m:
// with v = (x−m)/(x+m), log(x/m) = 2(v + v³/3 + v⁵/5 + …).
func deviance(x, m float64) float64 {
	d := x - m
	v := d / (x + m)
	if v > 0.1 || v < -0.1 {
		return float64(x*fmath.Log(x/m)) - d
	}
	s := float64(d * v)
	v2 := float64(v * v)
	t := float64(2 * x * v)
	for j := 3.0; ; j += 2 {
		t = float64(t * v2)
		next := s + t/j
		if next == s {
			return s
		}
		s = next
	}
}

// stirlingRest is log n! − (n + ½) log n + n − ½ log 2π for n ≥ 1.
func stirlingRest(n float64) float64 {
	if n < 16 {
		return stirlingTable[int(n)-1]
	}
	v := 1 / n
	v2 := float64(v * v)
	return float64(v * (1./12 - float64(v2*(1./360-float64(v2*(1./1260-float64(v2*(1./1680-float64(v2*(1./1188-float64(v2*(691./360360))))))))))))
}

// stirlingTable[n−1] is stirlingRest(n); computed in 40 digits.
var stirlingTable = [15]float64{
	0x1.4c071bcda0a5bp-4, 0x1.52a9b923ea649p-5, 0x1.c579a268d80b3p-6,
	0x1.54a2662fd78a9p-6, 0x1.10b4e513fcbedp-6, 0x1.c6b167bebdf36p-7,
	0x1.85d4d612e4a86p-7, 0x1.552805e7b3076p-7, 0x1.2f4871b12ab64p-7,
	0x1.10f9d4c0743a7p-7, 0x1.f0593088014f8p-8, 0x1.c7018733aa9c6p-8,
	0x1.a40514700f36cp-8, 0x1.86076c002d4a7p-8, 0x1.6c08f6f194a10p-8,
}
