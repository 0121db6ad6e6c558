package network

import (
	"context"
	"math"
	"testing"

	"hmn/event"
	"hmn/event/quantity"
)

// The homeostatic bias changes by η (r_target t − k) in t ms with k spikes, so the
// rate can differ from its target by no more than what the bias moved: with b
// bounded by where the neuron stops and where it bursts, the count of a long
// stretch is the target to a few spikes.
func TestBiasReachesItsTarget(t *testing.T) {
	number := func(x float64) quantity.Value { return quantity.Value{Number: x} }
	for _, model := range []string{"iaf_psc_delta", "iaf_psc_exp", "iaf_psc_alpha"} {
		m := &Model{Populations: []Population{{Name: "a", N: 3, Model: model, Params: quantity.Values{
			"I_e": number(300), "b": number(50), "eta_b": number(0.5), "r_target": number(20)}}}}
		n, err := Build(m, Options{Workers: 1})
		if err != nil {
			t.Fatal(err)
		}
		defer n.Close()
		run := func(d event.Time) float64 {
			before := n.Stats().PopSpikes[0]
			if err := n.Run(context.Background(), d, Recorder{}); err != nil {
				t.Fatal(err)
			}
			return float64(n.Stats().PopSpikes[0]-before) / 3
		}
		first := run(100 * event.Second)
		// dI/df of the noise-free neuron near 20 Hz: b starts 300 + 50 pA − I(20 Hz)
		// from where it ends, at most some 150 pA, which takes 150/η = 300 spikes.
		if math.Abs(first-2000) > 300 {
			t.Errorf("%s: %g spikes per neuron in 100 s, want 2000 ± 300", model, first)
		}
		if got := run(100 * event.Second); math.Abs(got-2000) > 2 {
			t.Errorf("%s: %g spikes per neuron in the second 100 s, want 2000 ± 2", model, got)
		}
	}
}
