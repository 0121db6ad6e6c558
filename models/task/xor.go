package task

import (
	"fmt"
	"slices"

	"hmn/event"
	"hmn/event/quantity"
	"hmn/event/random"
	"hmn/network"
	"hmn/neuron"
)

var xorParams = []quantity.Param{
	name("off_a", "off_a", "a level source: 1 while the first input is false, 0 while it is true"),
	name("off_b", "off_b", "the same of the second input"),
	name("output", "output", "population whose spikes say true"),
	name("modulator", "reward", "held modulator that every output spike raises or lowers for a while"),
	duration("pattern", 500, true, "how long each of the four patterns is shown"),
	duration("reward_delay", 1, true, "from an output spike to the reward, at least the lookahead of the network"),
	duration("reward_time", 1, true, "how long the reward lasts"),
	number("reward", "1", 1, -1e6, 1e6, "change of the modulator by an output spike while the function is true"),
	number("punishment", "1", -1, -1e6, 1e6, "the same while it is false"),
}

func init() {
	network.RegisterTask(network.TaskModel{
		Name: "xor",
		Doc: "the exclusive or: epochs of its four patterns in random order, shown by two level sources that silence the inputs that are false. " +
			"Every spike of the output neuron is rewarded while exactly one input is true and punished otherwise. Reports epoch, inputs, " +
			"output spikes and reward of every pattern.",
		Cite:   "Florian 2007, doi:10.1162/neco.2007.19.6.1468",
		Params: xorParams,
		Check:  checkXor,
		New:    newXor,
	})
}

// xor is the task of that name.
type xor struct {
	off                [2]string // populations
	modulator          string
	output             int // population
	size               uint32
	pattern            event.Time
	wait, lasts        event.Time
	reward, punishment float64
	orders             random.Key
	number             uint64 // of the present pattern
	order              [4]int // of the present epoch
	first              uint32 // id of the first output neuron
	spikes, sum        float64
}

func checkXor(v quantity.Values, m *network.Model) (key string, err error) {
	p := params{xorParams, v}
	for _, key := range []string{"off_a", "off_b"} {
		if err := p.population(m, key, neuron.LevelSource, 1, "step_rate"); err != nil {
			return key, err
		}
	}
	output := p.text("output", "output")
	k := slices.IndexFunc(m.Populations, func(q network.Population) bool { return q.Name == output })
	if k < 0 {
		return "output", fmt.Errorf("output: no population %q", output)
	}
	if nm, ok := neuron.Lookup(m.Populations[k].Model); !ok || nm.Kind != neuron.Spiking {
		return "output", fmt.Errorf("output: population %q has the model %s, want neurons that spike", output, m.Populations[k].Model)
	}
	modulator := p.text("modulator", "reward")
	i := m.FindModulator(modulator)
	if i < 0 {
		return "modulator", fmt.Errorf("modulator: no modulator %q", modulator)
	}
	if !m.Modulators[i].Hold {
		return "modulator", fmt.Errorf("modulator: %q decays, want tau = \"hold\": the task raises it and takes it back", modulator)
	}
	return "", nil
}

func newXor(v quantity.Values, m *network.Model) (network.Task, error) {
	if _, err := checkXor(v, m); err != nil {
		return nil, err
	}
	p := params{xorParams, v}
	output := p.text("output", "output")
	x := &xor{
		off: [2]string{p.text("off_a", "off_a"), p.text("off_b", "off_b")}, modulator: p.text("modulator", "reward"),
		output:  slices.IndexFunc(m.Populations, func(q network.Population) bool { return q.Name == output }),
		pattern: p.time("pattern"), wait: p.time("reward_delay"), lasts: p.time("reward_time"),
		reward: p.number("reward"), punishment: p.number("punishment"),
		orders: stream(m, "xor order"),
	}
	x.size = uint32(m.Populations[x.output].N)
	return x, nil
}

// Columns: the epoch, from 0, the two inputs, the number of output spikes, and
// the rewards they earned.
func (x *xor) Columns() []string { return []string{"epoch", "a", "b", "spikes", "reward"} }

// Start shows the first pattern.
func (x *xor) Start(n *network.Network) error { return x.start(n) }

func (x *xor) start(n host) error {
	x.number, x.first = 0, n.FirstID(x.output)
	return x.show(n, n.Now())
}

// show begins a pattern at t and schedules the next.
func (x *xor) show(n host, t event.Time) error {
	if x.number%4 == 0 {
		x.order = [4]int{0, 1, 2, 3}
		s := x.orders.Source(x.number / 4)
		for k := 3; k > 0; k-- {
			i := int(s.IntN(uint64(k + 1)))
			x.order[k], x.order[i] = x.order[i], x.order[k]
		}
	}
	x.spikes, x.sum = 0, 0
	for i, on := range x.inputs() {
		level := 1.0
		if on {
			level = 0
		}
		if err := n.SetLevel(x.off[i], 0, level); err != nil {
			return err
		}
	}
	if t > event.MaxTime-2*x.pattern {
		return nil // no run is that long
	}
	_, err := n.At(t+x.pattern, func(event.Time) error {
		a, b := x.bits()
		if err := n.ReportTrial(float64(x.number/4), a, b, x.spikes, x.sum); err != nil {
			return err
		}
		x.number++
		return x.show(n, t+x.pattern)
	})
	return err
}

// inputs are those of the present pattern.
func (x *xor) inputs() [2]bool {
	k := x.order[x.number%4]
	return [2]bool{k&1 != 0, k&2 != 0}
}

func (x *xor) bits() (a, b float64) {
	k := x.order[x.number%4]
	return float64(k & 1), float64(k >> 1)
}

// WatchSpikes rewards and punishes.
func (x *xor) WatchSpikes(n *network.Network, spikes []network.Spike) error {
	return x.watch(n, spikes)
}

func (x *xor) watch(n host, spikes []network.Spike) error {
	for _, s := range spikes {
		if s.ID-x.first >= x.size {
			continue
		}
		in := x.inputs()
		r := x.punishment
		if in[0] != in[1] {
			r = x.reward
		}
		x.spikes++
		x.sum += r
		if err := n.Inject(x.modulator, r, s.At+x.wait); err != nil {
			return err
		}
		if err := n.Inject(x.modulator, -r, s.At+x.wait+x.lasts); err != nil {
			return err
		}
	}
	return nil
}
