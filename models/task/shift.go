package task

import (
	"fmt"

	"hmn/event"
	"hmn/event/quantity"
	"hmn/event/random"
	"hmn/network"
)

var shiftParams = []quantity.Param{
	name("population", "E", "population of the groups CS1 and CS2, reached one to one by a level source"),
	name("us", "US", "population that the unconditioned stimulus excites, reached one to one by a level source"),
	name("dopaminergic", "VTA", "population whose response releases dopamine, of neurons that spike"),
	whole("size", 50, 1, 1e5, "neurons in each of CS1 and CS2"),
	number("amplitude", "1", 40, -1e6, 1e6, "level that the sources of a stimulus take for its time"),
	duration("width", 1, true, "time of a stimulus"),
	duration("trial_every", 10000, true, "from the beginning of one trial to that of the next; whole ms"),
	whole("us_trials", 100, 0, 1e9, "trials with US alone"),
	whole("cs1_trials", 200, 0, 1e9, "trials after these with CS1 before US; then come those with CS2 before CS1 before US"),
	duration("gap", 750, true, "from one stimulus of a trial to the next, at least; whole ms"),
	duration("gap_jitter", 500, false, "the gap is longer by a time drawn uniformly from [0, gap_jitter), rounded down to whole ms"),
	duration("window", 20, true, "the response to a stimulus is counted this long"),
	number("threshold", "1", 5, 0, 1e9, "spikes of the response that release nothing: a little more than chance would give"),
	duration("release_delay", 100, false, "from the end of the window to the release"),
	name("modulator", "dopamine", "the modulator that jumps"),
	number("jump", "1", 0.5, -1e6, 1e6, "jump when every dopaminergic neuron answers with a spike; in proportion to their spikes beyond threshold"),
}

func init() {
	network.RegisterTask(network.TaskModel{
		Name: "dopamine_shift",
		Doc: "the response of dopaminergic neurons moves from a reward to what announces it: a stimulus US excites them by strong synapses; later a stimulus CS1, " +
			"a random group of neurons, comes before US, still later CS2 before CS1. The response of the dopaminergic neurons to any of them, their spikes within window " +
			"beyond threshold, makes the modulator jump. A trial reports the responses to CS2, CS1 and US, 0 for those it did not present, and the mean weights of the " +
			"plastic synapses from each to the dopaminergic neurons.",
		Cite:   "Izhikevich 2007, doi:10.1093/cercor/bhl152, experiment 4",
		Params: shiftParams,
		Check: func(v quantity.Values, m *network.Model) (key string, err error) {
			_, key, err = layShift(v, m)
			return key, err
		},
		New: func(v quantity.Values, m *network.Model) (network.Task, error) {
			c, _, err := layShift(v, m)
			if err == nil {
				err = c.pick(m)
			}
			return c, err
		},
	})
}

// shift is the task dopamine_shift. Its stimuli are CS2, CS1 and US, in the order
// of a trial.
type shift struct {
	crowd             crowd
	cs, us, vta       part
	size              int
	amplitude         float64
	width, window     event.Time
	every             event.Time
	usTrials, csTrial uint64
	gap, spread       event.Time
	threshold         float64
	delay             event.Time
	modulator         string
	jump              float64
	draws             random.Key
	groups            [3][]int
	ways              [3]bundle
	trial             uint64
	open              bool
	count             float64
	responses         [3]float64
}

func layShift(v quantity.Values, m *network.Model) (c *shift, key string, err error) {
	p := params{shiftParams, v}
	c = &shift{
		crowd: crowdOf(m), size: p.whole("size"), amplitude: p.number("amplitude"),
		width: p.time("width"), window: p.time("window"), every: p.time("trial_every"),
		usTrials: uint64(p.whole("us_trials")), csTrial: uint64(p.whole("us_trials") + p.whole("cs1_trials")),
		gap: p.time("gap"), spread: p.time("gap_jitter"), threshold: p.number("threshold"), delay: p.time("release_delay"),
		modulator: p.text("modulator", "dopamine"), jump: p.number("jump"),
		draws: stream(m, "dopamine_shift"),
	}
	for _, x := range []struct {
		key, def string
		to       *part
	}{{"population", "E", &c.cs}, {"us", "US", &c.us}, {"dopaminergic", "VTA", &c.vta}} {
		found, err := c.crowd.find(m, p.text(x.key, x.def))
		if err != nil {
			return nil, x.key, err
		}
		*x.to = *found
	}
	switch {
	case 2*c.size > c.cs.n:
		return nil, "size", fmt.Errorf("size = %d: two groups do not fit into %d neurons", c.size, c.cs.n)
	case c.gap%event.Millisecond != 0:
		return nil, "gap", fmt.Errorf("gap = %v ms, want whole ms", c.gap)
	case c.gap < c.window || c.gap < c.width:
		return nil, "gap", fmt.Errorf("gap = %v ms, want at least window = %v ms and width = %v ms", c.gap, c.window, c.width)
	case c.every%event.Millisecond != 0:
		return nil, "trial_every", fmt.Errorf("trial_every = %v ms, want whole ms", c.every)
	case c.every/2 < c.gap+c.spread || c.every < 2*(c.gap+c.spread)+c.window:
		return nil, "trial_every", fmt.Errorf("trial_every = %v ms, too short for two gaps of up to %v ms and a window of %v ms", c.every, c.gap+c.spread, c.window)
	case m.FindModulator(c.modulator) < 0:
		return nil, "modulator", fmt.Errorf("modulator: no modulator %q", c.modulator)
	}
	return c, "", nil
}

