package task

import (
	"math"
	"slices"
	"strings"
	"testing"

	"hmn/event"
	"hmn/event/quantity"
	"hmn/network"
)

// conditionModel is E, US and VTA, all of which can be stimulated, with plastic
// synapses from everyone to everyone.
func conditionModel() *network.Model {
	m := &network.Model{
		Simulation: network.Simulation{Seed: 1},
		Modulators: []network.Modulator{{Name: "dopamine", Tau: 200, Delay: ms, HasDelay: true}},
	}
	sizes := map[string]int{"E": 60, "US": 5, "VTA": 10}
	names := []string{"E", "US", "VTA"}
	for _, name := range names {
		m.Populations = append(m.Populations, network.Population{Name: "S" + name, N: sizes[name], Model: "step_current"},
			network.Population{Name: name, N: sizes[name], Model: "iaf_psc_exp"})
		m.Projections = append(m.Projections, network.Projection{Name: "S" + name, Source: "S" + name, Target: name, Rule: network.OneToOne,
			Weight: network.Value{A: 1}, Dendritic: network.Value{A: 1}, Synapse: "static"})
		for _, to := range names {
			m.Projections = append(m.Projections, network.Projection{Name: name + "-" + to, Source: name, Target: to, Rule: network.AllToAll, Synapse: "hmn",
				SynapseParams: quantity.Values{"w_max": {Number: 100}}, Weight: network.Value{A: 40}, Axonal: network.Value{A: 1}})
		}
	}
	return m
}

// levels are the stimulated neurons, which the fake keeps by unit.
func (f *fake) levels() (on []int) {
	for unit, x := range f.level {
		if x != 0 {
			on = append(on, unit)
		}
	}
	slices.Sort(on)
	return on
}

// Of the stimuli of a long run every one comes about as often, at intervals of
// whole ms; those of S1, and no others, are rewarded within a second; the counts
// are those of neurons outside the group, inside the window.
func TestClassical(t *testing.T) {
	m := conditionModel()
	v := values(map[string]any{"groups": 5, "size": 20, "interval": 100, "interval_jitter": 200})
	c, _, err := layClassical(v, m)
	if err == nil {
		err = c.pick(m)
	}
	if err != nil {
		t.Fatal(err)
	}
	f := newFake(m)
	f.weight = func(s, t uint32) float64 { return 7 }
	if err := c.start(f); err != nil {
		t.Fatal(err)
	}
	for g, members := range c.members {
		if len(members) != 20 || slices.Compact(slices.Sorted(slices.Values(members)))[19] > 74 {
			t.Fatalf("group %d is %v", g, members)
		}
	}
	shown := make([]int, 5)
	var last event.Time
	for len(f.trials) < 400 {
		before := len(f.jumps)
		f.run(t, f.queue[0].at+1) // the stimulus
		at := f.now - 1
		if c.now < 0 {
			t.Fatalf("no stimulus at %v ms", at)
		}
		if gap := at - last; gap%ms != 0 || gap < 100*ms || gap >= 300*ms {
			t.Fatalf("%v ms after the one before", gap)
		}
		last = at
		shown[c.now]++
		if j := f.jumps[before:]; (len(j) == 1) != (c.now == 0) || len(j) == 1 && (j[0].at < at || j[0].at >= at+1000*ms || j[0].amount != 0.5 || j[0].modulator != "dopamine") {
			t.Fatalf("stimulus %d at %v ms has the rewards %v", c.now, at, j)
		}
		inside, outside := c.members[c.now][0], 0
		for c.in[c.now][outside] {
			outside++
		}
		id := func(i int) uint32 {
			for _, p := range c.crowd.parts {
				if i >= p.lo && i < p.lo+p.n {
					return p.first + uint32(i-p.lo)
				}
			}
			panic("nobody")
		}
		trials := len(f.trials)
		s1 := c.now == 0
		c.watch([]network.Spike{{At: at + ms, ID: id(inside)}, {At: at + 2*ms, ID: id(outside)}, {At: at + 2*ms, ID: id(outside)}})
		f.run(t, at+20*ms+1)
		c.watch([]network.Spike{{At: at + 21*ms, ID: id(outside)}})
		if s1 && (len(f.trials) != trials+1 || f.trials[trials][0] != 2 || f.trials[trials][2] != 7) {
			t.Fatalf("trial %v", f.trials[trials:])
		}
		if len(f.levels()) != 0 {
			t.Fatalf("%v are still stimulated 20 ms later", f.levels())
		}
	}
	// Each is a fifth, with a standard deviation of √(n·⅕·⅘).
	n := 0
	for _, x := range shown {
		n += x
	}
	for g, x := range shown {
		if math.Abs(float64(x)-float64(n)/5) > 4*math.Sqrt(float64(n)*0.16) {
			t.Errorf("stimulus %d was shown %d times of %d", g, x, n)
		}
	}
}

