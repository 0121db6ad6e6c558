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

// scaled integrates dw/dt = beta w (goal − a), cut at the bounds, in short steps with
// the exact factor of each; time in s, a in Hz.
func scaled(post []event.Time, w, goal, beta, tau, a, wMin, wMax float64, end event.Time) float64 {
	const h = 2e-4 // s
	at := func(t event.Time) float64 { return float64(t) / 1e12 }
	now, stop := 0.0, at(end)
	next := 0
	for now < stop {
		to := math.Min(now+h, stop)
		if next < len(post) && at(post[next]) <= to {
			to = at(post[next])
		}
		dt := to - now
		w *= math.Exp(beta * (goal*dt - a*tau*(-math.Expm1(-dt/tau))))
		w = math.Min(math.Max(w, wMin), wMax)
		a *= math.Exp(-dt / tau)
		now = to
		if next < len(post) && now == at(post[next]) {
			a += 1 / tau
			next++
		}
	}
	return w
}

// TestScaling: the closed form against an integration in short steps, with and
// without bounds in reach. Steps of 0.2 ms find a bound within about
// (beta |goal − a| h)² of the weight, 1e-6 here.
func TestScaling(t *testing.T) {
	for seed := range uint64(8) {
		rng := rand.New(rand.NewPCG(seed, 5))
		post := poisson(rng, 60, 6+2*float64(seed%3), 0)
		end := post[59] + event.Second
		end -= end % ms
		wMin, wMax, tol := 1e-9, 1e9, 1e-11
		if seed%2 == 1 {
			wMin, wMax, tol = 0.45, 0.6, 1e-6
		}
		v := quantity.Values{"target_rate": num(7), "tau": num(400), "beta": num(0.8), "a_0": num(3), "w_min": num(wMin), "w_max": num(wMax)}
		p := &play{w: pair(0.5, ms, 0), post: [][]event.Time{post}, pre: [][]event.Time{nil}, window: ms, end: end}
		got := p.final(learner(t, "synaptic_scaling", v, p.w))
		want := scaled(post, 0.5, 7, 0.8, 0.4, 3, wMin, wMax, end-1)
		if !(math.Abs(got-want) <= tol*want) || want == 0.5 {
			t.Errorf("seed %d, bounds %v to %v: weight %.15g, integration %.15g", seed, wMin, wMax, got, want)
		}
	}
}

// TestScalingAlone: as TestAlone.
func TestScalingAlone(t *testing.T) {
	v := quantity.Values{"target_rate": num(50), "tau": num(40), "beta": num(0.9), "w_min": num(0.4), "w_max": num(0.7)}
	for seed := range uint64(6) {
		p := small(seed, seed%2 == 1, ms/2)
		l := learner(t, "synaptic_scaling", v, p.w)
		p.rng = rand.New(rand.NewPCG(seed, 1))
		for i := range p.w.Rows.Len() {
			p.readers = append(p.readers, l.Follow(uint32(i), p.source[i]))
			p.of = append(p.of, uint32(i))
		}
		sent := p.run(l)
		last := p.end - 1
		weights := l.Weights(last)
		for i := range p.w.Rows.Len() {
			k := uint32(i)
			one := &play{w: pair(0.5, p.w.AxonalOf(k), p.w.DendriticOf(k)), pre: [][]event.Time{p.pre[p.source[i]]},
				post: [][]event.Time{p.post[p.w.Rows.Target[i]]}, window: p.end, end: p.end}
			al := learner(t, "synaptic_scaling", v, one.w)
			if alone := one.run(al)[0]; !slices.Equal(sent[i], alone) {
				t.Fatalf("seed %d, synapse %d: transmitted %v, alone %v", seed, i, sent[i], alone)
			}
			if w := al.Weights(last)[0]; w != weights[i] || w != p.readers[i].Read(synapse.Weight, last) || w == 0.5 {
				t.Fatalf("seed %d, synapse %d: final weight %.17g, alone %.17g", seed, i, weights[i], w)
			}
		}
	}
}
