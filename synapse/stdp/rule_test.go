package stdp_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"hmn/event"
	"hmn/event/quantity"
	"hmn/synapse"
)

// laws are one parameter set for each way a weight may change and spikes may pair.
func laws() map[string]struct {
	model string
	v     quantity.Values
} {
	type set = struct {
		model string
		v     quantity.Values
	}
	out := map[string]set{
		"triplet":         {"stdp_triplet", quantity.Values{"set": word("hippocampus")}},
		"triplet nearest": {"stdp_triplet", quantity.Values{"set": word("visual_cortex"), "pairing": word("nearest")}},
		"vogels":          {"vogels_sprekeler", quantity.Values{"eta": num(0.02), "rho_0": num(10), "w_max": num(1)}},
		"power law":       {"stdp", quantity.Values{"dependence": word("power_law"), "mu_plus": num(0.4), "A_plus": num(0.05), "A_minus": num(-0.06), "w_ref": num(0.7)}},
	}
	for _, pairing := range []string{"all_to_all", "nearest_symmetric", "nearest_presynaptic", "nearest_reduced"} {
		for _, mu := range []float64{0, 0.3, 1} {
			out[pairing+" mu "+string('0'+rune(10*mu)/3)] = set{"stdp", quantity.Values{"pairing": word(pairing), "mu_plus": num(mu), "mu_minus": num(mu),
				"A_plus": num(0.05), "A_minus": num(-0.06), "w_min": num(0.1)}}
		}
	}
	return out
}

// small is a play of 3 sources and 4 targets at high rates, with spikes on a coarse
// grid, so that many meet at one instant.
func small(seed uint64, mixed bool, window event.Time) *play {
	rng := rand.New(rand.NewPCG(seed, 9))
	grid := ms / 2
	train := func() []event.Time {
		list := poisson(rng, 60, 60, 0)
		for i := range list {
			list[i] = (list[i] + grid - 1) / grid * grid
		}
		return slices.Compact(list)
	}
	axonal := func(s, j int) event.Time {
		if mixed {
			return event.Time((s+2*j)%3) * grid
		}
		return grid
	}
	dendritic := func(s, j int) event.Time {
		if mixed {
			return event.Time((2*s+j)%4) * grid
		}
		return grid
	}
	p := &play{window: window, end: 2 * event.Second}
	p.w = wire(4, 0.5, axonal, dendritic, [][]int{{0, 1, 2, 3}, {0, 2, 2}, {1, 3}})
	for range 3 {
		p.pre = append(p.pre, train())
	}
	for range 4 {
		p.post = append(p.post, train())
	}
	for s := range 3 {
		for i := p.w.Rows.Ptr[s]; i < p.w.Rows.Ptr[s+1]; i++ {
			p.source = append(p.source, uint32(s))
		}
	}
	return p
}

// TestAlone: what a synapse does in a row of many, with other delays beside it, in
// windows, with settle passes, reads, foresight and followers in between, is
// what it does alone, in one window, undisturbed: bit for bit.
func TestAlone(t *testing.T) {
	for name, law := range laws() {
		for seed := range uint64(6) {
			mixed := seed%2 == 1
			p := small(seed, mixed, ms/2)
			l := learner(t, law.model, law.v, p.w)
			p.rng = rand.New(rand.NewPCG(seed, 1))
			for i := range p.w.Rows.Len() {
				p.readers = append(p.readers, l.Follow(uint32(i), p.source[i]))
				p.of = append(p.of, uint32(i))
			}
			sent := p.run(l)
			last := p.end - 1
			weights := l.Weights(last)
			changed := false
			for i := range p.w.Rows.Len() {
				k := uint32(i)
				j := p.w.Rows.Target[i]
				one := &play{w: pair(0.5, p.w.AxonalOf(k), p.w.DendriticOf(k)), pre: [][]event.Time{p.pre[p.source[i]]},
					post: [][]event.Time{p.post[j]}, window: p.end, end: p.end}
				al := learner(t, law.model, law.v, one.w)
				alone := one.run(al)[0]
				if !slices.Equal(sent[i], alone) {
					t.Fatalf("%s, seed %d, synapse %d: transmitted %v, alone %v", name, seed, i, sent[i], alone)
				}
				w := al.Weights(last)[0]
				p.readers[i].To(last)
				if f := p.readers[i].Read(synapse.Weight, last); w != weights[i] || w != f {
					t.Fatalf("%s, seed %d, synapse %d: final weight %.17g, follower %.17g, alone %.17g", name, seed, i, weights[i], f, w)
				}
				changed = changed || w != 0.5
			}
			if !changed {
				t.Errorf("%s, seed %d: no weight changed", name, seed)
			}
		}
	}
}

