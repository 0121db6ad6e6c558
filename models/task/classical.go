package task

import (
	"fmt"

	"hmn/event"
	"hmn/event/quantity"
	"hmn/event/random"
	"hmn/network"
)

var classicalParams = []quantity.Param{
	whole("groups", 100, 2, 1e4, "number of stimuli S1, S2, …, each a random group of neurons"),
	whole("size", 50, 1, 1e5, "neurons per group"),
	number("amplitude", "1", 40, -1e6, 1e6, "level that the sources of a group's neurons take for the time of a stimulus"),
	duration("width", 1, true, "time of a stimulus"),
	duration("interval", 100, true, "from one stimulus to the next, at least; whole ms"),
	duration("interval_jitter", 200, false, "the interval is longer by a time drawn uniformly from [0, interval_jitter), rounded down to whole ms"),
	duration("reward_delay", 0, false, "from S1 to its reward, at least"),
	duration("reward_jitter", 1000, false, "the reward is later by a time drawn uniformly from [0, reward_jitter)"),
	name("modulator", "dopamine", "the modulator that jumps"),
	number("jump", "1", 0.5, -1e6, 1e6, "size of a reward's jump; 0: the control without rewards"),
	duration("window", 20, true, "the response to a stimulus is counted this long"),
}

func init() {
	network.RegisterTask(network.TaskModel{
		Name: "classical_conditioning",
		Doc: "one stimulus among many is followed by rewards: random groups of neurons S1, S2, … are stimulated in random order, and after S1 a reward " +
			"comes, late enough for other stimuli to come between. A trial is a presentation of S1. It reports the response, the spikes of neurons " +
			"outside the group within window of the stimulus, to S1 and in the mean to all others since the last trial, and the mean weights of the plastic " +
			"synapses that leave S1 and S2.",
		Cite:   "Izhikevich 2007, doi:10.1093/cercor/bhl152, experiment 2; numbers as in Knight, Komissarov & Nowotny 2021, doi:10.3389/fninf.2021.659005",
		Params: classicalParams,
		Check: func(v quantity.Values, m *network.Model) (key string, err error) {
			_, key, err = layClassical(v, m)
			return key, err
		},
		New: func(v quantity.Values, m *network.Model) (network.Task, error) {
			c, _, err := layClassical(v, m)
			if err == nil {
				err = c.pick(m)
			}
			return c, err
		},
	})
}

// classical is the task classical_conditioning.
type classical struct {
	crowd            crowd
	groups, size     int
	amplitude        float64
	width            event.Time
	interval, spread event.Time
	wait, jitter     event.Time
	modulator        string
	jump             float64
	window           event.Time
	draws            random.Key
	members          [][]int  // by group
	in               [][]bool // by group and neuron of the crowd
	leaving          [2]bundle
	nth              uint64 // stimuli so far
	now              int    // group whose response is counted
	count            float64
	othersSum        float64 // responses to others since the last trial
	others           float64 // their number
}

func layClassical(v quantity.Values, m *network.Model) (c *classical, key string, err error) {
	p := params{classicalParams, v}
	c = &classical{
		crowd: crowdOf(m), groups: p.whole("groups"), size: p.whole("size"),
		amplitude: p.number("amplitude"), width: p.time("width"),
		interval: p.time("interval"), spread: p.time("interval_jitter"),
		wait: p.time("reward_delay"), jitter: p.time("reward_jitter"),
		modulator: p.text("modulator", "dopamine"), jump: p.number("jump"), window: p.time("window"),
		draws: stream(m, "classical_conditioning"),
	}
	switch {
	case c.crowd.n == 0:
		return nil, "", fmt.Errorf("no population of neurons is reached one to one by a level source such as step_current, so that nothing can be stimulated")
	case c.size > c.crowd.n:
		return nil, "size", fmt.Errorf("size = %d, but only %d neurons can be stimulated", c.size, c.crowd.n)
	case c.interval%event.Millisecond != 0:
		return nil, "interval", fmt.Errorf("interval = %v ms, want whole ms", c.interval)
	case c.interval < c.window || c.interval < c.width:
		return nil, "interval", fmt.Errorf("interval = %v ms, want at least window = %v ms and width = %v ms", c.interval, c.window, c.width)
	case m.FindModulator(c.modulator) < 0:
		return nil, "modulator", fmt.Errorf("modulator: no modulator %q", c.modulator)
	}
	return c, "", nil
}

// pick draws the groups and lists the synapses that leave the first two.
func (c *classical) pick(m *network.Model) (err error) {
	key := stream(m, "classical_conditioning group")
	for g := range c.groups {
		group := shuffled(key, uint64(g), 0, c.crowd.n)[:c.size]
		in := make([]bool, c.crowd.n)
		for _, i := range group {
			in[i] = true
		}
		c.members, c.in = append(c.members, group), append(c.in, in)
	}
	for k := range c.leaving {
		if c.leaving[k], err = c.crowd.bundleOf(m, c.members[k], nil); err != nil {
			return err
		}
	}
	return nil
}

// Columns: see the task's documentation.
func (c *classical) Columns() []string {
	return []string{"response", "response_others", "weight", "weight_S2"}
}

// Start schedules the first stimulus.
func (c *classical) Start(n *network.Network) error { return c.start(n) }

func (c *classical) start(n host) error {
	c.crowd.start(n)
	c.nth, c.now = 0, -1
	c.count, c.othersSum, c.others = 0, 0, 0
	return c.next(n)
}

// next schedules a stimulus: draws of the kth are functions of k alone.
func (c *classical) next(n host) error {
	k := c.nth
	c.nth++
	at := n.Now()
	if at > event.MaxTime-2*(c.interval+c.spread) {
		return nil // no run is that long
	}
	at += wholeMS(c.interval, c.spread, uniform(c.draws, 0, k))
	_, err := n.At(at, func(t event.Time) error { return c.stimulate(n, k, t) })
	return err
}

func (c *classical) stimulate(n host, k uint64, t event.Time) error {
	g := int(uniform(c.draws, 1, k) * float64(c.groups))
	if err := c.crowd.pulse(n, c.members[g], c.amplitude, c.width); err != nil {
		return err
	}
	if g == 0 && c.jump != 0 {
		at := t + c.wait + upTo(c.jitter, uniform(c.draws, 2, k))
		if err := n.Inject(c.modulator, c.jump, at); err != nil {
			return err
		}
	}
	c.now, c.count = g, 0
	if _, err := n.At(t+c.window, func(event.Time) error { return c.judge(n) }); err != nil {
		return err
	}
	return c.next(n)
}

// WatchSpikes counts the response to the present stimulus.
func (c *classical) WatchSpikes(_ *network.Network, spikes []network.Spike) error {
	c.watch(spikes)
	return nil
}

func (c *classical) watch(spikes []network.Spike) {
	if c.now < 0 {
		return
	}
	for _, s := range spikes {
		if i := c.crowd.at(s.ID); i >= 0 && !c.in[c.now][i] {
			c.count++
		}
	}
}

// judge ends the window of a stimulus.
func (c *classical) judge(n host) error {
	g := c.now
	c.now = -1
	if g != 0 {
		c.othersSum += c.count
		c.others++
		return nil
	}
	w1, err := c.leaving[0].mean(n)
	if err != nil {
		return err
	}
	w2, err := c.leaving[1].mean(n)
	if err != nil {
		return err
	}
	err = n.ReportTrial(c.count, c.othersSum/max(c.others, 1), w1, w2)
	c.othersSum, c.others = 0, 0
	return err
}
