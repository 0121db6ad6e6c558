package task

import (
	"cmp"
	"fmt"
	"slices"

	"hmn/event"
	"hmn/event/quantity"
	"hmn/event/random"
	"hmn/network"
	"hmn/neuron"
	"hmn/synapse"
)

var distalParams = []quantity.Param{
	{Key: "projection", Form: quantity.Text, Derived: "the first that learns", Doc: "plastic projection between spiking populations whose synapses are chosen"},
	whole("synapses", 10, 1, 1e5, "number of rewarded synapses"),
	{Key: "controls", Unit: "1", Form: quantity.Integer, Min: 0, Max: 1e5, Derived: "as many as synapses", Doc: "number of control synapses, chosen the same way"},
	{Key: "arm", Form: quantity.Choice, Choices: []string{"rewarded", "random", "none"}, Doc: "signal = \"jump\": rewarded: coincidences make the modulator jump; random: it jumps rewards times, whatever the neurons do, at times drawn uniformly over the duration of the run; none: never. Coincidences are counted in all arms"},
	whole("rewards", 150, 1, 1e6, "arm = \"random\": number of jumps in the run"),
	duration("coincidence", 20, true, "a coincidence is a target spike less than this after the last spike of the source"),
	duration("reward_delay", 1000, false, "from a coincidence to its reward, at least"),
	duration("reward_jitter", 2000, false, "the reward is later by a time drawn uniformly from [0, reward_jitter)"),
	{Key: "signal", Form: quantity.Choice, Choices: []string{"jump", "reward"}, Doc: "jump: a coincidence makes the modulator jump; reward: every target spike of a rewarded synapse gives a reward, 1 after a coincidence and else 0, with the synapse as its context, for the built-in modulators and meta-learning"},
	name("modulator", "reward", "signal = \"jump\": the modulator that jumps"),
	number("jump", "1", 0.5, -1e6, 1e6, "signal = \"jump\": size of a jump"),
	duration("report_every", 10000, true, "interval of the reports, which are the trials of this task"),
}

func init() {
	network.RegisterTask(network.TaskModel{
		Name: "distal_reward",
		Doc: "rewards long after the coincidences that earned them: of a plastic projection some synapses n1→n2 are chosen; when n2 fires less " +
			"than coincidence after n1's last spike, a reward follows after reward_delay + U(0, reward_jitter). Control synapses, chosen " +
			"the same way, live through the same rewards and never cause one: the yoked control within the same network. Every report_every it " +
			"reports rewards, coincidences per synapse and mean weights, of both kinds.",
		Cite:   "Izhikevich 2007, doi:10.1093/cercor/bhl152, experiment 1",
		Params: distalParams,
		Check: func(v quantity.Values, m *network.Model) (key string, err error) {
			_, key, err = layDistal(v, m)
			return key, err
		},
		New: func(v quantity.Values, m *network.Model) (network.Task, error) {
			return newDistal(v, m)
		},
	})
}

// distal is the task distal_reward.
type distal struct {
	projection     string
	source, target int // populations of the model
	sizes          [2]int
	pairs          []network.Synapse // the rewarded ones, then the controls
	rewarded       int
	controls       int
	arm            string
	random         int        // arm = "random": number of jumps
	duration       event.Time // over which they are spread
	coincidence    event.Time
	wait, jitter   event.Time
	centred        bool // signal = "reward"
	modulator      string
	jump           float64
	every          event.Time
	delays         random.Key
	asSource       []int32 // by neuron of the source population: the pair whose n1 it is, or −1
	asTarget       []int32 // by neuron of the target population
	first          [2]uint32
	last           []event.Time // by pair: n1's last spike, or −1
	before         []event.Time // by pair: n1's last spike before that one, or −1
	fired          []uint64     // by pair: n2's spikes so far
	reported       event.Time
	rewards        float64    // since then: rewards caused
	hits           [2]float64 // since then: coincidences of rewarded and of control synapses
}

// DistalSynapses are the synapses that distal_reward chooses in a model, the
// rewarded ones and their controls. They depend on the seed, the projection and
// the parameter synapses only. All their neurons differ, so that no chosen
// synapse shares spikes with another.
func DistalSynapses(m *network.Model) (rewarded, control []network.Synapse, err error) {
	if m.Task == nil || m.Task.Name != "distal_reward" {
		return nil, nil, fmt.Errorf("the model has no task distal_reward")
	}
	d, err := newDistal(m.Task.Params, m)
	if err != nil {
		return nil, nil, err
	}
	return d.pairs[:d.rewarded], d.pairs[d.rewarded:], nil
}

func newDistal(v quantity.Values, m *network.Model) (*distal, error) {
	d, _, err := layDistal(v, m)
	if err != nil {
		return nil, err
	}
	return d, d.pick(m)
}

