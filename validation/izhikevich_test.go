package validation

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"hmn/event"
	"hmn/event/random"
	"hmn/network"
)

// daspnet is the program of Izhikevich 2007, doi:10.1093/cercor/bhl152, written
// out once more with its arrays and loops, statement by statement, for the network
// and the random bits of a model: nothing of the engine, the neurons or the rule
// is used. Neurons 0 to 799 are excitatory. What the program calls step t, from
// 1, is step k = t − 1 here, which leads from k to k + 1 ms.
type daspnet struct {
	n, ne     int
	post      [][]int     // by source: targets
	s, sd     [][]float64 // weight and its pending change
	of        [][]string  // by source: projection of the model
	pre       [][][2]int  // by target: (source, place) of plastic synapses
	chosen    [2]int      // n1, n2: the first synapse of n1
	v, u      []float64   //
	stdp, old []float64   // now and one ms before
	da        float64
	rewards   []event.Time // to come
	last1     int          // n1's last step, or −1
	before1   int
	fired2    uint64
	draws     [2]random.Key
	delays    random.Key
	spikes    []network.Spike
}

// newDaspnet takes the network of models/izhikevich2007 as data.
func newDaspnet(t *testing.T, m *network.Model) *daspnet {
	d := &daspnet{n: 1000, ne: 800, chosen: [2]int{0, 1}, last1: -1, before1: -1}
	d.post, d.s, d.sd = make([][]int, d.n), make([][]float64, d.n), make([][]float64, d.n)
	d.pre, d.of = make([][][2]int, d.n), make([][]string, d.n)
	first := map[string]int{"E": 0, "I": d.ne}
	for _, name := range []string{"chosen", "EE", "EI", "IE"} {
		k := m.FindProjection(name)
		all, err := network.Synapses(m, k)
		if err != nil {
			t.Fatal(err)
		}
		for _, x := range all {
			i, j := first[m.Projections[k].Source]+int(x.Source), first[m.Projections[k].Target]+int(x.Target)
			if i < d.ne {
				d.pre[j] = append(d.pre[j], [2]int{i, len(d.post[i])})
			}
			d.post[i], d.s[i], d.sd[i] = append(d.post[i], j), append(d.s[i], x.Weight), append(d.sd[i], 0)
			d.of[i] = append(d.of[i], name)
		}
	}
	d.v, d.u, d.stdp, d.old = make([]float64, d.n), make([]float64, d.n), make([]float64, d.n), make([]float64, d.n)
	for i := range d.v {
		d.v[i], d.u[i] = -65, 0.2*-65
	}
	seed := m.Simulation.Seed
	d.draws = [2]random.Key{random.NewKey(seed, random.StreamNoise, random.Name("E")), random.NewKey(seed, random.StreamNoise, random.Name("I"))}
	d.delays = random.NewKey(seed, random.StreamTask, random.Name("distal_reward delay"))
	return d
}

// noise is 13·(rand − 0.5) of neuron i in step k.
func (d *daspnet) noise(i, k int) float64 {
	key := d.draws[0]
	if i >= d.ne {
		key, i = d.draws[1], i-d.ne
	}
	a, b := key.At(uint64(i/4), uint64(k))
	bits := [4]uint32{uint32(a), uint32(a >> 32), uint32(b), uint32(b >> 32)}[i%4]
	return 13 * (float64(bits)/(1<<32) - 0.5)
}

func (d *daspnet) step(k int) {
	in := make([]float64, d.n)
	var fired []int
	for i := range d.n {
		in[i] = d.noise(i, k)
		if d.v[i] >= 30 {
			fired = append(fired, i)
			d.v[i] = -65
			if i < d.ne {
				d.u[i] += 8
			} else {
				d.u[i] += 2
			}
		}
	}
	for _, i := range fired {
		d.stdp[i] = 0.1
		for _, p := range d.pre[i] {
			d.sd[p[0]][p[1]] += d.old[p[0]]
		}
	}
	for _, i := range fired {
		for c, j := range d.post[i] {
			in[j] += d.s[i][c]
			if i < d.ne {
				d.sd[i][c] -= 1.5 * d.stdp[j]
			}
		}
	}
	for i := range d.n {
		v, u := d.v[i], d.u[i]
		v += 0.5 * ((0.04*v+5)*v + 140 - u + in[i])
		v += 0.5 * ((0.04*v+5)*v + 140 - u + in[i])
		a := 0.02
		if i >= d.ne {
			a = 0.1
		}
		d.v[i], d.u[i] = v, u+a*(0.2*v-u)
		if v >= 30 {
			d.spikes = append(d.spikes, network.Spike{At: event.Time(k) * event.Millisecond, ID: uint32(i)})
		}
		d.old[i], d.stdp[i] = d.stdp[i], 0.95*d.stdp[i]
	}
	d.da *= 0.995
	end := event.Time(k+1) * event.Millisecond
	for q := 0; q < len(d.rewards); q++ {
		if at := d.rewards[q]; at < end {
			d.da += 0.5 * math.Pow(0.995, (end-at).MS())
			d.rewards[q] = d.rewards[len(d.rewards)-1]
			d.rewards = d.rewards[:len(d.rewards)-1]
			q--
		}
	}
	if (k+1)%10 == 0 {
		for i := range d.ne {
			for c := range d.s[i] {
				d.s[i][c] = max(0, min(4, d.s[i][c]+(0.002+d.da)*d.sd[i][c]))
				d.sd[i][c] *= 0.99
			}
		}
	}
	d.reward(fired, k)
}

