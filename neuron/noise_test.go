package neuron

import (
	"math"
	"slices"
	"testing"

	"hmn/event"
	"hmn/event/quantity"
)

func noiseLevels(t *testing.T, model string, n int, seed uint64, pairs ...any) *Levels {
	t.Helper()
	v := quantity.Values{}
	for k := 0; k < len(pairs); k += 2 {
		v[pairs[k].(string)] = quantity.Value{Number: pairs[k+1].(float64)}
	}
	m, _ := Lookup(model)
	if _, err := m.CheckAll(v); err != nil {
		t.Fatal(err)
	}
	l, err := NewLevels(model, v, n, seed, "noise")
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// TestNoiseMoments: mean, variance and autocovariance of the values at the
// ticks, each within four standard errors of the closed form. With autocovariance
// γ_j = σ² ρ^|j| the estimate of γ_k over T ticks has variance
// Σ_j (γ_j² + γ_{j+k} γ_{j−k})/T, and that of the mean Σ_j γ_j/T.
func TestNoiseMoments(t *testing.T) {
	const n, ticks, mean, sigma = 50, 4000, 30.0, 20.0
	for _, c := range []struct {
		name, model string
		rho         float64
		pairs       []any
	}{
		{"OU, tau = 5 hold", "ou_current", math.Exp(-0.2), []any{"mean", mean, "sigma", sigma, "tau", 2.5, "hold", 0.5}},
		{"OU, tau = hold/3", "ou_current", math.Exp(-3), []any{"mean", mean, "sigma", sigma, "tau", 0.5, "hold", 1.5}},
		{"white", "noise_current", 0, []any{"mean", mean, "std", sigma, "dt", 0.5}},
	} {
		l := noiseLevels(t, c.model, n, 11, c.pairs...)
		hold := l.noise.hold
		x := make([][]float64, n)
		for _, ch := range l.Changes(0, n, 0, ticks*hold, nil) {
			if ch.At%hold != 0 {
				t.Fatalf("%s: change at %v", c.name, ch.At)
			}
			x[ch.Neuron] = append(x[ch.Neuron], ch.New-mean)
		}
		gamma := func(j int) float64 { return sigma * sigma * math.Pow(c.rho, math.Abs(float64(j))) }
		sum := 0.0
		for i := range x {
			if len(x[i]) != ticks {
				t.Fatalf("%s: %d values, want %d", c.name, len(x[i]), ticks)
			}
			for _, v := range x[i] {
				sum += v
			}
		}
		spread := 0.0
		for j := -200; j <= 200; j++ {
			spread += gamma(j)
		}
		if se := math.Sqrt(spread / (n * ticks)); math.Abs(sum/(n*ticks)) > 4*se {
			t.Errorf("%s: mean off by %g, standard error %g", c.name, sum/(n*ticks), se)
		}
		for _, k := range []int{0, 1, 2, 5, 10} {
			got, spread := 0.0, 0.0
			for i := range x {
				for j := k; j < ticks; j++ {
					got += x[i][j] * x[i][j-k]
				}
			}
			got /= float64(n * (ticks - k))
			for j := -200; j <= 200; j++ {
				spread += gamma(j)*gamma(j) + gamma(j+k)*gamma(j-k)
			}
			if se := math.Sqrt(spread / float64(n*(ticks-k))); math.Abs(got-gamma(k)) > 4*se {
				t.Errorf("%s: autocovariance at %d ticks %g, want %g, standard error %g", c.name, k, got, gamma(k), se)
			}
		}
		// Neurons are independent: the products of different ones have mean 0 and
		// variance Σ_j γ_j²/T.
		got, cross := 0.0, 0.0
		for i := range x {
			for j := range x[i] {
				got += x[i][j] * x[(i+1)%n][j] / (n * ticks)
			}
		}
		for j := -200; j <= 200; j++ {
			cross += gamma(j) * gamma(j)
		}
		if se := math.Sqrt(cross / (n * ticks)); math.Abs(got) > 4*se {
			t.Errorf("%s: covariance of neighbours %g, standard error %g", c.name, got, se)
		}
		// Stationary from the start: the first values of 50 neurons.
		first := 0.0
		for i := range x {
			first += x[i][0] * x[i][0] / n
		}
		if se := sigma * sigma * math.Sqrt(2.0/n); math.Abs(first-sigma*sigma) > 4*se {
			t.Errorf("%s: variance at t = 0 %g, want %g", c.name, first, sigma*sigma)
		}
	}
}

// TestNoisePure: what noise gives does not depend on how it is asked for:
// window by window, for some of the neurons, or again from an earlier time.
// Another seed gives other noise.
func TestNoisePure(t *testing.T) {
	pairs := []any{"sigma", 3.0, "tau", 4.0, "hold", 0.3}
	const n, end = 4, 50 * event.Millisecond
	whole := noiseLevels(t, "ou_current", n, 1, pairs...).Changes(0, n, 0, end, nil)
	l := noiseLevels(t, "ou_current", n, 1, pairs...)
	var parts []Change
	for from := event.Time(0); from < end; from += 700 * event.Microsecond {
		parts = l.Changes(0, n, from, min(from+700*event.Microsecond, end), parts)
	}
	if !slices.Equal(whole, parts) {
		t.Error("windows change the noise")
	}
	var some []Change
	for _, c := range whole {
		if c.Neuron == 2 && c.At >= 20*event.Millisecond {
			some = append(some, c)
		}
	}
	if got := l.Changes(2, 3, 20*event.Millisecond, end, nil); !slices.Equal(got, some) {
		t.Error("asking again for one neuron gives other noise")
	}
	if slices.Equal(noiseLevels(t, "ou_current", n, 2, pairs...).Changes(0, n, 0, end, nil), whole) {
		t.Error("another seed gives the same noise")
	}
	if at := l.Next(301 * event.Microsecond); at != 600*event.Microsecond {
		t.Errorf("next tick at %v", at)
	}
	if got := noiseLevels(t, "noise_current", 1, 1, "mean", 2.0, "std", 0.0).Changes(0, 1, 0, end, nil); len(got) != 1 || got[0].New != 2 {
		t.Errorf("without deviation: %v", got)
	}
}

func BenchmarkNoise(b *testing.B) {
	m, _ := Lookup("ou_current")
	v := quantity.Values{"sigma": {Number: 1}, "tau": {Number: 5}}
	x, _ := newNoise(m, v, 1000, 1, "noise")
	dst := make([]Change, 0, 1000)
	t := event.Time(0)
	b.ReportAllocs()
	for b.Loop() {
		dst = x.changes(0, 1000, t, t+x.hold, dst[:0])
		t += x.hold
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/1000, "ns/value")
}
