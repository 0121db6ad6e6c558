package network

import (
	"context"
	"math"
	"slices"
	"testing"

	"hmn/event"
	"hmn/event/quantity"
	"hmn/event/random"
)

// gridModel is a network of grid neurons: excitatory E with a noise that makes
// them fire, I, random connections with the delay d and a current pulse from P.
func gridModel(d Value) *Model {
	m := &Model{Simulation: Simulation{Seed: 5, Duration: event.Second}, Populations: []Population{
		{Name: "E", N: 87, Model: "izhikevich_2003_grid", Params: num("d", 8, "noise", 13)},
		{Name: "I", N: 22, Model: "izhikevich_2003_grid", Params: num("a", 0.1, "d", 2, "noise", 13)},
		{Name: "P", N: 1, Model: "step_current"},
	}}
	m.Populations[2].Params = quantity.Values{"steps": {Steps: [][2]float64{{100, 20}, {101, 0}, {300.2, 3}, {420, 0}}}}
	for _, p := range []struct {
		s, t string
		w    float64
		k    int
	}{{"E", "E", 6, 10}, {"E", "I", 6, 10}, {"I", "E", -5, 20}} {
		m.Projections = append(m.Projections, Projection{Name: p.s + p.t, Source: p.s, Target: p.t, Rule: FixedOutDegree, Degree: p.k,
			Multapses: true, Autapses: true, Weight: fixed(p.w), Dendritic: d, Synapse: "static"})
	}
	m.Projections = append(m.Projections, Projection{Name: "PE", Source: "P", Target: "E", Rule: FixedOutDegree, Degree: 40,
		Weight: fixed(1.5), Dendritic: fixed(1), Synapse: "static"})
	return m
}

// gridByHand is the program, one neuron and one millisecond after the other: it
// finds at T the neurons that the step before took over the threshold, resets
// them, lets the spikes found act with their delay rounded up to the grid and
// takes everyone one step on. It shares only the random bits with the engine.
func gridByHand(t *testing.T, m *Model, ms int) []Spike {
	type synapse struct {
		to    int
		w     float64
		delay event.Time
	}
	sizes := []int{m.Populations[0].N, m.Populations[1].N, 1}
	first := []int{0, sizes[0], sizes[0] + sizes[1]}
	n := first[2]
	index := map[string]int{"E": 0, "I": 1, "P": 2}
	out := make([][]synapse, n+1)
	for k, p := range m.Projections {
		all, err := Synapses(m, k)
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range all {
			from := first[index[p.Source]] + int(s.Source)
			out[from] = append(out[from], synapse{first[index[p.Target]] + int(s.Target), s.Weight, s.Axonal + s.Dendritic})
		}
	}
	v, u := make([]float64, n), make([]float64, n)
	for i := range v {
		v[i], u[i] = -65, 0.2*-65
	}
	current := make([][]float64, ms) // by step
	for k := range current {
		current[k] = make([]float64, n)
	}
	step := func(at event.Time) int { return int((at + event.Millisecond - 1) / event.Millisecond) }
	// The pulses: levels at whole ms, 1 ms later.
	for k := range ms {
		level := 0.0
		switch x := float64(k) - 1; {
		case x >= 100 && x < 101:
			level = 20
		case x >= 300.2 && x < 420:
			level = 3
		}
		for _, s := range out[n] {
			current[k][s.to] += s.w * level
		}
	}
	var spikes []Spike
	for k := range ms {
		for i := range n {
			a, b, d := 0.02, 0.2, 8.0
			name, j := "E", i
			if i >= first[1] {
				a, d, name, j = 0.1, 2, "I", i-first[1]
			}
			if v[i] >= 30 {
				v[i] = -65
				u[i] += d
			}
			x, y := random.NewKey(5, random.StreamNoise, random.Name(name)).At(uint64(j/4), uint64(k))
			bits := [4]uint32{uint32(x), uint32(x >> 32), uint32(y), uint32(y >> 32)}[j%4]
			in := 13*(float64(bits)/(1<<32)-0.5) + current[k][i]
			v[i] += 0.5 * ((0.04*v[i]+5)*v[i] + 140 - u[i] + in)
			v[i] += 0.5 * ((0.04*v[i]+5)*v[i] + 140 - u[i] + in)
			u[i] += a * (b*v[i] - u[i])
			if v[i] >= 30 {
				at := event.Time(k) * event.Millisecond
				spikes = append(spikes, Spike{at, uint32(i)})
				for _, s := range out[i] {
					if q := step(at + s.delay); q < ms {
						current[q][s.to] += s.w
					}
				}
			}
		}
	}
	return spikes
}

func runGrid(t *testing.T, m *Model, workers int, parts ...event.Time) ([]Spike, [][]float64) {
	t.Helper()
	n, err := Build(m, Options{Workers: workers})
	if err != nil {
		t.Fatal(err)
	}
	defer n.Close()
	var rec keepAll
	for _, d := range parts {
		if err := n.Run(context.Background(), d, Recorder{Spikes: &rec, Samples: &rec}); err != nil {
			t.Fatal(err)
		}
	}
	return rec.spikes, rec.rows
}

