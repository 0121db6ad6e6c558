package random

import (
	"fmt"
	"math"
	"math/bits"

	"hmn/event/fmath"
)

// Largest arguments of the discrete draws: counts below 2⁵³ are exact in float64.
const (
	MaxMean  = 1e15    // of Poisson
	MaxCount = 1 << 53 // n of Binomial, good + bad of Hypergeometric
)

// Below this mean the distribution is inverted by summing from 0 on, above it a
// rejection method is used, whose cost does not grow. Part of the golden values.
const inversionMean = 10

// Poisson returns a Poisson number with the given mean, 0 ≤ mean ≤ MaxMean; it
// panics otherwise. Below a mean of 10 by inversion of one 53-bit uniform
// number; from 10 on by Hörmann's transformed rejection PTRS (1993,
// doi:10.1016/0167-6687(93)90997-4), whose acceptance uses the probability to
// about 1e-14 relative (Loader 2000), also at large means, where the difference
// of k log(mean) and log k! would keep no digits.
func (s *Source) Poisson(mean float64) uint64 {
	if !(mean >= 0 && mean <= MaxMean) {
		panic(fmt.Sprintf("random: Poisson mean %g, want 0 to %g", mean, float64(MaxMean)))
	}
	if mean < inversionMean {
		p0 := fmath.Exp(-mean)
		for {
			u, p := s.Float64(), p0
			for k := 0.0; k < 150; k++ { // P(k ≥ 150) < 10⁻¹⁰⁰
				if u < p {
					return uint64(k)
				}
				u -= p
				p = float64(p * (mean / (k + 1)))
			}
			// Rounding left u above the sum of all p.
		}
	}
	b := 0.931 + float64(2.53*math.Sqrt(mean))
	a := -0.059 + float64(0.02483*b)
	vr := 0.9277 - 3.6224/(b-2)
	for {
		u := s.Float64() - 0.5
		v := s.Open()
		us := 0.5 - math.Abs(u)
		k := math.Floor(float64((2*a/us+b)*u) + mean + 0.43)
		if us >= 0.07 && v <= vr {
			return uint64(k)
		}
		if k < 0 || us < 0.013 && v > us {
			continue
		}
		invAlpha := 1.1239 + 1.1328/(b-3.4)
		if fmath.Log(v*invAlpha/(a/float64(us*us)+b)) <= logPoisson(k, mean) {
			return uint64(k)
		}
	}
}

// Binomial returns the number of successes in n ≤ MaxCount trials of
// probability p in [0, 1]; it panics otherwise. With q = min(p, 1−p): below
// n·q = 10 by inversion of one 53-bit uniform number, above by Hörmann's BTRS
// (1993, doi:10.1080/00949659308811496) with the probability to about 1e-14.
func (s *Source) Binomial(n uint64, p float64) uint64 {
	if !(p >= 0 && p <= 1 && n <= MaxCount) {
		panic(fmt.Sprintf("random: Binomial of %d trials with probability %g, want ≤ 2⁵³ and 0 to 1", n, p))
	}
	if p > 0.5 {
		return n - s.binomial(n, 1-p)
	}
	return s.binomial(n, p)
}

func (s *Source) binomial(count uint64, p float64) uint64 {
	if count == 0 || p == 0 {
		return 0
	}
	n := float64(count)
	mean := float64(n * p)
	if mean < inversionMean {
		p0 := fmath.Exp(n * fmath.Log1p(-p))
		odds := p / (1 - p)
		for {
			u, pk := s.Float64(), p0
			for k := 0.0; k <= n && k < 150; k++ {
				if u < pk {
					return uint64(k)
				}
				u -= pk
				pk = float64(pk * odds * ((n - k) / (k + 1)))
			}
		}
	}
	sd := math.Sqrt(mean * (1 - p))
	b := 1.15 + float64(2.53*sd)
	a := -0.0873 + float64(0.0248*b) + float64(0.01*p)
	c := mean + 0.5
	vr := 0.92 - 4.2/b
	for {
		u := s.Float64() - 0.5
		v := s.Open()
		us := 0.5 - math.Abs(u)
		k := math.Floor(float64((2*a/us+b)*u) + c)
		if us >= 0.07 && v <= vr {
			return uint64(k)
		}
		if k < 0 || k > n {
			continue
		}
		alpha := (2.83 + 5.1/b) * sd
		mode := math.Floor((n + 1) * p) // or next to it, where both are as likely
		if fmath.Log(v*alpha/(a/float64(us*us)+b)) <= logBinomial(k, n, p)-logBinomial(mode, n, p) {
			return uint64(k)
		}
	}
}

