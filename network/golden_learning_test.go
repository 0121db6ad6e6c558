package network

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"math"
	"testing"

	"hmn/event"
	"hmn/event/quantity"
)

func (d digest) put(fields ...any) error {
	for _, x := range fields {
		if err := binary.Write(d, binary.LittleEndian, x); err != nil {
			return err
		}
	}
	return nil
}

func (d digest) synapse(s SynapseID, k int64) error {
	return d.put(int64(s.Projection), s.Source, s.Target, s.Multapse, k)
}

func (d digest) WriteUpdates(updates []WeightUpdate) error {
	for _, u := range updates {
		if err := d.put(int64(u.At), u.DW); err != nil {
			return err
		}
		if err := d.synapse(u.Synapse, u.K); err != nil {
			return err
		}
	}
	return nil
}

func (d digest) WriteCandidates(candidates []Candidate) error {
	for _, c := range candidates {
		if math.IsNaN(c.P) { // no opportunity: a NaN has many bit patterns
			c.P, c.U = -1, -1
		}
		if err := d.put(int64(c.Open), int64(c.Close), c.Value, c.P, c.U, c.Applied, c.DW); err != nil {
			return err
		}
		if err := d.synapse(c.Synapse, c.K); err != nil {
			return err
		}
	}
	return nil
}

// learningModel is a small recurrent network, all of whose synapses learn under the
// rule with the keys given beside those that all have.
func learningModel(rates bool, keys ...any) *Model {
	m := &Model{Simulation: Simulation{Seed: 7}}
	m.Modulators = []Modulator{
		{Name: "reward", Tau: 60},
		{Name: "tone", Hold: true, W: 0.3, HasW: true, Events: []Jump{{At: 0, Amount: 0.4}, {At: 123_456_789_012, Amount: -0.7}}},
	}
	for k := range event.Time(12) {
		m.Modulators[0].Events = append(m.Modulators[0].Events, Jump{At: (7 + 23*k) * event.Millisecond, Amount: 1 - 0.4*float64(k%5)})
	}
	add := func(source, target string, weight Value, wMax float64) {
		p := num("w_max", wMax)
		if rates {
			p["eta_local"], p["eta_global"] = quantity.Value{Number: 1e-5}, quantity.Value{Number: 3e-4}
		} else {
			p["eta_local"], p["eta_global"] = quantity.Value{Number: 1e-4 * wMax}, quantity.Value{Number: 1e-3 * wMax}
		}
		p["phase"], p["beta_p"], p["theta_p"] = quantity.Value{Text: "uniform"}, quantity.Value{Number: 300 / wMax}, quantity.Value{Number: 0.005 * wMax}
		for k := 0; k < len(keys); k += 2 {
			if on, ok := keys[k+1].(bool); ok {
				p[keys[k].(string)] = quantity.Value{Bool: on}
				continue
			}
			for name, v := range num(keys[k], keys[k+1]) {
				p[name] = v
			}
		}
		if p["update"].Text == "continuous" {
			delete(p, "beta_p")
			delete(p, "theta_p")
		}
		q := Projection{Name: source + target, Source: source, Target: target, Rule: FixedInDegree, Degree: 8, Multapses: true,
			Weight: weight, Axonal: between(0.4, 3), Dendritic: fixed(0.3), Synapse: "hmn", SynapseParams: p}
		m.Projections = append(m.Projections, q)
		m.Records = append(m.Records, Record{What: RecordUpdates, Of: q.Name}, Record{What: RecordCandidate, Of: q.Name})
		for _, what := range []string{RecordWeight, RecordEligibility, RecordGate, RecordAlpha, RecordGPrime, RecordGamma} {
			m.Records = append(m.Records, Record{What: what, Of: q.Name, Every: 7_300 * event.Microsecond})
		}
	}
	if rates {
		var steps [][2]float64
		for k := range 40 {
			steps = append(steps, [2]float64{7.7 * float64(k), float64(k%7) - 2})
		}
		m.Populations = []Population{
			{Name: "in", N: 1, Model: "step_rate", Params: quantity.Values{"steps": {Steps: steps}}},
			{Name: "R", N: 40, Model: "rate", Params: num("f", "tanh", "b", 0.1, "noise_sigma", 0.4, "noise_hold", 12)},
		}
		m.Projections = append(m.Projections, Projection{Name: "in>R", Source: "in", Target: "R", Rule: AllToAll, Weight: between(0, 0.5), Dendritic: fixed(1), Synapse: "static"})
		add("R", "R", between(0, 0.2), 0.5)
		m.Projections[1].Axonal = fixed(0.7)
		m.Records = append(m.Records, Record{What: RecordRate, Of: "R", Every: 3 * event.Millisecond})
		return m
	}
	p := num("C_m", 200, "tau_m", 20, "E_L", -65, "V_th", -50, "V_reset", -65, "t_ref", 2, "tau_syn_ex", 3, "tau_syn_in", 8, "I_e", 100)
	init := map[string]Value{"V_m": between(-65, -50)}
	for _, t := range []struct {
		name string
		n    int
	}{{"E", 80}, {"I", 20}} {
		m.Populations = append(m.Populations, Population{Name: t.name, N: t.n, Model: "iaf_psc_exp", Params: p, Init: init},
			Population{Name: "noise" + t.name, N: t.n, Model: "poisson", Params: num("rate", 900)})
		m.Projections = append(m.Projections, Projection{Name: "noise" + t.name, Source: "noise" + t.name, Target: t.name, Rule: OneToOne, Weight: fixed(22), Dendritic: fixed(1), Synapse: "static"})
		m.Records = append(m.Records, Record{What: RecordSpikes, Of: t.name}, Record{What: RecordVm, Of: t.name, Every: 5 * event.Millisecond})
	}
	for _, t := range []string{"E", "I"} {
		add("E", t, between(5, 40), 60)
		add("I", t, between(-60, -5), 80)
	}
	return m
}