// TestWeightsInside: weights asked for within the present window are those of that
// time, whatever has been handed over since.
func TestWeightsInside(t *testing.T) {
	for name, law := range laws() {
		p := small(3, true, 50*ms)
		l := learner(t, law.model, law.v, p.w)
		p.end = 50 * ms
		p.run(l)
		for at := event.Time(0); at < p.end; at += ms / 4 {
			q := small(3, true, 50*ms)
			q.end = 50 * ms
			for _, trains := range [][][]event.Time{q.pre, q.post} {
				for k, train := range trains {
					n, _ := slices.BinarySearch(train, at+1)
					trains[k] = train[:n]
				}
			}
			m := learner(t, law.model, law.v, q.w)
			q.run(m)
			l.Settle(at, false)
			// Spikes up to `at` are all that can matter up to it; those on their way
			// then are handed over in both.
			a, b := l.Weights(at), m.Weights(at)
			if !slices.Equal(a, b) {
				t.Fatalf("%s: weights at %v ms: %v, want %v", name, at, a, b)
			}
		}
	}
}

// step is the reference of one synapse: events one by one, in order of time, with
// sums over all earlier spikes.
func sequential(pre, post []event.Time, w float64, up, down func(w, x float64) float64, pairing string, aPlus, aMinus, tauPlus, tauMinus float64) (sent []float64, last float64) {
	type change struct {
		moment
		pre bool
	}
	var all []change
	for k, m := range pairSum(pre, post, pairing, aPlus, aMinus, tauPlus, tauMinus) {
		all = append(all, change{m, k >= len(post)})
	}
	// Together: the arrival first; the two do not see each other.
	slices.SortStableFunc(all, func(a, b change) int {
		if a.at != b.at {
			return int(a.at - b.at)
		}
		if a.pre != b.pre && a.pre {
			return -1
		}
		return 1
	})
	for _, c := range all {
		if c.pre {
			sent = append(sent, w)
			w = down(w, c.change)
		} else {
			w = up(w, c.change)
		}
	}
	return sent, w
}

// TestDependence: every dependence on the weight and every pairing against events
// taken one by one, bounds included. Errors of 1e-13 of each change may add up.
func TestDependence(t *testing.T) {
	clip := func(w float64) float64 { return math.Min(math.Max(w, 0.05), 1.5) }
	for _, pairing := range []string{"all_to_all", "nearest_symmetric", "nearest_presynaptic", "nearest_reduced"} {
		for _, c := range []struct {
			name     string
			v        quantity.Values
			up, down func(w, x float64) float64
		}{
			{"additive", quantity.Values{}, func(w, x float64) float64 { return clip(w + 1.5*x) }, func(w, x float64) float64 { return clip(w + 1.5*x) }},
			{"multiplicative", quantity.Values{"mu_plus": num(1), "mu_minus": num(1)},
				func(w, x float64) float64 { return clip(w + 1.5*x*(1-w/1.5)) }, func(w, x float64) float64 { return clip(w + x*w) }},
			{"Gütig", quantity.Values{"mu_plus": num(0.02), "mu_minus": num(0.6)},
				func(w, x float64) float64 { return clip(w + 1.5*x*math.Pow(1-w/1.5, 0.02)) }, func(w, x float64) float64 { return clip(w + 1.5*x*math.Pow(w/1.5, 0.6)) }},
			{"power law", quantity.Values{"dependence": word("power_law"), "mu_plus": num(0.4), "w_ref": num(0.7)},
				func(w, x float64) float64 { return clip(w + x*math.Pow(0.7, 0.6)*math.Pow(w, 0.4)) }, func(w, x float64) float64 { return clip(w + x*w) }},
		} {
			v := quantity.Values{"pairing": word(pairing), "A_plus": num(0.07), "A_minus": num(-0.08), "tau_plus": num(15), "tau_minus": num(25), "w_min": num(0.05), "w_max": num(1.5)}
			for k, x := range c.v {
				v[k] = x
			}
			p := small(11, false, ms)
			one := &play{w: pair(0.5, ms/2, ms/2), pre: p.pre[:1], post: p.post[:1], window: ms, end: p.end}
			l := learner(t, "stdp", v, one.w)
			sent := one.run(l)[0]
			got := l.Weights(one.end - 1)[0]
			want, last := sequential(shift(one.pre[0], ms/2), shift(one.post[0], ms/2), 0.5, c.up, c.down, pairing, 0.07, -0.08, 15, 25)
			if len(sent) != len(want) {
				t.Fatalf("%s %s: %d arrivals, want %d", pairing, c.name, len(sent), len(want))
			}
			for k := range sent {
				if !(math.Abs(sent[k]-want[k]) <= 1e-13*float64(k+10)) {
					t.Fatalf("%s %s: arrival %d transmits %.17g, want %.17g", pairing, c.name, k, sent[k], want[k])
				}
			}
			if !(math.Abs(got-last) <= 1e-11) {
				t.Errorf("%s %s: final weight %.17g, want %.17g", pairing, c.name, got, last)
			}
		}
	}
}