type keepAll struct {
	spikes []Spike
	rows   [][]float64
}

func (k *keepAll) WriteSpikes(s []Spike) error { k.spikes = append(k.spikes, s...); return nil }

func (k *keepAll) WriteSamples(_ int, at event.Time, x []float64) error {
	k.rows = append(k.rows, append([]float64{at.MS()}, x...))
	return nil
}

// TestGridByHand compares spikes with the plain loop for delays of one step, of
// less (windows shorter than the grid), on and off the grid, and of more.
func TestGridByHand(t *testing.T) {
	for name, delay := range map[string]Value{"1 ms": fixed(1), "0.3 ms": fixed(0.3), "2.5 ms": fixed(2.5), "0.4 to 5 ms": between(0.4, 5)} {
		m := gridModel(delay)
		want := gridByHand(t, m, 1000)
		got, _ := runGrid(t, m, 1, event.Second)
		if len(want) < 100 {
			t.Fatalf("%s: only %d spikes by hand", name, len(want))
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: %d spikes, by hand %d", name, len(got), len(want))
			for i := range min(len(got), len(want)) {
				if got[i] != want[i] {
					t.Errorf("the first that differs is %d: %v, by hand %v", i, got[i], want[i])
					break
				}
			}
		}
	}
}

// TestGridSplit checks that workers, splits and records change nothing, and what
// records of V_m and U_m show: the state of the last grid point.
func TestGridSplit(t *testing.T) {
	m := gridModel(fixed(0.7))
	want, _ := runGrid(t, m, 1, event.Second)
	m.Records = []Record{{What: RecordSpikes, Of: "E"}, {What: RecordSpikes, Of: "I"}, {What: RecordVm, Of: "E", Subset: []int{3}, Every: 250 * event.Microsecond}}
	got, rows := runGrid(t, m, 3, event.Time(1), 333*event.Millisecond, 5*event.Microsecond, event.Second-333*event.Millisecond-5*event.Microsecond-1)
	if !slices.Equal(got, want) {
		t.Error("records, workers or splits changed spikes")
	}
	if len(rows) != 4000 || rows[0][1] != -65 {
		t.Fatalf("%d samples, the first is %v", len(rows), rows[0])
	}
	fired := map[float64]bool{}
	for _, s := range want {
		if s.ID == 3 {
			fired[s.At.MS()] = true
		}
	}
	if len(fired) == 0 {
		t.Fatal("neuron 3 is silent")
	}
	for k := 0; k+4 < len(rows); k += 4 {
		for _, r := range rows[k : k+4] {
			if r[1] != rows[k][1] {
				t.Fatalf("V_m changes between grid points, at %v ms", r[0])
			}
		}
		if over := rows[k+4][1] >= 30; over != fired[rows[k][0]] {
			t.Fatalf("V_m at %v ms is %v, fired at %v: %v", rows[k+4][0], rows[k+4][1], rows[k][0], fired[rows[k][0]])
		}
	}
}

// TestGridPlastic: windows of several steps, in which the weight of an arrival
// hangs on spikes of its target in earlier steps of the window, against windows
// shorter than a step, in which nothing does; and workers and splits.
func TestGridPlastic(t *testing.T) {
	p := num("semantics", "exact", "trace", "set", "A_plus", 0.1, "A_minus", -0.15, "eta", 0.1, "b", -0.5, "w_max", 4)
	weights := func(workers int, cap event.Time, parts ...event.Time) ([]Spike, []float64) {
		m := izhikevichModel("stdp_dopamine", 2.75, 0.25, p)
		m.Projections[2].Dendritic = fixed(3)
		m.Simulation.LookaheadMax = cap
		n, err := Build(m, Options{Workers: workers})
		if err != nil {
			t.Fatal(err)
		}
		defer n.Close()
		var rec keepAll
		for _, d := range parts {
			if err := n.Run(context.Background(), d, Recorder{Spikes: &rec}); err != nil {
				t.Fatal(err)
			}
		}
		var w []float64
		for part := range n.Weights(0) {
			w = append(w, part...)
		}
		return rec.spikes, w
	}
	spikes, w := weights(1, 0, 2*event.Second)
	moved := 0
	for _, x := range w {
		if x != 1 {
			moved++
		}
	}
	if len(spikes) < 1000 || moved < 10000 {
		t.Fatalf("%d spikes, %d weights that moved: nothing to see", len(spikes), moved)
	}
	again, v := weights(3, 0, 700*event.Millisecond+1, event.Second, 300*event.Millisecond-1)
	if !slices.Equal(again, spikes) || !slices.Equal(v, w) {
		t.Error("workers or splits changed spikes or weights")
	}
	short, v := weights(1, 400*event.Microsecond, 2*event.Second)
	if !slices.Equal(short, spikes) {
		t.Errorf("shorter windows changed spikes: %d, %d", len(short), len(spikes))
	}
	for k := range v {
		// Some 10 events per weight of up to 4, each rounded to 1e-16 of it.
		if math.Abs(v[k]-w[k]) > 1e-14 {
			t.Fatalf("weight %d is %v in short windows, %v in long ones", k, v[k], w[k])
		}
	}
}
