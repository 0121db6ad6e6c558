package validation

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"hmn/event"
	"hmn/event/quantity"
	"hmn/network"
	"hmn/neuron"
)

// checkPlasticTargets lets neurons of every model learn: each kind of block hands
// spikes to the synapses and takes their effects in its own way. From the spikes
// of a run the reference finds the weights.
func checkPlasticTargets(t *testing.T, mode mode) (rows []Check) {
	const inputs = 20
	span := ms([]float64{400, 1000, 4000}[mode])
	for k, c := range []struct {
		model  string
		params quantity.Values
		wMax   float64 // in the model's unit
		port   string
	}{
		{"iaf_psc_delta", values("V_th", -55.0, "E_L", -70.0, "V_reset", -70.0, "I_e", 400.0), 1, ""},
		{"iaf_psc_exp", values("V_th", -55.0, "E_L", -70.0, "V_reset", -70.0, "I_e", 400.0), 60, ""},
		{"iaf_psc_alpha", values("V_th", -55.0, "E_L", -70.0, "V_reset", -70.0, "I_e", 400.0), 60, ""},
		{"iaf_cond_exp", values("I_e", 270.0), 3, ""},
		{"iaf_cond_alpha", values("I_e", 270.0), 3, ""},
		{"iaf_cond_multi", values("I_e", 270.0), 3, "AMPA"},
		{"aeif_cond_exp", values("I_e", 800.0), 3, ""},
		{"aeif_cond_alpha", values("I_e", 800.0), 3, ""},
		{"izhikevich", values("I_e", 10.0), 2, ""},
		{"izhikevich_2003_grid", values("I_e", 10.0), 2, ""},
		{"hh_psc_alpha", values("I_e", 700.0), 50, ""},
		{"hh_cond_exp_traub", values("I_e", 400.0), 3, ""},
		{"mat2_psc_exp", values("I_e", 500.0), 60, ""},
		// Without refractoriness a spike must not bring about more than one.
		{"IntFire1", nil, 0.12, ""},
		{"IntFire2", nil, 0.03, ""},
		{"IntFire4", nil, 0.12, ""},
	} {
		if _, ok := neuron.Lookup(c.model); !ok {
			continue
		}
		cells := 40
		if mode > quickMode && k < 4 {
			cells = 2100 // eight blocks
		}
		rng := rand.New(rand.NewPCG(70, uint64(k)))
		o := stdpOracle{aPlus: 0.02, aMinus: -0.019, tauPlus: 20, tauMinus: 25, muPlus: 1, muMinus: 1, wMax: c.wMax}
		r := stdpRule("", o)
		m := &network.Model{Simulation: network.Simulation{Seed: 5}}
		var in [][]event.Time
		hz, degree := 60.0, 6
		if c.params == nil { // nothing but its inputs makes it fire
			hz, degree = 200, inputs
		}
		for range inputs {
			in = append(in, randomTrain(rng, hz, span))
		}
		m.Populations = append(m.Populations, trains("in", in...), population("cells", cells, c.model, c.params, nil))
		for i, source := range []string{"in", "cells"} {
			m.Projections = append(m.Projections, network.Projection{Name: source + ">cells", Source: source, Target: "cells", Rule: network.FixedInDegree, Degree: []int{degree, 6}[i], Autapses: true, Multapses: false,
				Weight: uniform(0, c.wMax), Axonal: uniform(0.3, 2), Dendritic: uniform(0.3, 3), Receptor: c.port, Synapse: "stdp", SynapseParams: r.params})
			m.Records = append(m.Records, record(network.RecordWeight, source+">cells", span))
		}
		m.Records = append(m.Records, record(network.RecordSpikes, "cells", 0))
		m.Guard = network.Guard{MaxRateHz: 1500, Window: ms(20)}
		n := build(t, m, 3)
		tape := &tape{}
		if err := n.Run(context.Background(), span+1, network.Recorder{Spikes: tape, Samples: tape}); err != nil {
			t.Errorf("%s: %v", c.model, err)
			continue
		}
		n.Close()
		posts := make([][]event.Time, cells)
		for _, s := range tape.spikes {
			posts[s.ID-inputs] = append(posts[s.ID-inputs], s.At)
		}
		worst, checked, moved := 0.0, 0, 0
		for p := range m.Projections {
			list, err := network.Synapses(m, p)
			if err != nil {
				t.Fatal(err)
			}
			last := tape.samples[len(tape.samples)-2+p]
			column := map[[2]uint32]float64{}
			for i, l := range n.RecordLabels(p) {
				column[[2]uint32{l.Source, l.Target}] = last.values[i]
			}
			stride := max(1, len(list)/400)
			for i := 0; i < len(list); i += stride {
				s := list[i]
				b := &bond{post: posts[s.Target], axonal: s.Axonal, dendritic: s.Dendritic, weight: s.Weight}
				if b.pre = in[min(int(s.Source), inputs-1)]; p == 1 {
					b.pre = posts[s.Source]
				}
				a := o.weights(b, []event.Time{span}, true)[0]
				got := column[[2]uint32{s.Source, s.Target}]
				worst = math.Max(worst, math.Abs(got-double(a.w))/(double(a.total)+c.wMax))
				checked++
				if a.total.Sign() > 0 {
					moved++
				}
			}
		}
		if len(tape.spikes) < cells || moved < checked/2 {
			t.Errorf("%s: %d spikes of %d neurons, %d of %d weights moved", c.model, len(tape.spikes), cells, moved, checked)
		}
		rows = append(rows, Check{Name: "stdp onto " + c.model + ": weights from the spikes", Unit: "Σ|Δw|+w_max", Expected: 0, Got: worst, Tolerance: 1e-12,
			Why: fmt.Sprintf("a recurrent network of %d neurons, %d spikes; %d synapses with delays of their own on both sides", cells, len(tape.spikes), checked)})
	}
	return rows
}
