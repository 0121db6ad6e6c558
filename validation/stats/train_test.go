package stats

import (
	"math"
	"math/rand/v2"
	"testing"
)

func near(t *testing.T, what string, got, want, tol float64) {
	t.Helper()
	if math.IsNaN(want) != math.IsNaN(got) || math.Abs(got-want) > tol {
		t.Errorf("%s = %.12g, want %.12g ± %g", what, got, want, tol)
	}
}

// poisson is a train of rate hz in [0, ms).
func poisson(r *rand.Rand, hz, ms float64) []float64 {
	var s []float64
	for t := r.ExpFloat64() * 1000 / hz; t < ms; t += r.ExpFloat64() * 1000 / hz {
		s = append(s, t)
	}
	return s
}

func TestRateIsHalfOpen(t *testing.T) {
	train := []float64{0, 10, 20, 30}
	near(t, "rate in [0, 30)", Rate(train, 0, 30), 100, 1e-12)
	near(t, "rate in [10, 20)", Rate(train, 10, 20), 100, 1e-12)
	near(t, "rate in [11, 19)", Rate(train, 11, 19), 0, 0)
	near(t, "mean rate", MeanRate([][]float64{train, nil}, 0, 40), 50, 1e-12)
	near(t, "mean rate of nobody", MeanRate(nil, 0, 40), math.NaN(), 0)
}

func TestCV(t *testing.T) {
	near(t, "CV of a clock", CV([]float64{0, 10, 20, 30}), 0, 0)
	near(t, "CV of 10, 30", CV([]float64{0, 10, 40}), 0.5, 1e-15) // mean 20, sd (n) 10
	near(t, "CV of two spikes", CV([]float64{0, 10}), math.NaN(), 0)
	mean, n := MeanCV([][]float64{{0, 10, 40}, {0, 10, 20}, {5, 6}, nil})
	near(t, "mean CV", mean, 0.25, 1e-15)
	if n != 2 {
		t.Errorf("mean CV of %d neurons, want 2: those with three spikes", n)
	}
	if mean, n := MeanCV(nil); !math.IsNaN(mean) || n != 0 {
		t.Errorf("mean CV of nothing = %g of %d", mean, n)
	}
	if d := ISIs([]float64{1}); len(d) != 0 {
		t.Errorf("ISIs of one spike: %v", d)
	}
}

// For a Poisson process the sd of the CV of n intervals is about 1/√n, that of
// the Fano factor of n counts √(2/n), that of a correlation 1/√n.
func TestPoissonProcess(t *testing.T) {
	const seed = 3
	r := rand.New(rand.NewPCG(seed, 0))
	a, b := poisson(r, 50, 400e3), poisson(r, 50, 400e3)
	near(t, "CV", CV(a), 1, 4/math.Sqrt(float64(len(a))))
	ca, cb := Counts(a, 0, 400e3, 50), Counts(b, 0, 400e3, 50)
	n := float64(len(ca))
	near(t, "Fano", Fano(ca), 1, 4*math.Sqrt(2/n))
	near(t, "correlation", Correlation(ca, cb), 0, 4/math.Sqrt(n))

	// Two trains that share half of their spikes: correlation 1/2.
	s := poisson(r, 50, 400e3)
	near(t, "shared half", Correlation(add(ca, Counts(s, 0, 400e3, 50)), add(cb, Counts(s, 0, 400e3, 50))), 0.5, 4/math.Sqrt(n))
}

func add(a, b []float64) []float64 {
	c := make([]float64, len(a))
	for i := range c {
		c[i] = a[i] + b[i]
	}
	return c
}

func TestCountsEdges(t *testing.T) {
	// 0.1 and 0.3 are bin edges that no quotient hits exactly.
	got := Counts([]float64{0, 0.1, 0.2, 0.30000000000000004, 0.5}, 0, 0.6, 0.1)
	for i, want := range []float64{1, 1, 1, 1, 0, 1} {
		if got[i] != want {
			t.Fatalf("counts %v, want 1 1 1 1 0 1", got)
		}
	}
	if n := len(Counts(nil, 0, 0.3, 0.1)); n != 3 {
		t.Errorf("0.3/0.1 gives %d bins, want 3", n)
	}
	if n := len(Counts(nil, 0, 25, 10)); n != 2 {
		t.Errorf("25/10 gives %d bins, want 2 whole ones", n)
	}
	r := PopulationRate([][]float64{{1, 2, 12}, {3, 24}}, 0, 25, 10)
	if len(r) != 2 || r[0] != 150 || r[1] != 50 { // 3 and 1 spikes of 2 neurons in 10 ms
		t.Errorf("population rate %v, want [150 50]", r)
	}
}

func TestFanoOfCounts(t *testing.T) {
	near(t, "Fano 1 2 3", Fano([]float64{1, 2, 3}), 0.5, 1e-15)
	near(t, "Fano of silence", Fano([]float64{0, 0, 0}), math.NaN(), 0)
	near(t, "Fano of one count", Fano([]float64{5}), math.NaN(), 0)
}

func TestCorrelations(t *testing.T) {
	near(t, "anticorrelated", Correlation([]float64{1, 2, 3}, []float64{3, 2, 1}), -1, 1e-15)
	near(t, "constant", Correlation([]float64{1, 1, 1}, []float64{3, 2, 1}), math.NaN(), 0)
	// The mean by the sum rule is the mean over the pairs.
	r := rand.New(rand.NewPCG(5, 0))
	counts := make([][]float64, 12)
	for i := range counts {
		counts[i] = Counts(poisson(r, 20, 2e3), 0, 2e3, 100)
		if i == 4 {
			clear(counts[i]) // a silent neuron has no correlation with any
		}
	}
	pairs := Correlations(counts)
	if len(pairs) != 11*10/2 {
		t.Fatalf("%d pairs of 11 active neurons, want 55", len(pairs))
	}
	mean, n := MeanCorrelation(counts)
	near(t, "mean correlation", mean, Mean(pairs), 1e-13)
	if n != 11 {
		t.Errorf("%d neurons, want 11", n)
	}
}

func TestCallersBugsPanic(t *testing.T) {
	for name, f := range map[string]func(){
		"empty window":   func() { Rate(nil, 5, 5) },
		"NaN window":     func() { Rate(nil, math.NaN(), 5) },
		"no bin":         func() { Counts(nil, 0, 5, 0) },
		"bin too wide":   func() { Counts(nil, 0, 5, 6) },
		"lengths differ": func() { Correlation([]float64{1, 2}, []float64{1}) },
		"short signal":   func() { Welch([]float64{1, 2}, 1, 8) },
		"bad level":      func() { Bootstrap([]float64{1}, Mean, 95, 1000, 1) },
		"theta = reset":  func() { LIF{VTh: 10, VReset: 10, TauM: 20}.Siegert(15, 5) },
		"NaN mean":       func() { LIF{VTh: 20, VReset: 10, TauM: 20}.Siegert(math.NaN(), 5) },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: no panic", name)
				}
			}()
			f()
		}()
	}
}
