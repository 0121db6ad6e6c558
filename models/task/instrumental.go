package task

import (
	"fmt"

	"hmn/event"
	"hmn/event/quantity"
	"hmn/event/random"
	"hmn/network"
)

var instrumentalParams = []quantity.Param{
	name("population", "E", "population of the groups S, A and B, reached one to one by a level source"),
	whole("size", 50, 1, 1e5, "neurons per group"),
	number("amplitude", "1", 40, -1e6, 1e6, "level that the sources of S take for the time of a stimulus"),
	duration("width", 1, true, "time of a stimulus"),
	duration("trial_every", 10000, true, "from one stimulus to the next; whole ms"),
	duration("window", 20, true, "after a stimulus the spikes of A and B are counted this long"),
	duration("reward_delay", 0, false, "from the end of the window to a reward, at least"),
	duration("reward_jitter", 1000, false, "the reward is later by a time drawn uniformly from [0, reward_jitter)"),
	whole("reversal", 400, 0, 1e9, "trials after which B is rewarded instead of A; 0: never"),
	name("modulator", "dopamine", "the modulator that jumps"),
	number("jump", "1", 0.5, -1e6, 1e6, "size of a reward's jump; 0: the control without rewards"),
	number("dip", "1", 0, 0, 1e6, "by how much the modulator falls instead when the other group answers with more spikes: a reward that stays away; 0: not at all"),
}

func init() {
	network.RegisterTask(network.TaskModel{
		Name: "instrumental_conditioning",
		Doc: "two responses to one stimulus compete: a group of neurons S is stimulated every trial_every, and a reward comes when a group A answers with " +
			"more spikes than a group B; after reversal trials, when B answers with more than A. The groups are drawn without common neurons. A trial reports the " +
			"spikes of A and B within window of the stimulus, 1 if it was rewarded and else 0, and the mean weights of the plastic synapses from S to A and from S to B.",
		Cite:   "Izhikevich 2007, doi:10.1093/cercor/bhl152, experiment 3",
		Params: instrumentalParams,
		Check: func(v quantity.Values, m *network.Model) (key string, err error) {
			_, key, err = layInstrumental(v, m)
			return key, err
		},
		New: func(v quantity.Values, m *network.Model) (network.Task, error) {
			c, _, err := layInstrumental(v, m)
			if err == nil {
				err = c.pick(m)
			}
			return c, err
		},
	})
}

// instrumental is the task instrumental_conditioning.
type instrumental struct {
	crowd         crowd
	from          part // where the groups are drawn
	size          int
	amplitude     float64
	width, window event.Time
	every         event.Time
	wait, jitter  event.Time
	reversal      uint64
	modulator     string
	jump, dip     float64
	draws         random.Key
	stimulus      []int
	group         []int8 // by neuron of the crowd: 0 in A, 1 in B, −1
	ways          [2]bundle
	trial         uint64
	open          bool // spikes are counted
	count         [2]float64
}

func layInstrumental(v quantity.Values, m *network.Model) (c *instrumental, key string, err error) {
	p := params{instrumentalParams, v}
	c = &instrumental{
		crowd: crowdOf(m), size: p.whole("size"), amplitude: p.number("amplitude"),
		width: p.time("width"), window: p.time("window"), every: p.time("trial_every"),
		wait: p.time("reward_delay"), jitter: p.time("reward_jitter"), reversal: uint64(p.whole("reversal")),
		modulator: p.text("modulator", "dopamine"), jump: p.number("jump"), dip: p.number("dip"),
		draws: stream(m, "instrumental_conditioning"),
	}
	from, err := c.crowd.find(m, p.text("population", "E"))
	if err != nil {
		return nil, "population", err
	}
	c.from = *from
	switch {
	case 3*c.size > c.from.n:
		return nil, "size", fmt.Errorf("size = %d: three groups do not fit into %d neurons", c.size, c.from.n)
	case c.every%event.Millisecond != 0:
		return nil, "trial_every", fmt.Errorf("trial_every = %v ms, want whole ms", c.every)
	case c.every < c.window || c.every < c.width:
		return nil, "trial_every", fmt.Errorf("trial_every = %v ms, want at least window = %v ms and width = %v ms", c.every, c.window, c.width)
	case m.FindModulator(c.modulator) < 0:
		return nil, "modulator", fmt.Errorf("modulator: no modulator %q", c.modulator)
	}
	return c, "", nil
}

func (c *instrumental) pick(m *network.Model) (err error) {
	all := shuffled(stream(m, "instrumental_conditioning group"), 0, c.from.lo, c.from.n)
	c.stimulus = all[:c.size]
	c.group = make([]int8, c.crowd.n)
	for i := range c.group {
		c.group[i] = -1
	}
	for k := range c.ways {
		members := all[(k+1)*c.size : (k+2)*c.size]
		for _, i := range members {
			c.group[i] = int8(k)
		}
		if c.ways[k], err = c.crowd.bundleOf(m, c.stimulus, members); err != nil {
			return err
		}
	}
	return nil
}

// Columns: see the task's documentation.
func (c *instrumental) Columns() []string {
	return []string{"A", "B", "rewarded", "weight_SA", "weight_SB"}
}

// Start schedules the first trial.
func (c *instrumental) Start(n *network.Network) error { return c.start(n) }

func (c *instrumental) start(n host) error {
	c.crowd.start(n)
	c.trial, c.open = 0, false
	return c.next(n)
}

func (c *instrumental) next(n host) error {
	if n.Now() > event.MaxTime-2*c.every {
		return nil // no run is that long
	}
	_, err := n.At(n.Now()+c.every, func(t event.Time) error {
		c.open, c.count = true, [2]float64{}
		if err := c.crowd.pulse(n, c.stimulus, c.amplitude, c.width); err != nil {
			return err
		}
		if _, err := n.At(t+c.window, func(t event.Time) error { return c.judge(n, t) }); err != nil {
			return err
		}
		return c.next(n)
	})
	return err
}

// WatchSpikes counts the responses.
func (c *instrumental) WatchSpikes(_ *network.Network, spikes []network.Spike) error {
	c.watch(spikes)
	return nil
}

func (c *instrumental) watch(spikes []network.Spike) {
	if !c.open {
		return
	}
	for _, s := range spikes {
		if i := c.crowd.at(s.ID); i >= 0 && c.group[i] >= 0 {
			c.count[c.group[i]]++
		}
	}
}

// judge ends the window of a trial.
func (c *instrumental) judge(n host, t event.Time) error {
	c.open = false
	k := c.trial
	c.trial++
	want := 0
	if c.reversal > 0 && k >= c.reversal {
		want = 1
	}
	rewarded, jump := 0.0, 0.0
	switch {
	case c.count[want] > c.count[1-want]:
		rewarded, jump = 1, c.jump
	case c.count[want] < c.count[1-want]:
		jump = -c.dip
	}
	if jump != 0 {
		if err := n.Inject(c.modulator, jump, t+c.wait+upTo(c.jitter, uniform(c.draws, 0, k))); err != nil {
			return err
		}
	}
	var w [2]float64
	for i := range w {
		var err error
		if w[i], err = c.ways[i].mean(n); err != nil {
			return err
		}
	}
	return n.ReportTrial(c.count[0], c.count[1], rewarded, w[0], w[1])
}