// change is what trains of one pair of neurons do to a weight of 0.5; times are at
// the synapse.
func change(t *testing.T, model string, v quantity.Values, pre, post []event.Time) float64 {
	t.Helper()
	end := event.Time(0)
	for _, list := range [][]event.Time{pre, post} {
		for _, x := range list {
			end = max(end, x)
		}
	}
	p := &play{w: pair(0.5, 0, 0), pre: [][]event.Time{pre}, post: [][]event.Time{post}, window: end + 1, end: end + 1}
	return p.final(learner(t, model, v, p.w)) - 0.5
}

// TestPairCurve: one pair from −50 to 50 ms: A e^(−|Δt|/τ), and nothing at 0.
func TestPairCurve(t *testing.T) {
	v := quantity.Values{"A_plus": num(0.02), "A_minus": num(-0.03), "tau_plus": num(17), "tau_minus": num(34)}
	for dt := -50 * ms; dt <= 50*ms; dt += ms / 4 {
		got := change(t, "stdp", v, []event.Time{100 * ms}, []event.Time{100*ms + dt})
		want := 0.0
		if dt > 0 {
			want = 0.02 * math.Exp(-dt.MS()/17)
		} else if dt < 0 {
			want = -0.03 * math.Exp(dt.MS()/34)
		}
		if !(math.Abs(got-want) <= 1e-15) { // weights near 0.5 have an ulp of 1.1e-16
			t.Errorf("Δt = %v ms: Δw = %.17g, want %.17g", dt, got, want)
		}
	}
}

// TestFewSpikes: triplets and quadruplets of spikes under the triplet rule against
// its sums.
func TestFewSpikes(t *testing.T) {
	v := quantity.Values{"set": word("hippocampus")}
	c := map[string]float64{"A2_plus": 6.1e-3, "A3_plus": 6.7e-3, "A2_minus": -1.6e-3, "A3_minus": -1.4e-3, "tau_x": 946, "tau_y": 27, "tau_plus": 16.8, "tau_minus": 33.7}
	at := func(x ...float64) (out []event.Time) {
		for _, y := range x {
			out = append(out, event.Time(y*1e9))
		}
		return out
	}
	for _, s := range []struct {
		name      string
		pre, post []event.Time
	}{
		{"pre–post–pre", at(10, 25), at(15)},
		{"post–pre–post", at(15), at(10, 25)},
		{"pre–post–post", at(10), at(15, 25)},
		{"pre–pre–post", at(10, 15), at(25)},
		{"quadruplet post–pre–pre–post", at(15, 55), at(10, 60)},
		{"quadruplet pre–post–post–pre", at(10, 60), at(15, 55)},
		{"all at one instant", at(10), at(10)},
		{"pairs that meet", at(10, 20), at(10, 20)},
		{"9·10⁶ s apart, then a pair", at(10, 9e9), at(5, 9e9+5)}, // a run is at most 9.2·10⁶ s
	} {
		got := change(t, "stdp_triplet", v, s.pre, s.post)
		want, parts := total(0, tripletSum(s.pre, s.post, false, c))
		if !(math.Abs(got-want) <= 1e-12*parts+1.2e-16) {
			t.Errorf("%s: Δw = %.17g, want %.17g", s.name, got, want)
		}
	}
}

