package task

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"hmn/event"
	"hmn/event/quantity"
	"hmn/network"
)

// banditModel is a network for the bandit: 20 inputs, 4 action units.
func banditModel(seed uint64) *network.Model {
	return &network.Model{
		Simulation: network.Simulation{Seed: seed},
		Populations: []network.Population{
			{Name: "stimulus", N: 20, Model: "step_rate"},
			{Name: "action", N: 4, Model: "rate"},
		},
		Projections: []network.Projection{{
			Name: "policy", Source: "stimulus", Target: "action", Rule: network.AllToAll, Synapse: "static",
			Weight: network.Value{A: 0.3}, Axonal: network.Value{A: 1},
		}},
	}
}

func makeBandit(t *testing.T, m *network.Model, v quantity.Values) *bandit {
	t.Helper()
	x, err := newBandit(v, m)
	if err != nil {
		t.Fatal(err)
	}
	return x.(*bandit)
}

// One trial, step by step: times from the definition of the task, with a
// connection delay of 1 ms.
func TestBanditTrial(t *testing.T) {
	b := makeBandit(t, banditModel(1), nil)
	f := newFake(nil)
	f.output = func(unit int) float64 { return []float64{0.4, 2.5, 0, 2.4}[unit] }
	if err := b.start(f); err != nil {
		t.Fatal(err)
	}
	f.run(t, 2000*ms)
	c := b.context(0)
	b.restart()
	r := b.pays(0, b.good(c, 0) == 1)
	var want []string
	all := func(at string, what func(unit int) string, units ...int) {
		for _, u := range units {
			want = append(want, at+" "+what(u))
		}
	}
	shut := func(u int) string { return fmt.Sprintf("clamp %d 0", u) }
	inputs := []int{5 * c, 5*c + 1, 5*c + 2, 5*c + 3, 5*c + 4}
	arms := []int{0, 1, 2, 3}
	all("0", shut, arms...)
	want = append(want, fmt.Sprintf("100 onset %d", c))
	all("100", func(u int) string { return fmt.Sprintf("level %d 1", u) }, inputs...)
	all("101", func(u int) string { return fmt.Sprintf("release %d", u) }, arms...)
	want = append(want, "101.000000001 clamp 0 0", "101.000000001 clamp 1 1", "101.000000001 clamp 2 0", "101.000000001 clamp 3 0")
	all("300", func(u int) string { return fmt.Sprintf("level %d 0", u) }, inputs...)
	all("301", shut, arms...)
	want = append(want, fmt.Sprintf("800 reward %g %d", r, c))
	if !slices.Equal(f.log, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(f.log, "\n"), strings.Join(want, "\n"))
	}
	if got, want := fmt.Sprint(f.trials), fmt.Sprint([][]float64{{float64(c), 1, float64(b.good(c, 0)), r}}); got != want {
		t.Errorf("trials %s, want %s", got, want)
	}
	if n := len(b.Columns()); n != len(f.trials[0]) {
		t.Errorf("%d columns for %d values", n, len(f.trials[0]))
	}
}

// Trials follow each other every 2 s; a second start repeats the first bit for
// bit; the choice changes nothing in what is shown; another seed does.
func TestBanditRepeats(t *testing.T) {
	run := func(b *bandit, favourite int) [][]float64 {
		f := newFake(nil)
		f.output = func(unit int) float64 {
			if unit == favourite {
				return 1
			}
			return 0
		}
		if err := b.start(f); err != nil {
			t.Fatal(err)
		}
		f.run(t, 100*2000*ms)
		if len(f.trials) != 100 {
			t.Fatalf("%d trials in 200 s, want 100", len(f.trials))
		}
		for k, r := range f.rewards {
			if want := event.Time(k)*2000*ms + 800*ms; r.at != want {
				t.Fatalf("reward %d at %v ms, want %v", k, r.at, want)
			}
		}
		return f.trials
	}
	v := values(map[string]any{"move_every": 10})
	b := makeBandit(t, banditModel(1), v)
	first := run(b, 0)
	if got := run(b, 0); fmt.Sprint(got) != fmt.Sprint(first) {
		t.Error("a second start gives other trials")
	}
	differ := 0
	other, third := run(makeBandit(t, banditModel(1), v), 3), run(makeBandit(t, banditModel(2), v), 0)
	for k := range first {
		if other[k][0] != first[k][0] || other[k][2] != first[k][2] {
			t.Errorf("trial %d: context and good arm depend on the choice", k)
		}
		if third[k][0] != first[k][0] {
			differ++
		}
	}
	// Equal with probability ¼ each: 75 ± 4.3 of 100 differ.
	if differ < 57 {
		t.Errorf("%d of 100 contexts differ between seeds, want about 75", differ)
	}
}

// With no output above 0 the choice is drawn among all arms: 25 % each, ± 4
// standard deviations of a binomial number of 400.
func TestBanditTies(t *testing.T) {
	b := makeBandit(t, banditModel(5), nil)
	f := newFake(nil)
	f.output = func(int) float64 { return 0 }
	if err := b.start(f); err != nil {
		t.Fatal(err)
	}
	f.run(t, 400*2000*ms)
	var count [4]int
	for _, x := range f.trials {
		count[int(x[1])]++
	}
	for a, n := range count {
		if math.Abs(float64(n)-100) > 4*math.Sqrt(400*0.25*0.75) {
			t.Errorf("arm %d chosen %d times of 400", a, n)
		}
	}
}

