package stats

import (
	"fmt"
	"math"
	"sort"

	"gonum.org/v1/gonum/stat"
)

// window panics unless [from, to) [ms] is a window of positive, finite length.
func window(from, to float64) {
	if !(to > from) || math.IsInf(to-from, 0) {
		panic(fmt.Sprintf("stats: window [%g, %g) ms is empty or infinite", from, to))
	}
}

// in returns the part of the ascending train that falls into [from, to).
func in(train []float64, from, to float64) []float64 {
	i := sort.SearchFloat64s(train, from)
	j := i + sort.SearchFloat64s(train[i:], to)
	return train[i:j]
}

// Rate is the number of spikes in [from, to) per second [Hz].
func Rate(train []float64, from, to float64) float64 {
	window(from, to)
	return float64(len(in(train, from, to))) / (to - from) * 1000
}

// MeanRate is the mean of Rate over the neurons [Hz], silent ones included; NaN
// for no neurons.
func MeanRate(trains [][]float64, from, to float64) float64 {
	window(from, to)
	n := 0
	for _, t := range trains {
		n += len(in(t, from, to))
	}
	return float64(n) / float64(len(trains)) / (to - from) * 1000
}

// ISIs are the interspike intervals of one train [ms]: one fewer than there are
// spikes, none for an empty train.
func ISIs(train []float64) []float64 {
	if len(train) < 2 {
		return nil
	}
	d := make([]float64, len(train)-1)
	for i := range d {
		d[i] = train[i+1] - train[i]
	}
	return d
}

// CV is the coefficient of variation of the interspike intervals of one train,
// their standard deviation over their mean. The standard deviation divides by
// the number of intervals, not by one less, as in Elephant and NumPy, so that
// numbers compare with published ones. A train of fewer than three spikes has
// no CV: NaN.
func CV(train []float64) float64 {
	d := ISIs(train)
	if len(d) < 2 {
		return math.NaN()
	}
	mean, sd := stat.PopMeanStdDev(d, nil)
	return sd / mean
}

// MeanCV is the mean of CV over the neurons with at least three spikes, and the
// number of those neurons. Without any it is NaN.
func MeanCV(trains [][]float64) (mean float64, neurons int) {
	sum := 0.0
	for _, t := range trains {
		if cv := CV(t); !math.IsNaN(cv) {
			sum += cv
			neurons++
		}
	}
	return sum / float64(neurons), neurons
}

// Counts are the spikes in the bins [from+k·bin, from+(k+1)·bin) [ms]. Only
// whole bins that end by to are counted, so that all have one length; spikes
// after the last of them are left out.
func Counts(train []float64, from, to, bin float64) []float64 {
	n := make([]float64, bins(from, to, bin))
	count(n, train, from, to, bin)
	return n
}

// PopulationRate is the rate per neuron [Hz] in the bins of Counts; nil for no
// neurons.
func PopulationRate(trains [][]float64, from, to, bin float64) []float64 {
	if len(trains) == 0 {
		return nil
	}
	r := make([]float64, bins(from, to, bin))
	for _, t := range trains {
		count(r, t, from, to, bin)
	}
	for i := range r {
		r[i] *= 1000 / (bin * float64(len(trains)))
	}
	return r
}

// bins is the number of whole bins in [from, to). The small excess keeps the
// bin that (to−from)/bin loses to rounding, as 0.3/0.1 does.
func bins(from, to, bin float64) int {
	window(from, to)
	n := math.Floor((to - from) / bin * (1 + 1e-12))
	if !(bin > 0) || !(n >= 1) || n > 1<<30 {
		panic(fmt.Sprintf("stats: bins of %g ms in [%g, %g) ms: want 1 to 2³⁰", bin, from, to))
	}
	return int(n)
}

func count(dst, train []float64, from, to, bin float64) {
	for _, t := range in(train, from, to) {
		k := int((t - from) / bin)
		// The quotient rounds; the edges from+k·bin decide.
		if t < from+float64(k)*bin {
			k--
		} else if t >= from+float64(k+1)*bin {
			k++
		}
		if k < len(dst) {
			dst[k]++
		}
	}
}

// Fano is the Fano factor of counts, their variance (n−1) over their mean; 1
// for a Poisson process. NaN for fewer than two counts or only zeros.
func Fano(counts []float64) float64 {
	if len(counts) < 2 {
		return math.NaN()
	}
	mean, v := stat.MeanVariance(counts, nil)
	return v / mean
}

// Correlation is Pearson's correlation coefficient of two neurons' counts; NaN
// when one of them never changes. It panics when the lengths differ.
func Correlation(a, b []float64) float64 {
	if len(a) != len(b) {
		panic(fmt.Sprintf("stats: correlation of %d with %d counts", len(a), len(b)))
	}
	if len(a) < 2 {
		return math.NaN()
	}
	return stat.Correlation(a, b, nil)
}

// Correlations are the coefficients of all pairs i < j of neurons, in the order
// (0,1), (0,2), …, (1,2), …, without the pairs that have none.
func Correlations(counts [][]float64) []float64 {
	var r []float64
	for i, a := range counts {
		for _, b := range counts[i+1:] {
			if c := Correlation(a, b); !math.IsNaN(c) {
				r = append(r, c)
			}
		}
	}
	return r
}

// MeanCorrelation is the mean of Correlations and the number of neurons with
// varying counts; it is NaN for fewer than two of those. It needs N·T steps
// where the pairs need N²·T: with standardised counts z,
//
//	Σ_{i≠j} ⟨z_i z_j⟩ = ⟨(Σ_i z_i)²⟩ − N.
func MeanCorrelation(counts [][]float64) (mean float64, neurons int) {
	var sum []float64
	for _, c := range counts {
		if sum == nil {
			sum = make([]float64, len(c))
		}
		if len(c) != len(sum) {
			panic(fmt.Sprintf("stats: correlation of %d with %d counts", len(sum), len(c)))
		}
		m, sd := stat.PopMeanStdDev(c, nil)
		if !(sd > 0) {
			continue
		}
		neurons++
		for k, x := range c {
			sum[k] += (x - m) / sd
		}
	}
	if neurons < 2 {
		return math.NaN(), neurons
	}
	sq := 0.0
	for _, s := range sum {
		sq += s * s
	}
	n := float64(neurons)
	return (sq/float64(len(sum)) - n) / (n * (n - 1)), neurons
}
