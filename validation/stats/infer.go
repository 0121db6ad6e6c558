package stats

import (
	"fmt"
	"math"
	"math/rand/v2"
	"sort"

	"gonum.org/v1/gonum/stat"
	"gonum.org/v1/gonum/stat/distuv"
)

// MeanSD is the mean and the sample standard deviation (n−1) of x; the latter is
// NaN for fewer than two values.
func MeanSD(x []float64) (mean, sd float64) {
	mean, sd = stat.MeanStdDev(x, nil)
	if len(x) < 2 {
		sd = math.NaN()
	}
	return mean, sd
}

// Mean is the arithmetic mean, NaN of nothing: the usual statistic of Bootstrap.
func Mean(x []float64) float64 { return stat.Mean(x, nil) }

// Interval is an estimate with its confidence interval.
type Interval struct {
	Estimate, Lo, Hi float64
}

// Excludes says whether v lies outside the interval.
func (i Interval) Excludes(v float64) bool { return v < i.Lo || v > i.Hi }

// Bootstrap is the bias-corrected and accelerated (BCa) percentile interval of a
// statistic (Efron 1987, doi:10.1080/01621459.1987.10478410): the quantiles of
// the statistic over resamples of x with replacement, moved by the bias z₀ of
// those and by the acceleration a from the jackknife,
//
//	α′ = Φ(z₀ + (z₀ + z_α) / (1 − a (z₀ + z_α))).
//
// level is the coverage, say 0.95. The result is a function of the arguments,
// seed included. The statistic gets a slice that is reused and must not keep it.
// For paired samples pass the differences. It panics for an empty x, a level
// outside (0, 1) or fewer than 100 resamples; a statistic that gives NaN for a
// resample gives NaN limits.
func Bootstrap(x []float64, statistic func([]float64) float64, level float64, resamples int, seed uint64) Interval {
	if len(x) == 0 || !(level > 0 && level < 1) || resamples < 100 {
		panic(fmt.Sprintf("stats: bootstrap of %d values, level %g, %d resamples", len(x), level, resamples))
	}
	est := statistic(append([]float64(nil), x...))
	r := rand.New(rand.NewPCG(seed, 0x626f6f7473747261)) // "bootstra": apart from other uses of the seed
	buf := make([]float64, len(x))
	dist := make([]float64, resamples)
	below := 0.0
	for b := range dist {
		for i := range buf {
			buf[i] = x[r.IntN(len(x))]
		}
		dist[b] = statistic(buf)
		switch {
		case math.IsNaN(dist[b]):
			return Interval{est, math.NaN(), math.NaN()}
		case dist[b] < est:
			below++
		case dist[b] == est: // ties count half, for statistics of counts
			below += 0.5
		}
	}
	sort.Float64s(dist)
	z0 := distuv.UnitNormal.Quantile(math.Min(math.Max(below, 0.5), float64(resamples)-0.5) / float64(resamples))
	a := acceleration(x, buf[:len(x)-1], statistic)
	limit := func(alpha float64) float64 {
		z := z0 + distuv.UnitNormal.Quantile(alpha)
		d := math.Max(0, 1-a*z) // at the pole of the formula and beyond, the extreme quantile
		return quantile(dist, distuv.UnitNormal.CDF(z0+z/d))
	}
	return Interval{est, limit((1 - level) / 2), limit((1 + level) / 2)}
}

// acceleration is Σd³ / (6 (Σd²)^{3/2}) with d the mean of the leave-one-out
// values less each of them; 0 when they are all equal.
func acceleration(x, buf []float64, statistic func([]float64) float64) float64 {
	if len(x) < 2 {
		return 0
	}
	jack := make([]float64, len(x))
	for i := range jack {
		copy(buf, x[:i])
		copy(buf[i:], x[i+1:])
		jack[i] = statistic(buf)
	}
	mean := stat.Mean(jack, nil)
	var s2, s3 float64
	for _, v := range jack {
		d := mean - v
		s2 += d * d
		s3 += d * d * d
	}
	if !(s2 > 0) {
		return 0
	}
	return s3 / (6 * math.Pow(s2, 1.5))
}

// quantile of sorted values, linear between order statistics (Hyndman & Fan's
// type 7, NumPy's default).
func quantile(sorted []float64, p float64) float64 {
	h := p * float64(len(sorted)-1)
	i := int(h)
	if i+1 >= len(sorted) {
		return sorted[len(sorted)-1]
	}
	return sorted[i] + (h-float64(i))*(sorted[i+1]-sorted[i])
}

// KS is the two-sample Kolmogorov–Smirnov distance, the largest difference of
// the two empirical distribution functions, and its asymptotic p-value, good for
// |a|·|b|/(|a|+|b|) ≥ 4. Both are NaN when a sample is empty.
func KS(a, b []float64) (d, p float64) {
	if len(a) == 0 || len(b) == 0 {
		return math.NaN(), math.NaN()
	}
	a, b = sorted(a), sorted(b)
	d = stat.KolmogorovSmirnov(a, nil, b, nil)
	n, m := float64(len(a)), float64(len(b))
	return d, kolmogorov(d, n*m/(n+m))
}

// KSTo is the one-sample Kolmogorov–Smirnov distance of x to a continuous
// distribution function, and its asymptotic p-value, good for len(x) ≥ 4. Both
// are NaN for an empty x.
func KSTo(x []float64, cdf func(float64) float64) (d, p float64) {
	if len(x) == 0 {
		return math.NaN(), math.NaN()
	}
	n := float64(len(x))
	for i, v := range sorted(x) {
		f := cdf(v)
		d = math.Max(d, math.Max(f-float64(i)/n, float64(i+1)/n-f))
	}
	return d, kolmogorov(d, n)
}

func sorted(x []float64) []float64 {
	x = append([]float64(nil), x...)
	sort.Float64s(x)
	return x
}

// kolmogorov is Q(λ) = 2 Σ_{k≥1} (−1)^{k−1} e^{−2k²λ²} at
// λ = (√n + 0.12 + 0.11/√n) d, the finite-size form of Stephens 1970.
func kolmogorov(d, n float64) float64 {
	l := (math.Sqrt(n) + 0.12 + 0.11/math.Sqrt(n)) * d
	if l < 0.2 {
		return 1 // 1 − Q < 1e-12 there, and the series is slow
	}
	q, sign := 0.0, 2.0
	for k := 1.0; k <= 100; k++ {
		t := math.Exp(-2 * k * k * l * l)
		q += sign * t
		if t < 1e-17 {
			break
		}
		sign = -sign
	}
	return math.Min(math.Max(q, 0), 1)
}

// Holm adjusts the p-values of a family of tests (Holm 1979, JSTOR 4615733): a
// hypothesis is rejected at family-wise level α when its adjusted value is ≤ α.
// The order is that of p.
func Holm(p []float64) []float64 {
	order := make([]int, len(p))
	for i := range order {
		order[i] = i
	}
	sort.SliceStable(order, func(i, j int) bool { return p[order[i]] < p[order[j]] })
	adj := make([]float64, len(p))
	run := 0.0
	for k, i := range order {
		run = math.Max(run, math.Min(1, float64(len(p)-k)*p[i]))
		adj[i] = run
	}
	return adj
}