func (c *shift) pick(m *network.Model) (err error) {
	all := shuffled(stream(m, "dopamine_shift group"), 0, c.cs.lo, c.cs.n)
	whole := func(p part) (g []int) {
		for i := range p.n {
			g = append(g, p.lo+i)
		}
		return g
	}
	c.groups = [3][]int{all[:c.size], all[c.size : 2*c.size], whole(c.us)}
	for k := range c.ways {
		if c.ways[k], err = c.crowd.bundleOf(m, c.groups[k], whole(c.vta)); err != nil {
			return err
		}
	}
	return nil
}

// Columns: see the task's documentation.
func (c *shift) Columns() []string {
	return []string{"CS2", "CS1", "US", "weight_CS2", "weight_CS1", "weight_US"}
}

// Start schedules the first trial.
func (c *shift) Start(n *network.Network) error { return c.start(n) }

func (c *shift) start(n host) error {
	c.crowd.start(n)
	c.trial, c.open = 0, false
	return c.next(n, n.Now())
}

// next schedules the trial after the one that began at t.
func (c *shift) next(n host, t event.Time) error {
	if t > event.MaxTime-2*c.every {
		return nil // no run is that long
	}
	_, err := n.At(t+c.every, func(t event.Time) error {
		c.responses = [3]float64{}
		first := 0
		switch {
		case c.trial < c.usTrials:
			first = 2
		case c.trial < c.csTrial:
			first = 1
		}
		return c.stimulate(n, first, t)
	})
	return err
}

// stimulate presents stimulus k of the trial that began at start.
func (c *shift) stimulate(n host, k int, start event.Time) error {
	if err := c.crowd.pulse(n, c.groups[k], c.amplitude, c.width); err != nil {
		return err
	}
	c.open, c.count = true, 0
	now := n.Now()
	if _, err := n.At(now+c.window, func(t event.Time) error { return c.judge(n, k, start) }); err != nil {
		return err
	}
	if k == 2 {
		return nil
	}
	_, err := n.At(now+wholeMS(c.gap, c.spread, uniform(c.draws, uint64(k), c.trial)), func(event.Time) error { return c.stimulate(n, k+1, start) })
	return err
}

// WatchSpikes counts the response of the dopaminergic neurons.
func (c *shift) WatchSpikes(_ *network.Network, spikes []network.Spike) error {
	c.watch(spikes)
	return nil
}

func (c *shift) watch(spikes []network.Spike) {
	if !c.open {
		return
	}
	for _, s := range spikes {
		if i := c.crowd.at(s.ID); i >= c.vta.lo && i < c.vta.lo+c.vta.n {
			c.count++
		}
	}
}

// judge ends the window of stimulus k, and with US the trial.
func (c *shift) judge(n host, k int, start event.Time) error {
	c.open = false
	c.responses[k] = c.count
	if excess := c.count - c.threshold; excess > 0 && c.jump != 0 {
		if err := n.Inject(c.modulator, float64(c.jump*excess)/float64(c.vta.n), n.Now()+c.delay); err != nil {
			return err
		}
	}
	if k < 2 {
		return nil
	}
	c.trial++
	var w [3]float64
	for i := range w {
		var err error
		if w[i], err = c.ways[i].mean(n); err != nil {
			return err
		}
	}
	if err := n.ReportTrial(c.responses[0], c.responses[1], c.responses[2], w[0], w[1], w[2]); err != nil {
		return err
	}
	return c.next(n, start)
}
