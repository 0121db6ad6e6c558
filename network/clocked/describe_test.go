package clocked

import (
	"context"
	"math"
	"testing"

	"hmn/event"
	"hmn/event/quantity"
	"hmn/network"
	"hmn/synapse"
)

// values makes parameters from pairs of key and value.
func values(pairs ...any) quantity.Values {
	v := quantity.Values{}
	for i := 0; i < len(pairs); i += 2 {
		q := quantity.Value{}
		switch x := pairs[i+1].(type) {
		case int:
			q.Number = float64(x)
		case float64:
			q.Number = x
		case string:
			q.Text = x
		case bool:
			q.Bool = x
		case [][2]float64:
			q.Steps = x
		}
		v[pairs[i].(string)] = q
	}
	return v
}

// at is a time in ms.
func at(ms float64) event.Time {
	t, _, err := event.FromMS(ms)
	if err != nil {
		panic(err)
	}
	return t
}

func constant(x float64) network.Value { return network.Value{A: x} }

// trains is a population of spike trains, times in ms.
func trains(name string, times ...[]float64) network.Population {
	p := network.Population{Name: name, N: len(times), Model: "spike_train"}
	for _, list := range times {
		train := []event.Time{}
		for _, t := range list {
			train = append(train, at(t))
		}
		p.Trains = append(p.Trains, train)
	}
	return p
}

// levels is a population of n equal level sources.
func levels(name string, n int, amplitude float64, steps ...[2]float64) network.Population {
	p := network.Population{Name: name, N: n, Model: "step_rate", Params: values("amplitude", amplitude)}
	if steps != nil {
		p.Params["steps"] = quantity.Value{Steps: steps}
	}
	return p
}

// plasticProjection is a projection under the rule hmn.
func plasticProjection(source, target, rule string, weight, axonal, dendritic float64, pairs ...any) network.Projection {
	return network.Projection{Name: source + target, Source: source, Target: target, Rule: rule,
		Weight: constant(weight), Axonal: constant(axonal), Dendritic: constant(dendritic), Synapse: "hmn", SynapseParams: values(pairs...)}
}

// edges gives a projection explicit edges.
func edges(p network.Projection, list ...synapse.Edge) network.Projection {
	p.Rule, p.Edges = network.EdgeList, list
	for i := range p.Edges {
		if p.Edges[i].Weight == 0 {
			p.Edges[i].Weight = p.Weight.A
		}
		p.Edges[i].Axonal, p.Edges[i].Dendritic = network.FromProjection, network.FromProjection
	}
	return p
}

func model(dt float64, pops []network.Population, projs ...network.Projection) *network.Model {
	m := &network.Model{Populations: pops, Projections: projs}
	m.Simulation.Seed, m.Simulation.Engine, m.Simulation.Dt = 7, network.EngineClocked, at(dt)
	return m
}

func jumps(name string, tau float64, list ...[2]float64) network.Modulator {
	q := network.Modulator{Name: name, Tau: tau, Hold: tau == 0, Events: []network.Jump{}}
	for _, j := range list {
		q.Events = append(q.Events, network.Jump{At: at(j[0]), Amount: j[1]})
	}
	return q
}

// tape keeps what a run records.
type tape struct {
	spikes     []network.Spike
	updates    []network.WeightUpdate
	candidates []network.Candidate
	times      map[int][]event.Time
	samples    map[int][][]float64
}

func (r *tape) WriteSpikes(s []network.Spike) error { r.spikes = append(r.spikes, s...); return nil }
func (r *tape) WriteUpdates(u []network.WeightUpdate) error {
	r.updates = append(r.updates, u...)
	return nil
}
func (r *tape) WriteCandidates(c []network.Candidate) error {
	r.candidates = append(r.candidates, c...)
	return nil
}
func (r *tape) WriteSamples(record int, t event.Time, v []float64) error {
	r.times[record] = append(r.times[record], t)
	r.samples[record] = append(r.samples[record], append([]float64(nil), v...))
	return nil
}

func (r *tape) recorder() network.Recorder {
	return network.Recorder{Spikes: r, Updates: r, Candidates: r, Samples: r}
}

func newTape() *tape {
	return &tape{times: map[int][]event.Time{}, samples: map[int][][]float64{}}
}

func build(t *testing.T, m *network.Model, midpoint bool) *Engine {
	t.Helper()
	e, err := New(m)
	if err != nil {
		t.Fatal(err)
	}
	e.Midpoint = midpoint
	return e
}

// play runs a model for d ms.
func play(t *testing.T, m *network.Model, d float64, midpoint bool) (*Engine, *tape) {
	t.Helper()
	e, r := build(t, m, midpoint), newTape()
	if err := e.Run(context.Background(), at(d), r.recorder()); err != nil {
		t.Fatal(err)
	}
	return e, r
}

func near(t *testing.T, what string, got, want, relative float64) {
	t.Helper()
	if !(math.Abs(got-want) <= relative*math.Abs(want)) {
		t.Errorf("%s = %.15g, want %.15g within %.1e relative, off by %.1e", what, got, want, relative, got/want-1)
	}
}

// synapse0 is the edge from 0 to 0 with a phase.
func synapse0(phase float64) synapse.Edge { return synapse.Edge{Phase: phase} }
