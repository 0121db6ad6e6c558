package task

import (
	"fmt"
	"math"

	"hmn/event"
	"hmn/event/quantity"
	"hmn/event/random"
	"hmn/network"
	"hmn/neuron"
)

var banditParams = []quantity.Param{
	name("stimulus", "stimulus", "level sources, inputs_per_context for each context in turn: 1 while their context is shown, else 0"),
	name("action", "action", "rate units, one per arm; the largest output is the choice"),
	whole("contexts", 4, 1, 1000, "number of contexts; each trial shows one, drawn with equal probability"),
	whole("arms", 4, 2, 1000, "number of arms"),
	whole("inputs_per_context", 5, 1, 1e6, "stimulus units of a context"),
	number("p_good", "1", 0.8, 0, 1, "probability of a reward for the context's good arm"),
	number("p_bad", "1", 0.2, 0, 1, "probability of a reward for any other arm"),
	whole("move_every", 500, 1, 1e9, "trials after which every context's good arm moves to another arm"),
	duration("trial", 2000, true, "length of a trial"),
	duration("stimulus_on", 100, false, "onset of the stimulus, from the start of the trial"),
	duration("stimulus_off", 300, true, "end of the stimulus and of the choice"),
	duration("reward_delay", 500, false, "from the end of the stimulus to the reward"),
	duration("reward_jitter", 0, false, "the reward is later by a time drawn uniformly from [0, reward_jitter)"),
}

func init() {
	network.RegisterTask(network.TaskModel{
		Name: "bandit",
		Doc: "a contextual bandit whose good arms move: a trial shows the stimulus of one context; one connection delay after its onset the " +
			"action unit with the largest output is the choice. Its output is held at 1 and that of the others at 0 until the stimulus's end has " +
			"arrived; outside, all are held at 0. The reward is 1 or 0. Noise of the choice is the action units' own (noise_sigma, with " +
			"noise_hold shorter than a trial). Reports context, choice, good arm and reward of every trial.",
		Cite:   "after the associative bandit tasks of Williams 1992, doi:10.1007/BF00992696",
		Params: banditParams,
		Check:  checkBandit,
		New:    newBandit,
	})
}

// bandit is the task of that name. x is the stimulus as it arrives at the
// action units, d the connection delay:
//
//	stimulus_on            level sources of the context to 1
//	stimulus_on + d        x arrives; the action units are let go, f(Σ w x + ε)
//	 … + 1 ps              choice: argmax; held at 1, the others at 0
//	stimulus_off           level sources to 0
//	stimulus_off + d       x is gone; all action units held at 0
//	stimulus_off + reward_delay   reward
//
// So x z is the chosen unit's stimulus during exactly stimulus_off − stimulus_on
// and otherwise 0, but for the picosecond in which the outputs are free to be
// read: 10⁻¹¹ of a trial's eligibility. (While x is 0 the product is 0 whatever
// the units do; holding them spares the network the events of their noise.) With
// dendritic delays the synapse sees the choice later than the stimulus by as
// much, and the overlap is shorter.
type bandit struct {
	world
	stimulus, action string
	inputs           int
	delay            event.Time // of the connection, the longest
	trial, on, off   event.Time
	wait, jitter     event.Time // of the reward
	number           uint64     // of the present trial
	now              outcome
}

// outcome is a trial as it is reported.
type outcome struct {
	context, choice, good int
	reward                float64
}

// checkBandit looks for the two populations.
func checkBandit(v quantity.Values, m *network.Model) (key string, err error) {
	p := params{banditParams, v}
	arms, contexts := p.whole("arms"), p.whole("contexts")
	if err := p.population(m, "stimulus", neuron.LevelSource, contexts*p.whole("inputs_per_context"), "step_rate"); err != nil {
		return "stimulus", err
	}
	return "action", p.population(m, "action", neuron.Rate, arms, "rate")
}

func newBandit(v quantity.Values, m *network.Model) (network.Task, error) {
	if _, err := checkBandit(v, m); err != nil {
		return nil, err
	}
	p := params{banditParams, v}
	b := &bandit{
		world:    newWorld(p, m),
		stimulus: p.text("stimulus", "stimulus"),
		action:   p.text("action", "action"),
		inputs:   p.whole("inputs_per_context"),
		trial:    p.time("trial"), on: p.time("stimulus_on"), off: p.time("stimulus_off"),
		wait: p.time("reward_delay"), jitter: p.time("reward_jitter"),
	}
	found := false
	for i, q := range m.Projections {
		if q.Source != b.stimulus || q.Target != b.action {
			continue
		}
		synapses, err := network.Synapses(m, i)
		if err != nil {
			return nil, err
		}
		for _, s := range synapses {
			found = true
			b.delay = max(b.delay, s.Axonal+s.Dendritic)
		}
	}
	if !found {
		return nil, fmt.Errorf("no synapse from population %q to population %q", b.stimulus, b.action)
	}
	if !(b.on+b.delay+1 < b.off) {
		return nil, fmt.Errorf("stimulus from %v to %v ms, want it longer than the delay of %v ms to population %q", b.on, b.off, b.delay, b.action)
	}
	if last := max(b.off+b.delay, b.off+b.wait+b.jitter); !(last < b.trial) {
		return nil, fmt.Errorf("trial of %v ms, want more than the %v ms at which the stimulus is over and the reward given", b.trial, last)
	}
	return b, nil
}

// Columns: the context shown, the arm chosen, the context's good arm (all from
// 0), and the reward.
func (b *bandit) Columns() []string { return []string{"context", "choice", "good", "reward"} }

