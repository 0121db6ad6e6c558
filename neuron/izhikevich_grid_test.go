package neuron

import (
	"math"
	"slices"
	"testing"

	"hmn/event/quantity"
	"hmn/event/random"
)

// TestStepFour compares the two ways through a step, bit by bit, for block sizes
// with and without a rest and potentials anywhere.
func TestStepFour(t *testing.T) {
	if !byFours {
		t.Skip("this processor has only one way")
	}
	p := quantity.Values{"noise": {Number: 13}, "a": {Number: 0.1}, "d": {Number: 2}, "I_e": {Number: 0.3}}
	for _, n := range []int{1, 4, 7, 1000} {
		fast := newIzhikevichGrid(p, 7, 8, n)
		slow := newIzhikevichGrid(p, 7, 8, n)
		slow.over = nil
		draw := random.Key(3)
		spikes := 0
		for k := range int64(2000) {
			for i := range n {
				a, b := draw.At(uint64(i), uint64(k))
				x := 20 * random.Uniform(a)
				fast.in[i], slow.in[i] = x, x
				if k%100 == 0 { // anywhere between −100 and 50 mV
					fast.v[i] = float64(150*random.Uniform(b)) - 100
					slow.v[i] = fast.v[i]
				}
			}
			f, err := fast.Step(k, nil)
			if err != nil {
				t.Fatal(err)
			}
			s, _ := slow.Step(k, nil)
			if !slices.Equal(f, s) {
				t.Fatalf("n = %d, step %d: %v fire, one by one %v", n, k, f, s)
			}
			spikes += len(f)
			for i := range n {
				if math.Float64bits(fast.v[i]) != math.Float64bits(slow.v[i]) || math.Float64bits(fast.u[i]) != math.Float64bits(slow.u[i]) || fast.in[i] != 0 {
					t.Fatalf("n = %d, step %d, neuron %d: v, u = %v, %v, one by one %v, %v", n, k, i, fast.v[i], fast.u[i], slow.v[i], slow.u[i])
				}
			}
		}
		if spikes == 0 {
			t.Fatalf("n = %d: nobody fired", n)
		}
	}
	g := newIzhikevichGrid(p, 7, 0, 4)
	g.v[2] = math.NaN()
	if _, err := g.Step(0, nil); err == nil {
		t.Error("a potential that is not a number goes unnoticed")
	}
}

// A block draws what the whole population draws for its neurons, wherever it
// begins.
func TestGridDraws(t *testing.T) {
	p := quantity.Values{"noise": {Number: 13}}
	whole := newIzhikevichGrid(p, 7, 0, 40)
	for _, lo := range []int{3, 4, 17} {
		part := newIzhikevichGrid(p, 7, lo, 40-lo)
		whole := newIzhikevichGrid(p, 7, 0, 40)
		for k := range int64(50) {
			if _, err := part.Step(k, nil); err != nil {
				t.Fatal(err)
			}
			if _, err := whole.Step(k, nil); err != nil {
				t.Fatal(err)
			}
		}
		if !slices.Equal(part.v, whole.v[lo:]) {
			t.Errorf("a block from neuron %d on gives other potentials", lo)
		}
	}
	// Moments of the noise: mean 0 and variance 13²/12, ± 4 standard errors of
	// 40 000 draws: 4·13/√12/√40000 and 4·13²/√180/√40000.
	sum, square := 0.0, 0.0
	for k := range int64(1000) {
		whole.draw(k)
		for i := range 40 {
			x := 13 * (float64(whole.bits[i/2]>>(i%2*32)&(1<<32-1))/(1<<32) - 0.5)
			sum, square = sum+x, square+x*x
		}
	}
	if mean, v := sum/40000, square/40000; math.Abs(mean) > 0.075 || math.Abs(v-169.0/12) > 0.252 {
		t.Errorf("noise of mean %v and variance %v, want 0 and %v", mean, v, 169.0/12)
	}
}
