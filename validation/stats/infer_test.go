package stats

import (
	"math"
	"math/rand/v2"
	"testing"
)

// spatial is the test data A of Efron & Tibshirani 1993, An Introduction to the
// Bootstrap, table 14.1; chapter 14 gives for its variance (1/n) the estimate
// 171.5, the acceleration 0.061 and the 90 % BCa interval (115.8, 259.6).
var spatial = []float64{48, 36, 20, 29, 42, 42, 20, 42, 22, 41, 45, 14, 6, 0, 33, 28, 34, 4, 32, 24, 47, 41, 24, 26, 30, 41}

func variance(x []float64) float64 {
	m, s := Mean(x), 0.0
	for _, v := range x {
		s += (v - m) * (v - m)
	}
	return s / float64(len(x))
}

func TestBootstrapBCa(t *testing.T) {
	near(t, "acceleration", acceleration(spatial, make([]float64, len(spatial)-1), variance), 0.061, 0.0005)
	got := Bootstrap(spatial, variance, 0.9, 20000, 1)
	near(t, "estimate", got.Estimate, 171.5, 0.05)
	// The book used 2000 resamples: the sd of its 5 % quantile is
	// √(0.05·0.95/2000)/density ≈ 1.5 at the lower and 3.5 at the upper limit.
	near(t, "lower limit", got.Lo, 115.8, 4*1.5)
	near(t, "upper limit", got.Hi, 259.6, 4*3.5)
	// The plain percentile interval there is (100.8, 233.9): BCa must differ.
	if got.Lo < 107 || got.Hi < 240 {
		t.Errorf("interval %v looks uncorrected", got)
	}
	if again := Bootstrap(spatial, variance, 0.9, 20000, 1); again != got {
		t.Errorf("same seed: %v, then %v", got, again)
	}
	if other := Bootstrap(spatial, variance, 0.9, 20000, 2); other == got {
		t.Errorf("another seed gives the same interval %v", got)
	}
	if !got.Excludes(100) || !got.Excludes(300) || got.Excludes(171) {
		t.Errorf("Excludes of %v", got)
	}
}

// For the mean of a normal sample the interval is that of theory, ±1.96 s/√n, to
// the noise of the resampled limits: each has an sd of √(0.025·0.975/10000)/φ(1.96)
// = 0.027 standard errors.
func TestBootstrapMean(t *testing.T) {
	r := rand.New(rand.NewPCG(2, 0))
	x := make([]float64, 400)
	for i := range x {
		x[i] = 10 + r.NormFloat64()
	}
	keep := append([]float64(nil), x...)
	got := Bootstrap(x, Mean, 0.95, 10000, 7)
	m, sd := MeanSD(x)
	near(t, "half width", (got.Hi-got.Lo)/2, 1.96*sd/20, 4*0.027*sd/20)
	near(t, "estimate", got.Estimate, m, 1e-12)
	for i := range x {
		if x[i] != keep[i] {
			t.Fatal("the sample was changed")
		}
	}
}

func TestBootstrapDegenerate(t *testing.T) {
	if got := Bootstrap([]float64{3, 3, 3}, Mean, 0.95, 100, 1); got != (Interval{3, 3, 3}) {
		t.Errorf("equal values: %v", got)
	}
	if got := Bootstrap([]float64{3}, Mean, 0.95, 100, 1); got != (Interval{3, 3, 3}) {
		t.Errorf("one value: %v", got)
	}
	got := Bootstrap([]float64{1, math.NaN()}, Mean, 0.95, 100, 1)
	if !math.IsNaN(got.Lo) || !math.IsNaN(got.Hi) {
		t.Errorf("NaN among the values: %v", got)
	}
}

func TestMeanSD(t *testing.T) {
	m, sd := MeanSD([]float64{2, 4, 4, 4, 5, 5, 7, 9}) // Σd² = 32
	near(t, "mean", m, 5, 0)
	near(t, "sd", sd, math.Sqrt(32.0/7), 1e-15)
	_, sd = MeanSD([]float64{2})
	near(t, "sd of one", sd, math.NaN(), 0)
}

func TestKS(t *testing.T) {
	d, _ := KS([]float64{1, 2, 3, 4}, []float64{3, 4, 5, 6})
	near(t, "distance", d, 0.5, 0) // at 2: 1/2 against 0
	d, p := KS([]float64{3, 1, 2}, []float64{1, 2, 3})
	near(t, "distance to itself", d, 0, 0)
	near(t, "p of no distance", p, 1, 0)
	d, p = KS([]float64{1, 1, 1, 2}, []float64{1, 2, 2, 2}) // ties
	near(t, "distance with ties", d, 0.5, 0)
	if !(p > 0.3) {
		t.Errorf("p = %g for four against four", p)
	}
	d, _ = KS(nil, []float64{1})
	near(t, "distance to nothing", d, math.NaN(), 0)

	d, _ = KSTo([]float64{0.9, 0.1}, func(x float64) float64 { return x })
	near(t, "one-sample distance", d, 0.4, 1e-15) // below 0.9 half the sample: 0.9 − 0.5
}

func TestKolmogorov(t *testing.T) {
	for l, want := range map[float64]float64{ // mpmath, 60 terms
		0.3: 0.9999906941986654, 0.5: 0.9639452436648751, 1: 0.2699996716773545,
		1.3581: 0.04999963043166741, 1.6276: 0.01000153733306077,
	} {
		n := 1e12 // where the finite-size form is (√n + 0.12) d
		near(t, "Q", kolmogorov(l/(math.Sqrt(n)+0.12), n), want, 1e-9)
	}
}

// Under the null hypothesis p is uniform: the fraction below 0.05 in 2000 draws
// has an sd of √(0.05·0.95/2000) = 0.005.
func TestKSCalibration(t *testing.T) {
	r := rand.New(rand.NewPCG(4, 0))
	x := make([]float64, 50)
	low := 0.0
	for range 2000 {
		for i := range x {
			x[i] = r.Float64()
		}
		if _, p := KSTo(x, func(x float64) float64 { return x }); p < 0.05 {
			low++
		}
	}
	near(t, "rejected at 5 %", low/2000, 0.05, 4*0.005)
}

func TestHolm(t *testing.T) {
	// Sorted .005 .01 .03 .04 times 4 3 2 1, then the running maximum.
	got := Holm([]float64{0.01, 0.04, 0.03, 0.005})
	for i, want := range []float64{0.03, 0.06, 0.06, 0.02} {
		near(t, "adjusted p", got[i], want, 1e-15)
	}
	if got := Holm([]float64{0.9, 0.8}); got[0] != 1 || got[1] != 1 {
		t.Errorf("adjusted %v, want 1 1", got)
	}
}
