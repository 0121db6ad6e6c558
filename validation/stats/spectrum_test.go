package stats

import (
	"math"
	"math/rand/v2"
	"testing"
)

// A sine of amplitude a has variance a²/2, wherever its frequency lies between
// the bins, and the density integrates to it.
func TestWelchSine(t *testing.T) {
	for _, hz := range []float64{20, 37.3, 180.9} {
		x := make([]float64, 20000)
		for i := range x {
			x[i] = 5 + 3*math.Sin(2*math.Pi*hz*float64(i)*1e-3)
		}
		s := Welch(x, 1, 1000)
		if s.Mean != 39 { // (20000 − 1000)/500 + 1
			t.Errorf("%d segments, want 39", s.Mean)
		}
		sum := 0.0
		for _, d := range s.Density {
			sum += d * (s.Hz[1] - s.Hz[0])
		}
		near(t, "variance", sum, 4.5, 0.01)
		f, _ := s.Peak(1, 500)
		near(t, "peak", f, hz, 0.05) // resolution 1 Hz, refined
	}
}

// White noise of variance v sampled every h seconds has density 2vh at every
// frequency; the mean over all of them has a relative sd of about √(1/n).
func TestWelchWhiteNoise(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 0))
	x := make([]float64, 1<<16)
	for i := range x {
		x[i] = 2 * r.NormFloat64()
	}
	s := Welch(x, 0.5, 256)
	sum := 0.0
	for _, d := range s.Density[2 : len(s.Density)-1] { // the removed mean leaks into the first two
		sum += d
	}
	want := 2 * 4 * 0.5e-3
	near(t, "density", sum/float64(len(s.Density)-3), want, 4*want/256)
	if f := s.Hz[len(s.Hz)-1]; f != 1000 {
		t.Errorf("last frequency %g Hz, want the Nyquist frequency 1000 Hz", f)
	}
}

// A population whose rate is 40 (1 + 0.5 sin 2π 24 t) Hz peaks at 24 Hz.
func TestPopulationRatePeak(t *testing.T) {
	r := rand.New(rand.NewPCG(9, 0))
	trains := make([][]float64, 200)
	for i := range trains {
		for _, s := range poisson(r, 60, 10e3) {
			if 60*r.Float64() < 40*(1+0.5*math.Sin(2*math.Pi*24*s/1000)) {
				trains[i] = append(trains[i], s)
			}
		}
	}
	f, d := Welch(PopulationRate(trains, 0, 10e3, 1), 1, 1000).Peak(5, 500)
	near(t, "peak", f, 24, 0.3)
	// Poisson background: 2 r/N; the line carries 20²/2 over the window's noise
	// bandwidth of 1.5 bins (heights, not areas, so a factor of two is allowed).
	if bg := 2 * 40.0 / 200; d < 100*bg {
		t.Errorf("peak density %g, background %g", d, bg)
	}
}

func TestPeakOfNothing(t *testing.T) {
	f, _ := Welch(make([]float64, 100), 1, 50).Peak(1, 500)
	near(t, "peak of silence", f, math.NaN(), 0)
	s := Welch([]float64{1, 0, 1, 0, 1, 0, 1, 0}, 1, 8)
	f, _ = s.Peak(1, 500)
	near(t, "peak at Nyquist", f, 500, 0)
	f, _ = s.Peak(600, 700)
	near(t, "peak out of range", f, math.NaN(), 0)
}
