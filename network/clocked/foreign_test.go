package clocked

import (
	"context"
	"math"
	"testing"

	"hmn/event"
	"hmn/event/quantity"
	"hmn/network"
)

// trace is the samples of one neuron.
type trace []float64

func (v *trace) WriteSamples(_ int, _ event.Time, x []float64) error {
	*v = append(*v, x[0])
	return nil
}

// TestForeignCurrents: currents and arrivals that fall on the grid act on neurons
// with dynamics of their own as in the event engine, and samples between events
// are those of the time asked for.
func TestForeignCurrents(t *testing.T) {
	number := func(x float64) quantity.Value { return quantity.Value{Number: x} }
	for _, c := range []struct {
		model string
		tol   float64 // mV: rounding, and the tolerance of the integration
	}{{"mat2_psc_exp", 1e-10}, {"iaf_cond_exp", 1e-4}} {
		m := &network.Model{Simulation: network.Simulation{Engine: network.EngineClocked, Dt: event.Millisecond / 4}, Populations: []network.Population{
			{Name: "n", N: 1, Model: c.model},
			{Name: "steps", N: 1, Model: "step_current", Params: quantity.Values{"amplitude": number(60), "steps": {Steps: [][2]float64{{10, 150}, {30.25, -100}, {60, 90}}}}},
			{Name: "kick", N: 1, Model: "spike_train", Trains: [][]event.Time{{5 * event.Millisecond, 41 * event.Millisecond}}},
		}}
		m.Projections = []network.Projection{
			{Name: "steps", Source: "steps", Target: "n", Rule: network.OneToOne, Weight: network.Value{A: 1}, Dendritic: network.Value{A: 1.5}, Synapse: "static"},
			{Name: "kick", Source: "kick", Target: "n", Rule: network.OneToOne, Weight: network.Value{A: 5}, Dendritic: network.Value{A: 2}, Synapse: "static"},
		}
		m.Records = []network.Record{{What: network.RecordVm, Of: "n", Every: 3 * event.Millisecond / 4}}
		var got, want trace
		e, err := New(m)
		if err != nil {
			t.Fatal(err)
		}
		if err := e.Run(context.Background(), 90*event.Millisecond, network.Recorder{Samples: &got}); err != nil {
			t.Fatal(err)
		}
		exact := *m
		exact.Simulation = network.Simulation{}
		n, err := network.Build(&exact, network.Options{Workers: 1})
		if err != nil {
			t.Fatal(err)
		}
		err = n.Run(context.Background(), 90*event.Millisecond, network.Recorder{Samples: &want})
		n.Close()
		if err != nil || len(got) != len(want) || len(got) != 120 {
			t.Fatal(err, len(got), len(want))
		}
		span := 0.0
		for k := range got {
			if math.Abs(got[k]-want[k]) > c.tol {
				t.Errorf("%s: V at %v ms is %v, want %v", c.model, 0.75*float64(k), got[k], want[k])
				break
			}
			span = max(span, math.Abs(want[k]-want[0]))
		}
		if span < 3 {
			t.Errorf("%s: V moves by %v mV only", c.model, span)
		}
	}
}