// A is rewarded when it has more spikes, later B, and dopamine dips when the other
// has; not at a tie.
func TestInstrumental(t *testing.T) {
	m := conditionModel()
	c, _, err := layInstrumental(values(map[string]any{"size": 20, "reversal": 3, "dip": 0.2}), m)
	if err == nil {
		err = c.pick(m)
	}
	if err != nil {
		t.Fatal(err)
	}
	for k, b := range c.ways {
		if len(b) != 400 {
			t.Errorf("way %d has %d synapses, want all 20·20", k, len(b))
		}
	}
	f := newFake(m)
	f.weight = func(s, t uint32) float64 { return 7 }
	if err := c.start(f); err != nil {
		t.Fatal(err)
	}
	var a, b uint32 // global ids of one neuron each
	for i, g := range c.group {
		if id := c.crowd.parts[0].first + uint32(i); g == 0 {
			a = id
		} else if g == 1 {
			b = id
		}
	}
	for k, x := range []struct {
		a, b     int
		rewarded float64
	}{{2, 1, 1}, {1, 2, 0}, {1, 1, 0}, {2, 1, 0}, {1, 2, 1}, {0, 0, 0}} {
		at := event.Time(k+1) * 10 * event.Second
		f.run(t, at+1)
		if got := f.levels(); !slices.Equal(got, slices.Sorted(slices.Values(c.stimulus))) {
			t.Fatalf("trial %d stimulates %v", k, got)
		}
		for range x.a {
			c.watch([]network.Spike{{At: at + 5*ms, ID: a}})
		}
		for range x.b {
			c.watch([]network.Spike{{At: at + 5*ms, ID: b}})
		}
		before := len(f.jumps)
		f.run(t, at+20*ms+1)
		c.watch([]network.Spike{{At: at + 25*ms, ID: a}, {At: at + 25*ms, ID: a}, {At: at + 25*ms, ID: b}})
		if want := []float64{float64(x.a), float64(x.b), x.rewarded, 7, 7}; !slices.Equal(f.trials[k], want) {
			t.Errorf("trial %d reports %v, want %v", k, f.trials[k], want)
		}
		want := 0.5
		switch {
		case x.a == x.b:
			want = 0
		case x.rewarded == 0:
			want = -0.2
		}
		j := f.jumps[before:]
		if len(j) != int(math.Ceil(math.Abs(want))) || want != 0 && (j[0].amount != want || j[0].at < at+20*ms || j[0].at >= at+1020*ms) {
			t.Errorf("trial %d at %v ms has the jumps %v, want %v", k, at, j, want)
		}
	}
}