// The good arms: all arms equally often, constant for 500 trials, then another.
func TestBanditMoves(t *testing.T) {
	b := makeBandit(t, banditModel(3), nil)
	b.restart()
	var count [4]int
	old := []int{-1, -1, -1, -1}
	for trial := uint64(0); trial < 500_000; trial += 500 {
		for c := range 4 {
			now := b.good(c, trial)
			if now == old[c] {
				t.Fatalf("context %d keeps arm %d in trial %d", c, now, trial)
			}
			if b.good(c, trial+499) != now {
				t.Fatalf("context %d changes its arm within 500 trials", c)
			}
			old[c] = now
			count[now]++
		}
	}
	// 4000 moves; successive arms exclude each other, so counts vary less than
	// binomial ones.
	for a, n := range count {
		if math.Abs(float64(n)-1000) > 4*math.Sqrt(4000*0.25*0.75) {
			t.Errorf("arm %d was good %d times of 4000", a, n)
		}
	}
}

// A Q-learner (α 0.2, softmax β 8) on the world without a network. Measured
// outside this project: 0.709 ± 0.007 (95 % confidence, 24 seeds of 2000 trials).
// A choice at random gets 0.35, the good arm 0.8. The bound is 4 standard errors
// of the difference of two such means, 0.0036·√2 each.
func TestBanditQLearning(t *testing.T) {
	const seeds, trials = 24, 2000
	var learnt, random, best float64
	for seed := range uint64(seeds) {
		b := makeBandit(t, banditModel(100+seed), nil)
		b.restart()
		r := rand.New(rand.NewPCG(seed, 4))
		var q [4][4]float64
		for trial := range uint64(trials) {
			c := b.context(trial)
			good := b.good(c, trial)
			var p [4]float64
			sum := 0.0
			for a := range p {
				p[a] = math.Exp(8 * q[c][a])
				sum += p[a]
			}
			u, choice := r.Float64()*sum, 0
			for ; choice < 3 && u >= p[choice]; choice++ {
				u -= p[choice]
			}
			pay := b.pays(trial, choice == good)
			q[c][choice] += 0.2 * (pay - q[c][choice])
			learnt += pay / (seeds * trials)
			random += b.pays(trial, r.IntN(4) == good) / (seeds * trials)
			best += b.pays(trial, true) / (seeds * trials)
		}
	}
	if math.Abs(learnt-0.709) > 4*0.0036*math.Sqrt2 {
		t.Errorf("Q-learning gets %.4f, want 0.709 ± 0.020", learnt)
	}
	// Binomial: standard errors √(p(1−p)/48000) = 0.0022 and 0.0018.
	if math.Abs(random-0.35) > 4*0.0022 || math.Abs(best-0.8) > 4*0.0018 {
		t.Errorf("chance gets %.4f and the good arm %.4f, want 0.35 and 0.8", random, best)
	}
}

func TestBanditRefuses(t *testing.T) {
	for _, c := range []struct {
		want   string
		change func(*network.Model) quantity.Values
	}{
		{`stimulus: population "stimulus" has n = 20, want 15`, func(*network.Model) quantity.Values { return values(map[string]any{"contexts": 3}) }},
		{`action: population "action" has n = 4, want 5`, func(*network.Model) quantity.Values { return values(map[string]any{"arms": 5}) }},
		{`action: no population "motor"`, func(*network.Model) quantity.Values { return values(map[string]any{"action": "motor"}) }},
		{`stimulus: population "stimulus" has the model poisson, want step_rate`, func(m *network.Model) quantity.Values { m.Populations[0].Model = "poisson"; return nil }},
		{"no synapse from", func(m *network.Model) quantity.Values { m.Projections = nil; return nil }},
		{"want it longer than the delay of 1 ms", func(*network.Model) quantity.Values { return values(map[string]any{"stimulus_off": 101}) }},
		{"trial of 800 ms, want more than the 800 ms", func(*network.Model) quantity.Values { return values(map[string]any{"trial": 800}) }},
		{"trial of 900 ms, want more than the 900 ms", func(*network.Model) quantity.Values {
			return values(map[string]any{"trial": 900, "reward_jitter": 100})
		}},
	} {
		m := banditModel(1)
		if _, err := newBandit(c.change(m), m); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("error %v, want one with %q", err, c.want)
		}
	}
}

// A jittered reward comes at different phases, spread over the interval.
func TestBanditJitter(t *testing.T) {
	b := makeBandit(t, banditModel(1), values(map[string]any{"reward_jitter": 125}))
	f := newFake(nil)
	f.output = func(unit int) float64 { return float64(unit) }
	if err := b.start(f); err != nil {
		t.Fatal(err)
	}
	f.run(t, 400*2000*ms)
	mean := 0.0
	for k, r := range f.rewards {
		late := r.at - event.Time(k)*2000*ms - 800*ms
		if late < 0 || late >= 125*ms {
			t.Fatalf("reward %d is %v ms late", k, late)
		}
		mean += late.MS() / 400
	}
	if math.Abs(mean-62.5) > 4*125/math.Sqrt(12*400) {
		t.Errorf("rewards are %g ms late on average, want 62.5", mean)
	}
}