// FewTrials is the largest n of BinomialOf.
const FewTrials = 1000

// BinomialOf maps 64 random bits to the number of successes in n ≤ FewTrials
// trials of probability p in [0, 1], by inversion of a 53-bit uniform number.
// One draw, one word: what is drawn next to it does not move. It takes about
// n·min(p, 1−p) steps.
func BinomialOf(bits uint64, n int, p float64) int {
	switch {
	case p > 0.5:
		return n - BinomialOf(bits, n, 1-p)
	case n == 0 || p == 0:
		return 0
	}
	u, q := Uniform(bits), 1-p
	if n == 1 {
		if u < p {
			return 1
		}
		return 0
	}
	odds, pk := p/q, 1.0 // q^n ≥ 2⁻¹⁰⁰⁰
	for x, m := q, n; m > 0; m >>= 1 {
		if m&1 == 1 {
			pk = float64(pk * x)
		}
		x = float64(x * x)
	}
	k := 0
	for ; k < n && u >= pk; k++ {
		u -= pk
		pk = float64(pk * float64(odds*(float64(n-k)/float64(k+1))))
	}
	return k
}

// Hypergeometric returns how many of draws items, taken without replacement
// from good + bad ≤ MaxCount items, are good; it panics for draws > good + bad.
// Below a mean of 10 (after exchanging good with bad and drawn with left to make
// both the smaller) by inversion of one 53-bit uniform number, above by
// Stadlober's ratio of uniforms HRUA (1990, doi:10.1016/0377-0427(90)90349-5)
// with the probability to about 1e-13.
func (s *Source) Hypergeometric(good, bad, draws uint64) uint64 {
	total := good + bad
	if total < good || total > MaxCount || draws > total {
		panic(fmt.Sprintf("random: Hypergeometric of %d draws from %d + %d, want draws ≤ sum ≤ 2⁵³", draws, good, bad))
	}
	m := min(draws, total-draws)
	k := s.hypergeometric(min(good, bad), m, total)
	if good > bad {
		k = m - k
	}
	if m < draws { // k counted the good among those left
		k = good - k
	}
	return k
}

// hypergeometric draws m of total, good of which count; m, good ≤ total/2.
func (s *Source) hypergeometric(good, m, total uint64) uint64 {
	if good == 0 || m == 0 {
		return 0
	}
	g, d, n := float64(good), float64(m), float64(total)
	top := math.Min(g, d)
	mean := float64(g * (d / n))
	if mean < inversionMean {
		p0 := fmath.Exp(logHypergeometric(0, g, d, n))
		for {
			u, p := s.Float64(), p0
			for k := 0.0; k <= top && k < 150; k++ {
				if u < p {
					return uint64(k)
				}
				u -= p
				p = float64(p * ((g - k) / (k + 1)) * ((d - k) / (n - g - d + k + 1)))
			}
		}
	}
	variance := float64(mean * (1 - g/n) * ((n - d) / (n - 1)))
	hat := float64(twoRootTwoOverE*math.Sqrt(variance+0.5)) + hatShift
	hi, lo := bits.Mul64(m+1, good+1)
	quo, _ := bits.Div64(hi, lo, total+2) // the mode
	atMode := logHypergeometric(float64(quo), g, d, n)
	for {
		x := s.Open()
		w := mean + 0.5 + hat*(s.Float64()-0.5)/x
		if !(w >= 0 && w < top+1) {
			continue
		}
		k := math.Floor(w)
		t := logHypergeometric(k, g, d, n) - atMode
		switch {
		case float64(x*(4-x))-3 <= t: // quick acceptance
			return uint64(k)
		case x*(x-t) >= 1: // quick rejection
		case 2*fmath.Log(x) <= t:
			return uint64(k)
		}
	}
}

const (
	twoRootTwoOverE = 0x1.b72cd3f331398p+00 // 2√(2/e)
	hatShift        = 0x1.cc3ebd3bc711ap-01 // 3 − 2√(3/e)
)