// US alone, then CS1 before it, then CS2 before that; dopamine in proportion to
// what is beyond the threshold.
func TestShift(t *testing.T) {
	m := conditionModel()
	c, _, err := layShift(values(map[string]any{"size": 20, "us_trials": 1, "cs1_trials": 1, "threshold": 2, "trial_every": 5000}), m)
	if err == nil {
		err = c.pick(m)
	}
	if err != nil {
		t.Fatal(err)
	}
	if len(c.ways[0]) != 200 || len(c.ways[1]) != 200 || len(c.ways[2]) != 50 {
		t.Errorf("%d, %d and %d synapses to 10 neurons, want 20·10, 20·10 and 5·10", len(c.ways[0]), len(c.ways[1]), len(c.ways[2]))
	}
	f := newFake(m)
	f.weight = func(s, t uint32) float64 { return 7 }
	if err := c.start(f); err != nil {
		t.Fatal(err)
	}
	vta := c.crowd.parts[2].first
	for trial, first := range []int{2, 1, 0, 0} {
		begin := event.Time(trial+1) * 5 * event.Second
		at := begin
		for k := first; k < 3; k++ {
			f.run(t, at+1)
			if !c.open {
				t.Fatalf("trial %d: no stimulus %d at %v ms", trial, k, at)
			}
			group := []int{0, 1, 2, 3, 4} // US has sources of its own, which the fake does not tell apart
			if k < 2 {
				group = slices.Sorted(slices.Values(c.groups[k]))
			}
			if got := f.levels(); !slices.Equal(got, group) {
				t.Fatalf("trial %d stimulates %v, want %v", trial, got, group)
			}
			for range 3 + k {
				c.watch([]network.Spike{{At: at + 3*ms, ID: vta}, {At: at + 3*ms, ID: 70}})
			}
			before := len(f.jumps)
			f.run(t, at+20*ms+1)
			// Of 3 + k spikes 1 + k are beyond 2, of 10 neurons, 0.5 for all.
			if j := f.jumps[before:]; len(j) != 1 || j[0].at != at+120*ms || math.Abs(j[0].amount-0.05*float64(1+k)) > 1e-15 {
				t.Errorf("trial %d, stimulus %d: jumps %v", trial, k, j)
			}
			if k < 2 {
				next := f.queue[len(f.queue)-1].at
				for _, q := range f.queue {
					next = max(next, q.at)
				}
				if gap := next - at; gap < 750*ms || gap >= 1250*ms || gap%ms != 0 {
					t.Fatalf("the next stimulus comes %v ms later", gap)
				}
				at = next
			}
		}
		want := []float64{3, 4, 5, 7, 7, 7}
		for k := range first {
			want[k] = 0
		}
		if got := f.trials[trial]; !slices.Equal(got, want) {
			t.Errorf("trial %d reports %v, want %v", trial, got, want)
		}
	}
}

// What the tasks refuse, and the key at fault.
func TestBadConditioning(t *testing.T) {
	type lay func(quantity.Values, *network.Model) (string, error)
	classical := func(v quantity.Values, m *network.Model) (string, error) {
		_, k, err := layClassical(v, m)
		return k, err
	}
	instrumental := func(v quantity.Values, m *network.Model) (string, error) {
		_, k, err := layInstrumental(v, m)
		return k, err
	}
	shift := func(v quantity.Values, m *network.Model) (string, error) { _, k, err := layShift(v, m); return k, err }
	for _, c := range []struct {
		lay       lay
		v         map[string]any
		key, want string
	}{
		{classical, map[string]any{"size": 76}, "size", "only 75 neurons"},
		{classical, map[string]any{"size": 5, "interval": 100.5}, "interval", "whole ms"},
		{classical, map[string]any{"size": 5, "interval": 10}, "interval", "at least window"},
		{classical, map[string]any{"size": 5, "modulator": "reward"}, "modulator", "no modulator"},
		{instrumental, map[string]any{"population": "X"}, "population", `"X"`},
		{instrumental, map[string]any{"size": 21}, "size", "three groups"},
		{instrumental, map[string]any{"size": 5, "modulator": "reward"}, "modulator", "no modulator"},
		{shift, map[string]any{"us": "SUS"}, "us", "reaches one to one"},
		{shift, map[string]any{"size": 31}, "size", "two groups"},
		{shift, map[string]any{"size": 5, "trial_every": 2000}, "trial_every", "too short"},
	} {
		key, err := c.lay(values(c.v), conditionModel())
		if key != c.key || err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v: key %q, error %v, want %q and %q", c.v, key, err, c.key, c.want)
		}
	}
	if _, err := classical(nil, distalModel(1)); err == nil || !strings.Contains(err.Error(), "nothing can be stimulated") {
		t.Errorf("without sources of levels: %v", err)
	}
}