// layDistal is the task before its synapses are chosen, or what the model lacks
// and the key that asks for it.
func layDistal(v quantity.Values, m *network.Model) (d *distal, key string, err error) {
	p := params{distalParams, v}
	d = &distal{
		projection: p.text("projection", ""),
		rewarded:   p.whole("synapses"), controls: p.whole("synapses"),
		arm: p.text("arm", "rewarded"), random: p.whole("rewards"), duration: m.Simulation.Duration,
		coincidence: p.time("coincidence"),
		wait:        p.time("reward_delay"), jitter: p.time("reward_jitter"),
		centred:   p.text("signal", "jump") == "reward",
		modulator: p.text("modulator", "reward"),
		jump:      p.number("jump"),
		every:     p.time("report_every"),
		delays:    stream(m, "distal_reward delay"),
	}
	if _, given := v["controls"]; given {
		d.controls = p.whole("controls")
	}
	switch {
	case d.arm != "rewarded" && d.centred:
		return nil, "arm", fmt.Errorf("arm = %q goes with signal = \"jump\" only", d.arm)
	case d.arm == "random" && d.duration <= 0:
		return nil, "arm", fmt.Errorf("arm = \"random\" spreads its rewards over simulation.duration, which is not given")
	}
	k := m.FindProjection(d.projection)
	if d.projection == "" {
		k = slices.IndexFunc(m.Projections, learns)
	}
	switch {
	case k < 0 && d.projection == "":
		return nil, "projection", fmt.Errorf("the model has no projection that learns")
	case k < 0:
		return nil, "projection", fmt.Errorf("projection: no projection %q", d.projection)
	case !learns(m.Projections[k]):
		return nil, "projection", fmt.Errorf("projection: the synapses of %q do not learn", d.projection)
	}
	q := &m.Projections[k]
	d.projection = q.Name
	for i, name := range []string{q.Source, q.Target} {
		at := slices.IndexFunc(m.Populations, func(x network.Population) bool { return x.Name == name })
		if at < 0 {
			return nil, "projection", fmt.Errorf("projection %q: no population %q", q.Name, name)
		}
		if nm, ok := neuron.Lookup(m.Populations[at].Model); !ok || nm.Kind != neuron.Spiking && nm.Kind != neuron.SpikeSource {
			return nil, "projection", fmt.Errorf("projection %q: population %q has the model %s, want one that spikes", q.Name, name, m.Populations[at].Model)
		}
		d.sizes[i] = m.Populations[at].N
		if i == 0 {
			d.source = at
		} else {
			d.target = at
		}
	}
	if !d.centred {
		i := m.FindModulator(d.modulator)
		if i < 0 {
			return nil, "modulator", fmt.Errorf("modulator: no modulator %q", d.modulator)
		}
		if md := m.Modulators[i]; md.HasDelay && d.wait < md.Delay {
			return nil, "reward_delay", fmt.Errorf("reward_delay = %v ms, want at least the %v ms of modulator %q", d.wait, md.Delay, d.modulator)
		}
	}
	return d, "", nil
}

func learns(p network.Projection) bool {
	s, ok := synapse.Lookup(p.Synapse)
	return ok && s.Learning != nil
}

// pick chooses the pairs: all synapses in a random order, each taken unless it
// shares a neuron with one taken before, in turn for reward and for control.
func (d *distal) pick(m *network.Model) error {
	all, err := network.Synapses(m, m.FindProjection(d.projection))
	if err != nil {
		return err
	}
	key := stream(m, "distal_reward synapse")
	type ranked struct {
		rank uint64
		i    int
	}
	order := make([]ranked, 0, len(all))
	for i, s := range all {
		if s.Multapse == 0 && s.Source != s.Target {
			a, _ := key.At(uint64(s.Target)<<32|uint64(s.Source), 0)
			order = append(order, ranked{a, i})
		}
	}
	slices.SortFunc(order, func(a, b ranked) int { return cmp.Or(cmp.Compare(a.rank, b.rank), cmp.Compare(a.i, b.i)) })
	type neuronOf struct {
		population int
		i          uint32
	}
	used := map[neuronOf]bool{}
	var picked [2][]network.Synapse
	for n := 0; n < len(order) && len(picked[0])+len(picked[1]) < d.rewarded+d.controls; n++ {
		s := all[order[n].i]
		n1, n2 := neuronOf{d.source, s.Source}, neuronOf{d.target, s.Target}
		if used[n1] || used[n2] {
			continue
		}
		used[n1], used[n2] = true, true
		turn := 0 // in turn as long as both are wanted
		if len(picked[1]) < min(len(picked[0]), d.controls) || len(picked[0]) == d.rewarded {
			turn = 1
		}
		picked[turn] = append(picked[turn], s)
	}
	if len(picked[0])+len(picked[1]) < d.rewarded+d.controls {
		return fmt.Errorf("synapses = %d and controls = %d, but projection %q has only %d and %d synapses without common neurons to reward and to compare with",
			d.rewarded, d.controls, d.projection, len(picked[0]), len(picked[1]))
	}
	d.pairs = append(picked[0], picked[1]...)
	d.asSource, d.asTarget = slices.Repeat([]int32{-1}, d.sizes[0]), slices.Repeat([]int32{-1}, d.sizes[1])
	for k, s := range d.pairs {
		d.asSource[s.Source], d.asTarget[s.Target] = int32(k), int32(k)
	}
	return nil
}

