package neuron

import (
	"errors"
	"slices"
	"testing"

	"hmn/event"
	"hmn/event/quantity"
)

func TestListedTrain(t *testing.T) {
	tr := mustTrain(t, "spike_train", nil, 3, 1, [][]event.Time{{5, 7, 7}, nil, {0, 5}})
	want := []TrainSpike{{0, 2}, {5, 0}, {5, 2}, {7, 0}, {7, 0}}
	if got := tr.Spikes(0, 3, 0, 8, nil); !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
	if got := tr.Spikes(0, 3, 0, 7, nil); !slices.Equal(got, want[:3]) {
		t.Errorf("before 7 ps: %v, want %v", got, want[:3])
	}
	for _, bad := range [][][]event.Time{{{1}}, {{2, 1}, nil, nil}, {{-1}, nil, nil}} {
		if _, err := NewTrain("spike_train", nil, 3, 1, "p", bad); err == nil {
			t.Errorf("no error for trains %v of 3 neurons", bad)
		}
	}
	if _, err := NewTrain("iaf_psc_exp", nil, 3, 1, "p", nil); !errors.Is(err, ErrNoTrain) {
		t.Errorf("a neuron as a train: %v", err)
	}
}

func TestLevels(t *testing.T) {
	level := func(v quantity.Values, n int) *Levels {
		l, err := NewLevels("step_current", v, n, 0, "")
		if err != nil {
			t.Fatal(err)
		}
		return l
	}
	amp := quantity.Value{Number: 3}
	for _, c := range []struct {
		name string
		v    quantity.Values
		want []Change
	}{
		{"nothing", nil, nil},
		{"amplitude", quantity.Values{"amplitude": amp}, []Change{{0, 0, 0, 3}, {0, 1, 0, 3}}},
		{"steps", quantity.Values{"amplitude": amp, "steps": {Steps: [][2]float64{{1, 5}, {2, 5}, {2.0000000004, 6}, {3, 0}}}},
			[]Change{{0, 0, 0, 3}, {0, 1, 0, 3}, {ms, 0, 3, 5}, {ms, 1, 3, 5}, {2 * ms, 0, 5, 6}, {2 * ms, 1, 5, 6}, {3 * ms, 0, 6, 0}, {3 * ms, 1, 6, 0}}},
		{"step at 0", quantity.Values{"amplitude": amp, "steps": {Steps: [][2]float64{{0, 4}}}}, []Change{{0, 0, 0, 4}, {0, 1, 0, 4}}},
		{"file", quantity.Values{"amplitude": amp, "steps_file": {Table: []quantity.Step{{Neuron: -1, Time: 1, Value: 7}, {Neuron: -1, Time: 2, Value: 8}, {Neuron: 1, Time: 0, Value: 0}, {Neuron: 1, Time: 1, Value: 9}}}},
			[]Change{{0, 0, 0, 3}, {ms, 0, 3, 7}, {ms, 1, 0, 9}, {2 * ms, 0, 7, 8}, {2 * ms, 1, 9, 8}}},
	} {
		l := level(c.v, 2)
		if got := l.Changes(0, 2, -5, 10*ms, nil); !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
		var parts []Change
		for at := event.Time(0); at < 5*ms; at += ms / 2 {
			parts = l.Changes(0, 2, at, at+ms/2, parts)
		}
		if !slices.Equal(parts, c.want) {
			t.Errorf("%s in windows: %v, want %v", c.name, parts, c.want)
		}
		one := slices.DeleteFunc(slices.Clone(c.want), func(c Change) bool { return c.Neuron == 0 })
		if got := l.Changes(1, 2, 0, 10*ms, nil); !slices.Equal(got, one) {
			t.Errorf("%s, neuron 1: %v, want %v", c.name, got, one)
		}
		if l.Initial(1) != c.v["amplitude"].Number {
			t.Errorf("%s: initial %v", c.name, l.Initial(1))
		}
	}
	for _, v := range []quantity.Values{
		{"steps": {Steps: [][2]float64{{0, 4}}}, "steps_file": {Table: []quantity.Step{{Neuron: -1}}}},
		{"steps_file": {Table: []quantity.Step{{Neuron: 2}}}},
		{"steps_file": {Table: []quantity.Step{{Neuron: 0, Time: 2}, {Neuron: 0, Time: 1}}}},
		{"steps": {Steps: [][2]float64{{1e300, 4}}}},
	} {
		if _, err := NewLevels("step_rate", v, 2, 0, ""); err == nil {
			t.Errorf("no error for %v", v)
		}
	}
	if _, err := NewLevels("poisson", nil, 2, 0, ""); !errors.Is(err, ErrNoLevels) {
		t.Errorf("poisson as levels: %v", err)
	}
}
