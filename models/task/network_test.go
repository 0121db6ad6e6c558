package task_test

import (
	"context"
	"math"
	"testing"

	"hmn/event"
	"hmn/event/quantity"
	"hmn/io/config"
	"hmn/models"
	"hmn/models/task"
	"hmn/network"
	"hmn/synapse"
)

const ms = event.Millisecond

// samples keeps the sampled signals by record.
type samples map[int][]row

type row struct {
	at     event.Time
	values []float64
}

func (s samples) WriteSamples(record int, at event.Time, values []float64) error {
	s[record] = append(s[record], row{at, append([]float64(nil), values...)})
	return nil
}

func play(t *testing.T, m *network.Model, d event.Time) (*network.Network, samples) {
	t.Helper()
	n, err := network.Build(m, network.Options{Workers: 1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(n.Close)
	s := samples{}
	if err := n.Run(context.Background(), d, network.Recorder{Samples: s}); err != nil {
		t.Fatal(err)
	}
	return n, s
}

func shipped(t *testing.T, name string) *network.Model {
	t.Helper()
	text, ok := models.Text(name)
	if !ok {
		t.Fatalf("no shipped model %s", name)
	}
	m, _, err := config.Parse([]byte(text), config.Options{Name: name})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// At the end of the first choice, 301 ms, the slow trace of the chosen unit's five
// active synapses is that of x = z = 1 for 200 ms, τ(1 − e^{−0.2}) with τ = 1000 ms;
// all others have what the outputs, of order 1, left in the picosecond in which
// they were read: some 10⁻⁹ ms.
func TestBanditEligibility(t *testing.T) {
	m := shipped(t, "hmn-bandit")
	m.Records = []network.Record{
		{What: network.RecordTrials, Of: "bandit"},
		{What: network.RecordEligibilitySlow, Of: "policy", Every: 301 * ms},
	}
	_, s := play(t, m, 900*ms)
	trial, e := s[0][0].values, s[1][1]
	if e.at != 301*ms || len(e.values) != 80 {
		t.Fatalf("%d values at %v ms, want 80 at 301 ms", len(e.values), e.at)
	}
	want := 1000 * -math.Expm1(-0.2)
	chosen := 0
	for k, x := range e.values { // in order of (source, target)
		if k/4/5 == int(trial[0]) && k%4 == int(trial[1]) {
			chosen++
			if math.Abs(x-want) > 1e-7 {
				t.Errorf("synapse %d→%d: slow trace %.9f ms, want %.9f", k/4, k%4, x, want)
			}
		} else if !(math.Abs(x) < 1e-7) {
			t.Errorf("synapse %d→%d: slow trace %g ms, want 0 but for a picosecond", k/4, k%4, x)
		}
	}
	if chosen != 5 {
		t.Errorf("%d chosen synapses, want 5", chosen)
	}
}

// A network that learns gets more than one that does not: 0.35 without learning,
// ± 4 standard errors √(0.35·0.65/400), and over 0.45 with it, before the good arms
// move for the first time (E.2's mean over four such stretches is 0.66).
func TestBanditLearns(t *testing.T) {
	if testing.Short() {
		t.Skip("two runs of 400 trials")
	}
	mean := func(eta float64) float64 {
		m := shipped(t, "hmn-bandit")
		m.Records = m.Records[:1]
		p := &m.Projections[0]
		v := quantity.Values{"eta_global": {Number: eta}}
		for k, x := range p.SynapseParams {
			if k != "eta_global" {
				v[k] = x
			}
		}
		p.SynapseParams = v
		_, s := play(t, m, 800*event.Second)
		if len(s[0]) != 400 {
			t.Fatalf("%d trials, want 400", len(s[0]))
		}
		sum := 0.0
		for _, r := range s[0] {
			sum += r.values[3]
		}
		return sum / 400
	}
	if x := mean(0); math.Abs(x-0.35) > 4*math.Sqrt(0.35*0.65/400) {
		t.Errorf("mean reward %.3f without learning, want 0.35", x)
	}
	if x := mean(3e-5); !(x > 0.45) {
		t.Errorf("mean reward %.3f with learning, want more than 0.45", x)
	}
}

// replayed is a network of four neurons with given spikes and the synapses 0→1
// and 2→3, of which one is rewarded and one is its control.
func replayed(builtin string, params quantity.Values) *network.Model {
	at := func(x ...float64) []event.Time {
		var t []event.Time
		for _, x := range x {
			t = append(t, event.Time(x*float64(ms)))
		}
		return t
	}
	q := quantity.Values{"reward_delay": {Number: 100}, "reward_jitter": {Number: 0}, "synapses": {Number: 1}, "report_every": {Number: 500}}
	for k, v := range params {
		q[k] = v
	}
	return &network.Model{
		Simulation: network.Simulation{Seed: 1},
		Populations: []network.Population{{Name: "E", N: 4, Model: "spike_train", Trains: [][]event.Time{
			at(10, 50, 200), at(15, 90, 205), at(10, 50, 200), at(15, 90, 205),
		}}},
		Projections: []network.Projection{{
			Name: "EE", Source: "E", Target: "E", Rule: network.EdgeList, Synapse: "hmn",
			SynapseParams: quantity.Values{"w_max": {Number: 1}},
			Edges: []synapse.Edge{
				{Source: 0, Target: 1, Weight: 0.5, Axonal: ms},
				{Source: 2, Target: 3, Weight: 0.5, Axonal: ms},
			},
		}},
		Modulators: []network.Modulator{{Name: "reward", Tau: 200, Delay: ms, HasDelay: true, Builtin: builtin}},
		Task:       &network.TaskSpec{Name: "distal_reward", Params: q},
		Records: []network.Record{
			{What: network.RecordTrials, Of: "distal_reward"},
			{What: network.RecordModulator, Of: "reward", Every: 100 * event.Microsecond},
		},
	}
}

// jumpsIn finds the jumps in samples of a signal that decays with 200 ms.
func jumpsIn(rows []row) (at []event.Time, amount []float64) {
	old := 0.0
	for _, r := range rows {
		if d := r.values[0] - old*math.Exp(-0.1/200); math.Abs(d) > 1e-9 {
			at, amount = append(at, r.at), append(amount, d)
		}
		old = r.values[0]
	}
	return at, amount
}

// The whole way from spikes to the modulator. Neurons 1 and 3 fire 5, 40 and 5 ms
// after 0 and 2; only one synapse is rewarded, so there is one jump for each.
func TestDistalInNetwork(t *testing.T) {
	for _, c := range []struct {
		signal, builtin string
		at              []event.Time
		amount          []float64
	}{
		// Jumps of 0.5, 100 ms after the spikes at 15 and 205 ms.
		{"jump", "", []event.Time{115 * ms, 305 * ms}, []float64{0.5, 0.5}},
		// Rewards of 1, 0 and 1, acting 1 ms later: errors 1, −0.1, and 1 − 0.09.
		{"reward", network.CentredReward, []event.Time{116 * ms, 191 * ms, 306 * ms}, []float64{1, -0.1, 0.91}},
	} {
		m := replayed(c.builtin, quantity.Values{"signal": {Text: c.signal}})
		_, s := play(t, m, 600*ms)
		at, amount := jumpsIn(s[1])
		if len(at) != len(c.at) {
			t.Errorf("%s: jumps at %v ms of %v, want at %v", c.signal, at, amount, c.at)
			continue
		}
		for k := range at {
			if at[k] != c.at[k] || math.Abs(amount[k]-c.amount[k]) > 1e-9 {
				t.Errorf("%s: jump of %g at %v ms, want %g at %v", c.signal, amount[k], at[k], c.amount[k], c.at[k])
			}
		}
		// Both synapses have two coincidences, one of them has rewards.
		if r := s[0]; len(r) != 1 || r[0].at != 500*ms || r[0].values[0] != 2 || r[0].values[1] != 2 || r[0].values[2] != 2 {
			t.Errorf("%s: reports %v", c.signal, r)
		}
	}
}

// The synapses that a run rewards are those that DistalSynapses names.
func TestDistalSynapsesOfShipped(t *testing.T) {
	rewarded, control, err := task.DistalSynapses(shipped(t, "hmn-recurrent"))
	if err != nil || len(rewarded) == 0 || len(rewarded) != len(control) {
		t.Errorf("%d rewarded and %d control synapses, error %v", len(rewarded), len(control), err)
	}
}
