package extension

import (
	"fmt"
	"slices"

	"hmn/event"
	"hmn/event/quantity"
	"hmn/network"
)

var quotaParams = []quantity.Param{
	{Key: "of", Form: quantity.Text, Derived: "the first population", Doc: "population whose spikes count"},
	{Key: "every", Unit: "ms", Doc: "interval of the rewards", Default: 200, Min: 1, Max: 1e9},
	{Key: "least", Unit: "1", Form: quantity.Integer, Doc: "number of spikes in an interval that is rewarded", Default: 1, Min: 1, Max: 1e9},
}

func init() {
	network.RegisterTask(network.TaskModel{
		Name:   "quota",
		Doc:    "every so often, a reward of 1 if a population fired often enough since the last time, else of 0",
		Params: quotaParams,
		New:    newQuota,
	})
}

// quota is the task of that name: a network.Task and a network.SpikeWatcher.
type quota struct {
	population int
	first, n   uint32 // its neurons: ids [first, first + n)
	every      event.Time
	least      int
	fired      int // since the last reward
}

// newQuota checks what the task needs of the model. Keys that the model file does
// not give are missing in v.
func newQuota(v quantity.Values, m *network.Model) (network.Task, error) {
	q := &quota{least: int(value(v, "least"))}
	q.every, _, _ = event.FromMS(value(v, "every")) // in range
	if of := v["of"].Text; of != "" {
		q.population = slices.IndexFunc(m.Populations, func(p network.Population) bool { return p.Name == of })
	}
	if q.population < 0 || q.population >= len(m.Populations) {
		return nil, fmt.Errorf("of: no population %q", v["of"].Text)
	}
	q.n = uint32(m.Populations[q.population].N)
	return q, nil
}

func value(v quantity.Values, key string) float64 {
	if x, ok := v[key]; ok {
		return x.Number
	}
	p, _ := quantity.Find(quotaParams, key)
	return p.Default
}

// Columns names what ReportTrial reports.
func (q *quota) Columns() []string { return []string{"spikes", "reward"} }

// Start forgets everything and schedules the first step.
func (q *quota) Start(n *network.Network) error {
	q.fired, q.first = 0, n.FirstID(q.population)
	return q.schedule(n)
}

// WatchSpikes counts. It is called after each window, so that at a step all spikes
// before it have been seen.
func (q *quota) WatchSpikes(_ *network.Network, spikes []network.Spike) error {
	for _, s := range spikes {
		if s.ID-q.first < q.n {
			q.fired++
		}
	}
	return nil
}

func (q *quota) schedule(n *network.Network) error {
	if n.Now() > event.MaxTime-2*q.every {
		return nil // no run is that long
	}
	_, err := n.At(n.Now()+q.every, func(event.Time) error { return q.step(n) })
	return err
}

// step gives the reward, in context 0: there is only one situation here.
func (q *quota) step(n *network.Network) error {
	r := 0.0
	if q.fired >= q.least {
		r = 1
	}
	if err := n.Reward(r, 0); err != nil {
		return err
	}
	if err := n.ReportTrial(float64(q.fired), r); err != nil {
		return err
	}
	q.fired = 0
	return q.schedule(n)
}
