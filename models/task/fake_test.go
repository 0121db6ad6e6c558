package task

import (
	"fmt"
	"slices"
	"testing"

	"hmn/event"
	"hmn/event/quantity"
	"hmn/network"
)

const ms = event.Millisecond

// fake is a host without a network: it keeps a clock, runs call-backs in order of
// (time, order of scheduling), and writes down what the task does.
type fake struct {
	m       *network.Model
	now     event.Time
	seq     uint64
	queue   []call
	level   map[int]float64
	of      map[string]float64 // the last level set in a population
	held    map[int]float64
	output  func(unit int) float64 // of a unit that is let go
	log     []string
	trials  [][]float64
	rewards []reward
	jumps   []jump
	weight  func(source, target uint32) float64
}

type call struct {
	at  event.Time
	seq uint64
	do  func(event.Time) error
}

type reward struct {
	at      event.Time
	r       float64
	context int
}

type jump struct {
	modulator string
	amount    float64
	at        event.Time
}

func newFake(m *network.Model) *fake {
	return &fake{m: m, level: map[int]float64{}, of: map[string]float64{}, held: map[int]float64{}}
}

func (f *fake) note(format string, a ...any) {
	f.log = append(f.log, fmt.Sprintf("%v ", f.now)+fmt.Sprintf(format, a...))
}

func (f *fake) Model() *network.Model { return f.m }
func (f *fake) Now() event.Time       { return f.now }

func (f *fake) At(t event.Time, do func(event.Time) error) (event.Key, error) {
	if t < f.now {
		return event.Key{}, fmt.Errorf("%w: %v before %v", event.ErrPast, t, f.now)
	}
	f.seq++
	f.queue = append(f.queue, call{t, f.seq, do})
	return event.Key{At: t}, nil
}

func (f *fake) SetLevel(population string, unit int, x float64) error {
	f.level[unit], f.of[population] = x, x
	f.note("level %d %g", unit, x)
	return nil
}

func (f *fake) Clamp(_ string, unit int, z float64) error {
	f.held[unit] = z
	f.note("clamp %d %g", unit, z)
	return nil
}

func (f *fake) Release(_ string, unit int) error {
	delete(f.held, unit)
	f.note("release %d", unit)
	return nil
}

func (f *fake) Output(_ string, unit int) (float64, error) {
	if z, ok := f.held[unit]; ok {
		return z, nil
	}
	return f.output(unit), nil
}

func (f *fake) Reward(r float64, context int) error {
	f.rewards = append(f.rewards, reward{f.now, r, context})
	f.note("reward %g %d", r, context)
	return nil
}

func (f *fake) Onset(context int) error {
	f.note("onset %d", context)
	return nil
}

func (f *fake) Inject(modulator string, amount float64, at event.Time) error {
	f.jumps = append(f.jumps, jump{modulator, amount, at})
	return nil
}

func (f *fake) Weight(_ string, source, target uint32) (float64, error) {
	return f.weight(source, target), nil
}

func (f *fake) ReportTrial(values ...float64) error {
	f.trials = append(f.trials, slices.Clone(values))
	return nil
}

func (f *fake) FirstID(population int) uint32 {
	first := 0
	for _, p := range f.m.Populations[:population] {
		first += p.N
	}
	return uint32(first)
}

// run runs the call-backs before t.
func (f *fake) run(t *testing.T, end event.Time) {
	t.Helper()
	for {
		k := -1
		for i, c := range f.queue {
			if c.at < end && (k < 0 || c.at < f.queue[k].at || c.at == f.queue[k].at && c.seq < f.queue[k].seq) {
				k = i
			}
		}
		if k < 0 {
			f.now = end
			return
		}
		c := f.queue[k]
		f.queue = slices.Delete(f.queue, k, k+1)
		f.now = c.at
		if err := c.do(c.at); err != nil {
			t.Fatal(err)
		}
	}
}

// values makes parameters from numbers and words.
func values(m map[string]any) quantity.Values {
	v := quantity.Values{}
	for k, x := range m {
		switch x := x.(type) {
		case int:
			v[k] = quantity.Value{Number: float64(x)}
		case float64:
			v[k] = quantity.Value{Number: x}
		case string:
			v[k] = quantity.Value{Text: x}
		}
	}
	return v
}

var _ host = (*fake)(nil)