// Columns: since the last report, the rewards earned and the coincidences per
// chosen synapse of either kind; and the mean weight of either kind now. Of
// controls that there are none they say 0.
func (d *distal) Columns() []string {
	return []string{"rewards", "coincidences", "coincidences_control", "weight", "weight_control"}
}

// Start forgets all spikes.
func (d *distal) Start(n *network.Network) error { return d.start(n) }

func (d *distal) start(n host) error {
	d.first = [2]uint32{n.FirstID(d.source), n.FirstID(d.target)}
	d.last = slices.Repeat([]event.Time{-1}, len(d.pairs))
	d.before = slices.Clone(d.last)
	d.fired = make([]uint64, len(d.pairs))
	d.rewards, d.hits = 0, [2]float64{}
	d.reported = n.Now()
	if d.arm == "random" {
		key := stream(n.Model(), "distal_reward random")
		for k := range d.random {
			if err := n.Inject(d.modulator, d.jump, upTo(d.duration, uniform(key, 0, uint64(k)))); err != nil {
				return err
			}
		}
	}
	return d.next(n)
}

// WatchSpikes looks for coincidences.
func (d *distal) WatchSpikes(n *network.Network, spikes []network.Spike) error {
	return d.watch(n, spikes)
}

func (d *distal) watch(n host, spikes []network.Spike) error {
	for _, s := range spikes {
		// A neuron that is not of the population gives an index beyond it.
		if i := s.ID - d.first[1]; i < uint32(len(d.asTarget)) && d.asTarget[i] >= 0 {
			if err := d.post(n, int(d.asTarget[i]), s.At); err != nil {
				return err
			}
		}
		if i := s.ID - d.first[0]; i < uint32(len(d.asSource)) && d.asSource[i] >= 0 {
			if k := d.asSource[i]; s.At > d.last[k] {
				d.before[k], d.last[k] = d.last[k], s.At
			}
		}
	}
	return nil
}

// post takes a spike of the n2 of a pair at t. A spike of n1 at the same time is
// not yet its last one, whichever of the two comes first in the list.
func (d *distal) post(n host, pair int, t event.Time) error {
	nth := d.fired[pair]
	d.fired[pair]++
	last := d.last[pair]
	if last == t {
		last = d.before[pair]
	}
	hit := last >= 0 && t-last < d.coincidence
	kind := 0
	if pair >= d.rewarded {
		kind = 1
	}
	if hit {
		d.hits[kind]++
	}
	if kind == 1 || d.arm != "rewarded" || !hit && !d.centred {
		return nil
	}
	at := t + d.wait + upTo(d.jitter, uniform(d.delays, uint64(pair), nth))
	if hit {
		d.rewards++
	}
	if !d.centred {
		return n.Inject(d.modulator, d.jump, at)
	}
	r := 0.0
	if hit {
		r = 1
	}
	// Spikes are seen at the end of their window: a reward cannot come before.
	_, err := n.At(max(at, n.Now()), func(event.Time) error { return n.Reward(r, pair) })
	return err
}

// next schedules the next report.
func (d *distal) next(n host) error {
	if d.reported > event.MaxTime-2*d.every {
		return nil // no run is that long
	}
	_, err := n.At(d.reported+d.every, func(t event.Time) error {
		if err := d.report(n); err != nil {
			return err
		}
		d.reported = t
		return d.next(n)
	})
	return err
}

func (d *distal) report(n host) error {
	var mean [2]float64
	each := [2]float64{float64(d.rewarded), float64(max(d.controls, 1))}
	for k, s := range d.pairs {
		w, err := n.Weight(d.projection, s.Source, s.Target)
		if err != nil {
			return err
		}
		kind := 0
		if k >= d.rewarded {
			kind = 1
		}
		mean[kind] += w / each[kind]
	}
	err := n.ReportTrial(d.rewards, d.hits[0]/each[0], d.hits[1]/each[1], mean[0], mean[1])
	d.rewards, d.hits = 0, [2]float64{}
	return err
}