// Start begins with trial 0.
func (b *bandit) Start(n *network.Network) error { return b.start(n) }

func (b *bandit) start(n host) error {
	b.number, b.now = 0, outcome{}
	b.world.restart()
	if err := b.hold(n, -1); err != nil {
		return err
	}
	return b.begin(n, n.Now())
}

// begin schedules the trial that starts at t.
func (b *bandit) begin(n host, t event.Time) error {
	if t > event.MaxTime-2*b.trial {
		return nil // no run is that long
	}
	b.now = outcome{context: b.context(b.number), good: -1}
	b.now.good = b.good(b.now.context, b.number)
	late := upTo(b.jitter, uniform(b.jitters, b.number, 0))
	for _, step := range []struct {
		at event.Time
		do func(host) error
	}{
		{t + b.on, b.show},
		{t + b.on + b.delay, b.free},
		{t + b.on + b.delay + 1, b.choose},
		{t + b.off, b.hide},
		{t + b.off + b.delay, func(n host) error { return b.hold(n, -1) }},
		{t + b.off + b.wait + late, b.reward},
		{t + b.trial, func(n host) error { b.number++; return b.begin(n, t+b.trial) }},
	} {
		if _, err := n.At(step.at, func(event.Time) error { return step.do(n) }); err != nil {
			return err
		}
	}
	return nil
}

func (b *bandit) show(n host) error {
	if err := n.Onset(b.now.context); err != nil {
		return err
	}
	return b.setStimulus(n, 1)
}

func (b *bandit) hide(n host) error { return b.setStimulus(n, 0) }

func (b *bandit) setStimulus(n host, level float64) error {
	first := b.now.context * b.inputs
	for i := first; i < first+b.inputs; i++ {
		if err := n.SetLevel(b.stimulus, i, level); err != nil {
			return err
		}
	}
	return nil
}

func (b *bandit) free(n host) error {
	for a := range b.arms {
		if err := n.Release(b.action, a); err != nil {
			return err
		}
	}
	return nil
}

// choose takes the arm with the largest output, one of them at random if several
// have it, as when noise has cut all outputs off at 0.
func (b *bandit) choose(n host) error {
	best, ties := math.Inf(-1), []int(nil)
	for a := range b.arms {
		z, err := n.Output(b.action, a)
		if err != nil {
			return err
		}
		if !(math.Abs(z) <= math.MaxFloat64) {
			return fmt.Errorf("task bandit: output %g of unit %d of %q", z, a, b.action)
		}
		if z > best {
			best, ties = z, ties[:0]
		}
		if z == best {
			ties = append(ties, a)
		}
	}
	b.now.choice = ties[0]
	if len(ties) > 1 {
		s := b.tie.Source(b.number)
		b.now.choice = ties[s.IntN(uint64(len(ties)))]
	}
	return b.hold(n, b.now.choice)
}

// hold holds the output of one arm at 1 and of the others at 0.
func (b *bandit) hold(n host, arm int) error {
	for a := range b.arms {
		z := 0.0
		if a == arm {
			z = 1
		}
		if err := n.Clamp(b.action, a, z); err != nil {
			return err
		}
	}
	return nil
}

func (b *bandit) reward(n host) error {
	o := &b.now
	o.reward = b.pays(b.number, o.choice == o.good)
	if err := n.Reward(o.reward, o.context); err != nil {
		return err
	}
	return n.ReportTrial(float64(o.context), float64(o.choice), float64(o.good), o.reward)
}

// world is the bandit without a network: what a trial shows and pays.
type world struct {
	contexts, arms int
	pGood, pBad    float64
	moveEvery      uint64

	shown, goods, luck, tie, jitters random.Key

	block uint64 // of move_every trials, for which arm holds the good arms
	arm   []int
}

func newWorld(p params, m *network.Model) world {
	return world{
		contexts: p.whole("contexts"), arms: p.whole("arms"),
		pGood: p.number("p_good"), pBad: p.number("p_bad"),
		moveEvery: uint64(p.whole("move_every")),
		shown:     stream(m, "bandit context"),
		goods:     stream(m, "bandit good arm"),
		luck:      stream(m, "bandit reward"),
		tie:       stream(m, "bandit tie"),
		jitters:   stream(m, "bandit jitter"),
	}
}

// context is what a trial shows.
func (w *world) context(trial uint64) int {
	s := w.shown.Source(trial)
	return int(s.IntN(uint64(w.contexts)))
}

// restart goes back to the good arms of trial 0.
func (w *world) restart() {
	w.block, w.arm = 0, make([]int, w.contexts)
	for c := range w.arm {
		s := w.goods.Source(uint64(c))
		w.arm[c] = int(s.IntN(uint64(w.arms)))
	}
}

// good is the good arm of a context in a trial: every moveEvery trials it moves
// to one of the other arms, each with equal probability. Trials are asked for in
// ascending order.
func (w *world) good(context int, trial uint64) int {
	for ; w.block < trial/w.moveEvery; w.block++ {
		for c := range w.arm {
			s := w.goods.Source((w.block+1)<<16 | uint64(c))
			w.arm[c] = (w.arm[c] + 1 + int(s.IntN(uint64(w.arms-1)))) % w.arms
		}
	}
	return w.arm[context]
}

// pays is the reward of a trial. The luck of a trial is one number, so that a
// choice that is good pays wherever a bad one would if p_good ≥ p_bad.
func (w *world) pays(trial uint64, good bool) float64 {
	p := w.pBad
	if good {
		p = w.pGood
	}
	if uniform(w.luck, trial, 0) < p {
		return 1
	}
	return 0
}
