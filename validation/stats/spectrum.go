package stats

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/dsp/fourier"
	"gonum.org/v1/gonum/stat"
)

// Spectrum is a one-sided power spectral density: its integral over frequency
// is the variance of the signal.
type Spectrum struct {
	Hz      []float64 // 0, Δf, 2Δf, …, Nyquist frequency
	Density []float64 // [signal²/Hz]
	Mean    int       // number of segments averaged
}

// Welch estimates the spectrum of a signal sampled every step ms (Welch 1967,
// doi:10.1109/TAU.1967.1161901): segments of the given number of samples that
// overlap by half, each less its mean and under a Hann window. A signal shorter
// than one segment is taken as one segment. The frequency resolution is
// 1000/(segment·step) Hz. It panics for fewer than four samples or step ≤ 0.
func Welch(signal []float64, step float64, segment int) Spectrum {
	segment = min(segment, len(signal))
	if segment < 4 || !(step > 0) {
		panic(fmt.Sprintf("stats: spectrum of %d samples in segments of %d every %g ms", len(signal), segment, step))
	}
	hann := make([]float64, segment)
	norm := 0.0
	for i := range hann {
		// Periodic form, so that half-overlapping windows sum to one.
		hann[i] = 0.5 - 0.5*math.Cos(2*math.Pi*float64(i)/float64(segment))
		norm += hann[i] * hann[i]
	}
	fft := fourier.NewFFT(segment)
	s := Spectrum{Density: make([]float64, segment/2+1), Hz: make([]float64, segment/2+1)}
	x := make([]float64, segment)
	var c []complex128
	for i := 0; i+segment <= len(signal); i += segment - segment/2 {
		part := signal[i : i+segment]
		mean := stat.Mean(part, nil)
		for k, v := range part {
			x[k] = (v - mean) * hann[k]
		}
		c = fft.Coefficients(c, x)
		for k, z := range c {
			s.Density[k] += real(z)*real(z) + imag(z)*imag(z)
		}
		s.Mean++
	}
	perHz := step / 1000 / (norm * float64(s.Mean))
	for k := range s.Density {
		s.Hz[k] = 1000 * float64(k) / (float64(segment) * step)
		s.Density[k] *= perHz
		if k > 0 && 2*k != segment { // the negative frequencies
			s.Density[k] *= 2
		}
	}
	return s
}

// Peak is the frequency of the largest density with lo ≤ f ≤ hi [Hz], refined by
// the parabola through the logarithms of it and its neighbours, and the density
// found there. Frequency 0 is never the peak: means are removed. NaN, NaN when
// no frequency lies in the range or all density there is zero.
func (s Spectrum) Peak(lo, hi float64) (hz, density float64) {
	best := -1
	for k := 1; k < len(s.Hz); k++ {
		if s.Hz[k] >= lo && s.Hz[k] <= hi && s.Density[k] > 0 && (best < 0 || s.Density[k] > s.Density[best]) {
			best = k
		}
	}
	if best < 0 {
		return math.NaN(), math.NaN()
	}
	hz, density = s.Hz[best], s.Density[best]
	if best == 1 || best+1 == len(s.Hz) {
		return hz, density
	}
	a, b, c := math.Log(s.Density[best-1]), math.Log(density), math.Log(s.Density[best+1])
	if bend := a - 2*b + c; bend < 0 && a <= b && c <= b && !math.IsInf(bend, 0) {
		d := (a - c) / (2 * bend)
		hz += d * (s.Hz[2] - s.Hz[1])
		density = math.Exp(b - (a-c)*d/4)
	}
	return hz, density
}