// TestGoldenLearning pins everything that plastic networks report, to the last bit;
// as in TestGoldenNetworks the point is that v1, v3 and other machines agree.
func TestGoldenLearning(t *testing.T) {
	for _, c := range []struct {
		name  string
		model *Model
		want  string
	}{
		{"core", learningModel(false), "b4ab8ed811652fa86c03128006cefaca"},
		{"nearest, overwrite, no gate", learningModel(false, "nearest", true, "trace", "overwrite", "gate", false, "bernoulli", false, "osc_hz", 12.3), "c2f04227c41e23cb3f4a5e764704337d"},
		{"attention, soft bounds, decay", learningModel(false, "beta_a", 2, "tau_ctx", 300, "beta_g", 2, "bounds", "soft", "mu", 0.4, "lambda_w", 1e-4, "settle_cycles", 1), "d9e2d765626fcc6da15d96e9772b4d7a"},
		{"oja, held over cycles", learningModel(false, "beta_a", 2, "tau_ctx", 300, "embedding", "oja", "alpha_hold", "cycle", "similarity", "dot"), "ae84bb01e8074fcbd8b56110f4a197b9"},
		{"learned phases", learningModel(false, "eta_phi", 0.05), "21c57fa8fe6f03bf473ceeb44e3662ce"},
		{"continuous", learningModel(false, "update", "continuous", "bernoulli", false, "beta_a", 1, "tau_ctx", 300), "8a9cd946cc8c14954b837d8ed91ac28b"},
		{"rates", learningModel(true, "center", "post"), "57f61a507b3f1d7e7869288d256cccff"},
		{"rates, attention", learningModel(true, "beta_a", 2, "tau_ctx", 300, "beta_g", 2, "tau_C", 100), "c6801a32b829b73bd549f7ff41ae383f"},
	} {
		n, err := Build(c.model, Options{Workers: 2})
		if err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		d := digest{sha256.New()}
		err = n.Run(context.Background(), 300*event.Millisecond, Recorder{Spikes: d, Samples: d, Updates: d, Candidates: d})
		if err != nil {
			t.Fatal(err)
		}
		for p := range c.model.Projections {
			if c.model.Projections[p].Synapse != "hmn" {
				continue
			}
			start, err := Synapses(c.model, p)
			if err != nil {
				t.Fatal(err)
			}
			moved := 0.0
			for w := range n.Weights(p) {
				for _, x := range w {
					moved += x
				}
				if err := d.put(w); err != nil {
					t.Fatal(err)
				}
			}
			for _, s := range start {
				moved -= s.Weight
			}
			if !(math.Abs(moved) > 1e-3) {
				t.Errorf("%s: %d weights changed by %v together", c.name, len(start), moved)
			}
		}
		n.Close()
		if s := n.Stats(); s.Spikes < 200 && s.RateChanges < 300 {
			t.Errorf("%s: %d spikes, %d changes are too few to tell anything", c.name, s.Spikes, s.RateChanges)
		}
		if got := hex.EncodeToString(d.Sum(nil)[:16]); got != c.want {
			t.Errorf("%s: hash %s, want %s", c.name, got, c.want)
		}
	}
}
