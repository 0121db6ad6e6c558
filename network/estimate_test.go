package network

import (
	"math"
	"testing"

	"hmn/event"
	"hmn/event/quantity"
)

// TestEstimateSynapses compares expected with built numbers and least delays.
func TestEstimateSynapses(t *testing.T) {
	for name, m := range allRules() {
		p := &m.Projections[0]
		p.Weight.Min, p.Weight.HasMin = 0, true
		links := buildLinks(t, m)
		e, err := EstimateModel(m)
		if err != nil {
			t.Fatal(err)
		}
		slack := 0.0
		if p.Rule == PairwiseBernoulli || p.Rule == Distance {
			slack = 4 * math.Sqrt(e.Synapses)
		}
		if math.Abs(e.Synapses-float64(len(links))) > slack {
			t.Errorf("%s: %g synapses expected, %d built", name, e.Synapses, len(links))
		}
		least := event.MaxTime
		for _, l := range links {
			least = min(least, l.d)
		}
		if e.MinDelay > least || e.MinDelay == 0 || p.Rule != EdgeList && e.MinDelay != 500*event.Microsecond {
			t.Errorf("%s: least delay %v ms expected, %v ms built", name, e.MinDelay, least)
		}
	}
}

func TestEstimate(t *testing.T) {
	m := valid()
	e, err := EstimateModel(m)
	if err != nil {
		t.Fatal(err)
	}
	// EE: 6 pairs at p = 0.5. RR: 2, without delay. ER: 6.
	if e.Neurons != 10 || e.Synapses != 11 || e.MinDelay != 0 || e.Window != event.Millisecond || e.Blocks != 4 {
		t.Errorf("%+v", e)
	}
	// E 3 × 10 Hz assumed, trains 3 spikes in 1 s, noise 3 × 800.
	if math.Abs(e.SpikesPerSec-2433) > 1e-9 || e.LogBytesPerSec != 180 || e.EventsPerSec != 90 {
		t.Errorf("%g spikes/s, %g log bytes/s, %g events/s", e.SpikesPerSec, e.LogBytesPerSec, e.EventsPerSec)
	}
	for i, want := range []PopulationEstimate{
		{"E", "iaf_psc_exp", 3, 1, 10, true, "epochs of 4"},
		{"in", "spike_train", 2, 1, 1.5, false, "generated"},
		{"noise", "poisson", 3, 1, 800, false, "generated"},
		{"R", "rate", 2, 1, 0, false, "rate"},
	} {
		if e.Populations[i] != want {
			t.Errorf("%+v, want %+v", e.Populations[i], want)
		}
	}
	m.Simulation.LookaheadMax = 7
	if e, _ = EstimateModel(m); e.Window != 7 {
		t.Errorf("window %v ms with a cap", e.Window)
	}
}

// TestSourceRates: means over a run of 1 s.
func TestSourceRates(t *testing.T) {
	for _, c := range []struct {
		params quantity.Values
		want   float64
	}{
		{quantity.Values{"rate": {Number: 12}}, 12},
		{quantity.Values{"rate_steps": {Steps: [][2]float64{{250, 100}, {750, 20}, {2000, 1e5}}}}, 55},
		{quantity.Values{"sinusoid": {Sine: &quantity.Sinusoid{Mean: 10, Amplitude: 5, Frequency: 1}}}, 10},
		{quantity.Values{"sinusoid": {Sine: &quantity.Sinusoid{Amplitude: 5, Frequency: 1}}}, 5 / math.Pi}, // half wave
		{quantity.Values{"rates_file": {Table: []quantity.Step{{Neuron: 0, Time: 0, Value: 40}, {Neuron: 1, Time: 500, Value: 40}}}}, 15},
	} {
		m := &Model{Simulation: Simulation{Duration: event.Second}, Populations: []Population{{Name: "N", N: 4, Model: "poisson", Params: c.params}}}
		e, err := EstimateModel(m)
		if err != nil {
			t.Fatal(err)
		}
		if got := e.Populations[0].RateHz; math.Abs(got-c.want) > 1e-12*c.want {
			t.Errorf("%+v: %g Hz, want %g", c.params, got, c.want)
		}
	}
}
