package task

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"hmn/event"
	"hmn/event/quantity"
	"hmn/network"
)

// distalModel is a network of 10 inputs and 100 neurons, 400 plastic synapses
// among the latter.
func distalModel(seed uint64) *network.Model {
	return &network.Model{
		Simulation: network.Simulation{Seed: seed},
		Populations: []network.Population{
			{Name: "in", N: 10, Model: "poisson", Params: quantity.Values{"rate": {Number: 5}}},
			{Name: "E", N: 100, Model: "iaf_psc_exp"},
		},
		Projections: []network.Projection{
			{Name: "drive", Source: "in", Target: "E", Rule: network.AllToAll, Synapse: "static", Weight: network.Value{A: 1}, Axonal: network.Value{A: 1}},
			{
				Name: "EE", Source: "E", Target: "E", Rule: network.FixedOutDegree, Degree: 4, Synapse: "hmn",
				SynapseParams: quantity.Values{"w_max": {Number: 100}},
				Weight:        network.Value{A: 40}, Axonal: network.Value{A: 1},
			},
		},
		Modulators: []network.Modulator{{Name: "reward", Tau: 200, Delay: ms, HasDelay: true}},
	}
}

func makeDistal(t *testing.T, m *network.Model, v quantity.Values) *distal {
	t.Helper()
	d, err := newDistal(v, m)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// The chosen synapses exist, have no neuron in common, and are a function of the
// seed.
func TestDistalPick(t *testing.T) {
	m := distalModel(1)
	m.Task = &network.TaskSpec{Name: "distal_reward"}
	rewarded, control, err := DistalSynapses(m)
	if err != nil {
		t.Fatal(err)
	}
	if len(rewarded) != 10 || len(control) != 10 {
		t.Fatalf("%d rewarded and %d control synapses, want 10 each", len(rewarded), len(control))
	}
	all, err := network.Synapses(m, 1)
	if err != nil {
		t.Fatal(err)
	}
	seen := map[uint32]bool{}
	for _, s := range append(slices.Clone(rewarded), control...) {
		if !slices.Contains(all, s) {
			t.Errorf("there is no synapse %+v", s)
		}
		if seen[s.Source] || seen[s.Target] || s.Source == s.Target {
			t.Errorf("synapse %d→%d shares a neuron with another", s.Source, s.Target)
		}
		seen[s.Source], seen[s.Target] = true, true
	}
	again, _, err := DistalSynapses(m)
	if err != nil || !slices.Equal(again, rewarded) {
		t.Errorf("a second choice gives %v, error %v", again, err)
	}
	m.Simulation.Seed = 2
	if other, _, err := DistalSynapses(m); err != nil || slices.Equal(other, rewarded) {
		t.Errorf("another seed gives the same synapses, error %v", err)
	}
	m.Task = nil
	if _, _, err := DistalSynapses(m); err == nil {
		t.Error("a model without a task has distal synapses")
	}
}

// spikesOf makes the spikes of E's neurons: global ids begin after the 10 inputs.
func spikesOf(x ...any) []network.Spike {
	var s []network.Spike
	for k := 0; k < len(x); k += 2 {
		s = append(s, network.Spike{At: x[k+1].(event.Time), ID: 10 + x[k].(uint32)})
	}
	return s
}

// Coincidences by hand: strictly after n1's last spike and less than 20 ms.
func TestDistalJumps(t *testing.T) {
	d := makeDistal(t, distalModel(1), nil)
	f := newFake(distalModel(1))
	if err := d.start(f); err != nil {
		t.Fatal(err)
	}
	n1, n2 := d.pairs[3].Source, d.pairs[3].Target
	c1, c2 := d.pairs[12].Source, d.pairs[12].Target
	at := func(x float64) event.Time { return event.Time(x * float64(ms)) }
	steps := []struct {
		spikes []network.Spike
		hit    bool
	}{
		{spikesOf(n2, at(1)), false},                                         // n1 has never fired
		{spikesOf(n1, at(10), n2, at(30)), false},                            // 20 ms
		{spikesOf(n1, at(40), n2, at(60)-1), true},                           // 20 ms − 1 ps
		{spikesOf(n1, at(100), n2, at(100)), false},                          // together: the last was at 40
		{spikesOf(n2, at(101)), true},                                        // 1 ms after the one at 100
		{spikesOf(n1, at(105), n2, at(106)), true},                           //
		{spikesOf(n2, at(110), n1, at(110)), true},                           // together: the last was at 105
		{spikesOf(n1, at(111), n2, at(111)), true},                           // the last was at 110
		{spikesOf(c1, at(120), c2, at(125)), false},                          // a control
		{spikesOf(d.pairs[4].Source, at(130), n2, at(131)), false},           // another's n1; 20 ms after the one at 111
		{[]network.Spike{{At: at(140), ID: 3}, {At: at(140), ID: 5}}, false}, // inputs
	}
	for k, s := range steps {
		before := len(f.jumps)
		f.now = s.spikes[len(s.spikes)-1].At + 1
		if err := d.watch(f, s.spikes); err != nil {
			t.Fatal(err)
		}
		switch got := len(f.jumps) - before; {
		case got == 0 && s.hit || got == 1 && !s.hit || got > 1:
			t.Errorf("step %d: %d jumps, want one: %v", k, got, s.hit)
		case got == 1:
			j := f.jumps[before]
			late := j.at - s.spikes[len(s.spikes)-1].At
			if j.modulator != "reward" || j.amount != 0.5 || late < 1000*ms || late >= 3000*ms {
				t.Errorf("step %d: jump %+v, %v ms after the coincidence", k, j, late)
			}
		}
	}
	f.weight = func(s, t uint32) float64 {
		if s == n1 && t == n2 {
			return 50
		}
		if s == c1 && t == c2 {
			return 20
		}
		return 40
	}
	f.run(t, 10_001*ms)
	// Five coincidences of ten rewarded synapses, one of ten controls.
	if got, want := fmt.Sprint(f.trials), "[[5 0.5 0.1 41 38]]"; got != want {
		t.Errorf("reports %s, want %s", got, want)
	}
	if n := len(d.Columns()); n != len(f.trials[0]) {
		t.Errorf("%d columns for %d values", n, len(f.trials[0]))
	}
}

// signal = "reward": each spike of n2 gives a reward of 1 or 0 in the context of
// its synapse. Delays are spread over [1, 3) s.
func TestDistalRewards(t *testing.T) {
	d := makeDistal(t, distalModel(1), values(map[string]any{"signal": "reward"}))
	f := newFake(distalModel(1))
	f.weight = func(_, _ uint32) float64 { return 0 }
	if err := d.start(f); err != nil {
		t.Fatal(err)
	}
	n1, n2 := d.pairs[7].Source, d.pairs[7].Target
	c1, c2 := d.pairs[17].Source, d.pairs[17].Target
	const n = 400
	for k := range event.Time(n) {
		t0 := 100 * ms * k
		f.run(t, t0+50*ms)
		spikes := spikesOf(n1, t0+10*ms, c1, t0+10*ms, c2, t0+11*ms, n2, t0+25*ms, n2, t0+40*ms)
		if err := d.watch(f, spikes); err != nil {
			t.Fatal(err)
		}
	}
	f.run(t, 50_000*ms)
	if len(f.rewards) != 2*n {
		t.Fatalf("%d rewards, want %d", len(f.rewards), 2*n)
	}
	var mean, ones float64
	for _, r := range f.rewards {
		if r.context != 7 {
			t.Fatalf("reward in context %d, want 7", r.context)
		}
		mean += r.at.MS() / (2 * n)
		ones += r.r
	}
	if ones != n { // after 15 ms yes, after 30 ms no
		t.Errorf("%g rewards of 1, want %d", ones, n)
	}
	// Spikes are at 32.5 + 100 k on average, delays 2000 ± 2000/√12.
	if want := 32.5 + 50*(n-1) + 2000; math.Abs(mean-want) > 4*2000/math.Sqrt(12*2*n) {
		t.Errorf("rewards at %g ms on average, want %g", mean, want)
	}
	// A second start forgets and repeats.
	first := slices.Clone(f.rewards)
	f = newFake(distalModel(1))
	f.weight = func(_, _ uint32) float64 { return 0 }
	if err := d.start(f); err != nil {
		t.Fatal(err)
	}
	f.run(t, 50*ms)
	if err := d.watch(f, spikesOf(n2, 25*ms)); err != nil {
		t.Fatal(err)
	}
	f.run(t, 5000*ms)
	want := slices.IndexFunc(first, func(r reward) bool { return r.r == 1 })
	if len(f.rewards) != 1 || f.rewards[0].r != 0 || want < 0 {
		t.Errorf("after a second start %v", f.rewards)
	}
}

func TestDistalRefuses(t *testing.T) {
	for _, c := range []struct {
		want   string
		change func(*network.Model) quantity.Values
	}{
		{"no projection that learns", func(m *network.Model) quantity.Values { m.Projections = m.Projections[:1]; return nil }},
		{`no projection "IE"`, func(*network.Model) quantity.Values { return values(map[string]any{"projection": "IE"}) }},
		{`synapses of "drive" do not learn`, func(*network.Model) quantity.Values { return values(map[string]any{"projection": "drive"}) }},
		{`no modulator "dopamine"`, func(*network.Model) quantity.Values { return values(map[string]any{"modulator": "dopamine"}) }},
		{"reward_delay = 0.5 ms, want at least the 1 ms", func(*network.Model) quantity.Values { return values(map[string]any{"reward_delay": 0.5}) }},
		{"synapses = 26", func(*network.Model) quantity.Values { return values(map[string]any{"synapses": 26}) }}, // 52 × 2 neurons of 100
		{"want one that spikes", func(m *network.Model) quantity.Values { m.Populations[1].Model = "rate"; return nil }},
	} {
		m := distalModel(1)
		if _, err := newDistal(c.change(m), m); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("error %v, want one with %q", err, c.want)
		}
	}
}