// reward looks for a coincidence, as the task does: n2's spike after one of n1
// less than 20 ms before it. The program's spikes stand a step after the stamps of
// the engine, from which the delay of the reward counts.
func (d *daspnet) reward(fired []int, k int) {
	for _, i := range fired {
		if i == d.chosen[0] {
			d.before1, d.last1 = d.last1, k
		}
	}
	for _, i := range fired {
		if i != d.chosen[1] {
			continue
		}
		last := d.last1
		if last == k {
			last = d.before1
		}
		if last >= 0 && k-last < 20 {
			a, _ := d.delays.At(0, d.fired2)
			wait := 1000*event.Millisecond + event.Time(math.Floor(float64(a>>11)*0x1p-53*2e12))
			d.rewards = append(d.rewards, event.Time(k-1)*event.Millisecond+wait)
		}
		d.fired2++
	}
}

// weights are those of a projection by source and target, as Network.Weights gives
// them when all targets are in one block.
func (d *daspnet) weights(projection string) (w []float64) {
	type placed struct {
		target int
		w      float64
	}
	for i := range d.ne {
		var row []placed
		for c, j := range d.post[i] {
			if d.of[i][c] == projection {
				row = append(row, placed{j, d.s[i][c]})
			}
		}
		slices.SortStableFunc(row, func(a, b placed) int { return a.target - b.target })
		for _, x := range row {
			w = append(w, x.w)
		}
	}
	return w
}

// checkProgram compares models/izhikevich2007 with the program: the same spikes,
// the same weights.
func checkProgram(t *testing.T, m mode) []Check {
	span := [...]event.Time{10, 100, 1000}[m] * event.Second
	x := shipped(t, "izhikevich2007")
	n := build(t, x, 1)
	r := &tape{}
	advance(t, n, span, r)
	d := newDaspnet(t, x)
	for k := range int(span / event.Millisecond) {
		d.step(k)
	}
	same := 0
	for same < min(len(r.spikes), len(d.spikes)) && r.spikes[same] == d.spikes[same] {
		same++
	}
	worst, moved, off := 0.0, 0, 0
	for _, name := range []string{"EE", "EI", "chosen"} {
		want := d.weights(name)
		k := 0
		for part := range n.Weights(x.FindProjection(name)) {
			for _, w := range part {
				if k == len(want) {
					t.Fatalf("%s has more weights than the program's %d", name, k)
				}
				worst = max(worst, math.Abs(w-want[k]))
				if want[k] != 1 {
					moved++
				}
				k++
			}
		}
		off += len(want) - k
	}
	if moved < 10000 || off != 0 || len(d.spikes) < 100 {
		t.Fatalf("%d spikes, %d weights that moved, %d weights too few: nothing to compare", len(d.spikes), moved, off)
	}
	seconds := span.Seconds()
	return []Check{
		{Name: fmt.Sprintf("izhikevich2007, %g s: spikes", seconds), Unit: "1", Expected: float64(len(d.spikes)), Got: float64(len(r.spikes)), Why: "the program, written out once more in plain loops"},
		{Name: "… that are the program's, to the step", Unit: "1", Expected: float64(len(d.spikes)), Got: float64(same), Why: "the same random bits; the sums of a step differ in their order, by 1e-15, which only a spike at the edge of the threshold would show"},
		{Name: fmt.Sprintf("… largest difference of %d weights", len(d.weights("EE"))+len(d.weights("EI"))+1), Unit: "pA", Expected: 0, Got: worst, Tolerance: 1e-9,
			Why: "factors per ms against exponentials of stored time constants (12 digits: relative 1e-14 per ms and at most 1e-10 over the 1000 s of tau_c and dopamine), weights of up to 4 pA"},
	}
}
