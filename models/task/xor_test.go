package task

import (
	"slices"
	"strings"
	"testing"

	"hmn/network"
)

func xorModel() *network.Model {
	return &network.Model{
		Simulation: network.Simulation{Seed: 3},
		Populations: []network.Population{
			{Name: "off_a", N: 1, Model: "step_current"}, {Name: "off_b", N: 1, Model: "step_current"},
			{Name: "hidden", N: 5, Model: "iaf_psc_delta"}, {Name: "output", N: 2, Model: "iaf_psc_delta"},
		},
		Modulators: []network.Modulator{{Name: "reward", Hold: true}},
	}
}

// Each epoch shows every pattern once, in an order of its own; a spike of the
// output is rewarded for a millisecond, one millisecond later, while exactly one
// input is true, and punished otherwise.
func TestXor(t *testing.T) {
	m := xorModel()
	made, err := newXor(values(map[string]any{"punishment": -2}), m)
	if err != nil {
		t.Fatal(err)
	}
	x := made.(*xor)
	f := newFake(m)
	if err := x.start(f); err != nil {
		t.Fatal(err)
	}
	orders := map[string]bool{}
	for epoch := range 20 {
		var order strings.Builder
		seen := map[[2]float64]bool{}
		for range 4 {
			at := f.now
			in := [2]float64{1 - f.of["off_a"], 1 - f.of["off_b"]}
			seen[in] = true
			order.WriteString(string(rune('0' + int(in[0]) + 2*int(in[1]))))
			f.jumps = nil
			f.now = at + 11*ms // the window ends
			if err := x.watch(f, []network.Spike{{At: at + 9*ms, ID: 6}, {At: at + 10*ms, ID: 3}, {At: at + 10*ms + 5, ID: 8}}); err != nil {
				t.Fatal(err)
			}
			r := -2.0
			if in[0] != in[1] {
				r = 1
			}
			s := at + 10*ms + 5 // of neuron 8, the second of the output
			want := []jump{{"reward", r, s + ms}, {"reward", -r, s + 2*ms}}
			if !slices.Equal(f.jumps, want) {
				t.Fatalf("inputs %v: jumps %v, want %v", in, f.jumps, want)
			}
			f.run(t, at+500*ms+1)
			f.now = at + 500*ms
			if last, want := f.trials[len(f.trials)-1], []float64{float64(epoch), in[0], in[1], 1, r}; !slices.Equal(last, want) {
				t.Errorf("reported %v, want %v", last, want)
			}
		}
		if len(seen) != 4 {
			t.Errorf("epoch %d shows %v", epoch, seen)
		}
		orders[order.String()] = true
	}
	if len(orders) < 5 {
		t.Errorf("20 epochs have the orders %v", orders)
	}
}

func TestXorRefuses(t *testing.T) {
	for _, c := range []struct {
		change func(*network.Model)
		want   string
	}{
		{func(m *network.Model) { m.Populations[0].N = 2 }, "off_a"},
		{func(m *network.Model) { m.Populations[1].Model = "poisson" }, "off_b"},
		{func(m *network.Model) { m.Populations[3].Name = "out" }, `no population "output"`},
		{func(m *network.Model) { m.Populations[3].Model = "step_current" }, "want neurons that spike"},
		{func(m *network.Model) { m.Modulators[0].Hold = false }, `want tau = "hold"`},
		{func(m *network.Model) { m.Modulators = nil }, `no modulator "reward"`},
	} {
		m := xorModel()
		c.change(m)
		if _, err := newXor(nil, m); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("got %v, want %q", err, c.want)
		}
	}
}