// TestExtremes: time constants far from each other and from the times between
// spikes, weights at their bounds.
func TestExtremes(t *testing.T) {
	pre := []event.Time{10 * ms, 30 * ms, 31 * ms, 5 * event.Second}
	post := []event.Time{12 * ms, 30*ms + 1, 6 * event.Second}
	for _, c := range [][2]float64{{20, 20}, {1e-9, 20}, {20, 1e-9}, {1e-12, 1e-12}, {1e12, 1e12}, {1e12, 1e-6}, {20, 1e9}, {1e9, 1e9 * (1 + 1e-15)}} {
		v := quantity.Values{"A_plus": num(0.01), "A_minus": num(-0.012), "tau_plus": num(c[0]), "tau_minus": num(c[1])}
		got := change(t, "stdp", v, pre, post)
		want, parts := total(0, pairSum(pre, post, "all_to_all", 0.01, -0.012, c[0], c[1]))
		if !(math.Abs(got-want) <= 1e-12*parts+1e-15) {
			t.Errorf("tau %v: Δw = %.17g, want %.17g", c, got, want)
		}
	}
	for _, start := range []float64{0.2, 0.8} {
		v := quantity.Values{"A_plus": num(10), "A_minus": num(-10), "w_min": num(0.2), "w_max": num(0.8)}
		p := &play{w: pair(start, 0, 0), pre: [][]event.Time{{10 * ms, 20 * ms}}, post: [][]event.Time{{15 * ms, 25 * ms}}, window: ms, end: 40 * ms}
		l := learner(t, "stdp", v, p.w)
		sent := p.run(l)[0]
		if sent[0] != start || sent[1] != 0.8 || l.Weights(p.end - 1)[0] != 0.8 {
			t.Errorf("from bound %v: transmitted %v, final %v", start, sent, l.Weights(p.end-1))
		}
		if w := l.Weights(20 * ms)[0]; w != 0.8 && w != 0.2 {
			t.Errorf("from bound %v: %v", start, w)
		}
	}
}

// TestReset: a learner that was reset does what a new one does, bit for bit.
func TestReset(t *testing.T) {
	all := laws()
	all["scaling"] = struct {
		model string
		v     quantity.Values
	}{"synaptic_scaling", quantity.Values{"target_rate": num(50), "tau": num(40), "beta": num(0.9), "w_max": num(1)}}
	for name, law := range all {
		p := small(4, true, ms/2)
		l := learner(t, law.model, law.v, p.w)
		p.rng = rand.New(rand.NewPCG(1, 1))
		first := p.run(l)
		w := l.Weights(p.end - 1)
		l.Reset()
		p.rng = nil
		if second := p.run(l); !slices.EqualFunc(first, second, slices.Equal) || !slices.Equal(w, l.Weights(p.end-1)) {
			t.Errorf("%s: another result after a reset", name)
		}
	}
}

// TestAllocs: once histories have grown, arrivals and post spikes allocate nothing.
func TestAllocs(t *testing.T) {
	for name, law := range laws() {
		p := small(4, false, ms/2)
		l := learner(t, law.model, law.v, p.w)
		now := event.Time(0)
		sent := make([]float64, 4)
		window := func() {
			l.Begin(now, now)
			l.Arrive(0, 0, 4, now+ms/2, sent)
			l.Post(1, now+ms/4)
			l.Post(2, now+ms/3)
			l.Settle(now, true)
			now += ms
		}
		for range 100 {
			window()
		}
		if n := testing.AllocsPerRun(200, window); n > 0 {
			t.Errorf("%s: %v allocations per window", name, n)
		}
	}
}