// The arms differ in rewards only: random ones come whatever the neurons do, as
// many as asked for, from 0 to the end of the run.
func TestDistalArms(t *testing.T) {
	for _, c := range []struct {
		arm   string
		jumps int
	}{{"rewarded", 1}, {"random", 2000}, {"none", 0}} {
		m := distalModel(1)
		m.Simulation.Duration = 100 * event.Second
		d := makeDistal(t, m, quantity.Values{"arm": {Text: c.arm}, "rewards": {Number: 2000}, "synapses": {Number: 1}, "controls": {}})
		if len(d.pairs) != 1 {
			t.Fatalf("%d pairs without controls", len(d.pairs))
		}
		f := newFake(m)
		if err := d.start(f); err != nil {
			t.Fatal(err)
		}
		f.now = 10 * ms
		if err := d.watch(f, spikesOf(d.pairs[0].Source, 5*ms, d.pairs[0].Target, 6*ms)); err != nil {
			t.Fatal(err)
		}
		if len(f.jumps) != c.jumps || d.hits[0] != 1 {
			t.Errorf("%s: %d jumps and %g coincidences, want %d and 1", c.arm, len(f.jumps), d.hits[0], c.jumps)
		}
		early := 0
		for _, j := range f.jumps {
			if j.at < 0 || j.at >= m.Simulation.Duration {
				t.Fatalf("%s: a jump at %v ms", c.arm, j.at)
			}
			if j.at < m.Simulation.Duration/4 {
				early++
			}
		}
		// A quarter of the times, with a standard deviation of √(2000·¼·¾) = 19.4.
		if c.arm == "random" && math.Abs(float64(early)-500) > 4*19.4 {
			t.Errorf("random: %d of 2000 jumps in the first quarter", early)
		}
	}
	m := distalModel(1)
	for _, v := range []quantity.Values{
		{"arm": {Text: "random"}},
		{"arm": {Text: "none"}, "signal": {Text: "reward"}},
	} {
		if _, key, err := layDistal(v, m); key != "arm" || err == nil {
			t.Errorf("%v: error %v at key %q", v, err, key)
		}
	}
}
