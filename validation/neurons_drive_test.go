package validation

import (
	"cmp"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"hmn/event"
	"hmn/event/quantity"
	"hmn/network"
)

// receptor is one port of a trial and what arrives there: n times a weight in
// [lo, hi), at random picoseconds.
type receptor struct {
	port   string // of the projection; "" = by the sign of the weight
	n      int
	lo, hi float64
}

// trial drives neurons of one model with arrivals at random picoseconds, each with
// inputs of its own, and compares them with the reference.
type trial struct {
	name, model string
	params      map[string]float64 // others have NEST's defaults
	reference   func(p map[string]float64) *specimen
	receptors   []receptor
	potential   string   // "": V_m
	states      []string // compared beside it
	end         float64  // ms
	seed        uint64
	draws       []uint64   // one per neuron: the inputs it gets
	written     [][]stroke // or these, by neuron
	init        map[string]float64
	window      event.Time   // lookahead_max
	delay       float64      // ms; 0: 1.3
	steps       [][2]float64 // of a current [ms, pA], the same for all
}

// every is between samples: off any grid.
const every = 723457 * event.Nanosecond

// strokes draws what arrives at neuron i.
func (c *trial) strokes(i int) (out []stroke) {
	was := 0.0
	for _, x := range c.steps {
		out = append(out, stroke{ms(x[0]) + ms(c.lag()), current, x[1] - was})
		was = x[1]
	}
	if c.written != nil {
		out = append(out, c.written[i]...)
		slices.SortStableFunc(out, func(a, b stroke) int { return int(a.at - b.at) })
		return out
	}
	r := rand.New(rand.NewPCG(c.seed, c.draws[i]+1))
	for _, p := range c.receptors {
		for range p.n {
			at := ms(c.lag()) + event.Time(r.Float64()*(c.end-c.lag())*1e9)
			out = append(out, stroke{at, p.port, float64(float32(p.lo + (p.hi-p.lo)*r.Float64()))})
		}
	}
	slices.SortStableFunc(out, func(a, b stroke) int { return int(a.at - b.at) })
	return out
}

func (c *trial) size() int { return max(len(c.draws), len(c.written)) }

func (c *trial) voltage() string { return cmp.Or(c.potential, "V_m") }

func (c *trial) lag() float64 {
	if c.delay == 0 {
		return 1.3
	}
	return c.delay
}

// description is the trial as a network: one source per arrival.
func (c *trial) description(extra quantity.Values) *network.Model {
	v := quantity.Values{}
	for k, x := range c.params {
		v[k] = quantity.Value{Number: x}
	}
	for k, x := range extra {
		v[k] = x
	}
	init := map[string]network.Value{}
	for k, x := range c.init {
		init[k] = constant(x)
	}
	m := &network.Model{Simulation: network.Simulation{LookaheadMax: c.window}, Populations: []network.Population{population("n", c.size(), c.model, v, init)},
		Records: []network.Record{record("spikes", "n", 0), record(c.voltage(), "n", every)}}
	for _, s := range c.states {
		m.Records = append(m.Records, record(s, "n", every))
	}
	byPort := map[string]int{}
	for i := range c.size() {
		for _, s := range c.strokes(i) {
			if s.port == current {
				continue
			}
			k, ok := byPort[s.port]
			if !ok {
				k = len(m.Projections)
				byPort[s.port] = k
				src := trains("to" + s.port)
				m.Populations = append(m.Populations, src)
				p := edges(src.Name, "n")
				p.Receptor = s.port
				m.Projections = append(m.Projections, p)
			}
			p, src := &m.Projections[k], &m.Populations[1+k]
			p.Edges = append(p.Edges, edge(src.N, i, s.w, 0, ms(c.lag())))
			src.Trains = append(src.Trains, []event.Time{s.at - ms(c.lag())})
			src.N++
		}
	}
	if c.steps != nil {
		m.Populations = append(m.Populations, population("step", 1, "step_current", values("steps", quantity.Value{Steps: c.steps}), nil))
		m.Projections = append(m.Projections, network.Projection{Name: "step", Source: "step", Target: "n", Rule: network.AllToAll, Weight: constant(1), Dendritic: constant(c.lag()), Synapse: "static"})
	}
	return m
}

// answer is what the reference says of one neuron.
type answer struct {
	*specimen
	at     []event.Time
	values [][]float64 // by sample: V_m, dV/dt, then the states
}

// solve plays the reference of neuron i; nudge is added to V at every arrival.
func (c *trial) solve(i int, nudge float64) answer {
	s := c.reference(c.params)
	for k, x := range c.init {
		s.y[slices.Index(s.names, k)] = x
	}
	if nudge != 0 {
		hit := s.hit
		s.hit = func(y []float64, port string, w float64, refractory bool) {
			hit(y, port, w, refractory)
			if !refractory {
				y[0] += nudge
			}
		}
	}
	a := answer{specimen: s}
	dy := make([]float64, len(s.y))
	s.play(c.strokes(i), ms(c.end), every, func(t event.Time) {
		f := s.charged
		if s.held != nil && s.at < s.until {
			f = s.held
		}
		f(s.y, dy)
		row := []float64{s.value(c.voltage()), dy[slices.Index(s.names, c.voltage())]}
		for _, k := range c.states {
			row = append(row, s.value(k))
		}
		a.at, a.values = append(a.at, t), append(a.values, row)
	})
	return a
}

// result is how far a run is from the reference.
type result struct {
	spikes  int // of the reference
	wrong   int // neurons with a spike more or less
	late    float64
	v       float64 // worst |ΔV|/(|V| + |dV/dt|·1 ms + 1 mV)
	states  float64 // likewise, in units of the largest value of each
	samples int
}

// compare runs the trial and measures.
func (c *trial) compare(t *testing.T, refs []answer, extra quantity.Values) (r result) {
	t.Helper()
	return c.measure(t, refs, play(t, c.description(extra), ms(c.end)))
}

func (c *trial) measure(t *testing.T, refs []answer, tp *tape) (r result) {
	t.Helper()
	got := tp.byID(c.size())
	for i, a := range refs {
		r.spikes += len(a.spikes)
		if len(got[i]) != len(a.spikes) {
			r.wrong++
			k := 0
			for k < min(len(got[i]), len(a.spikes)) && got[i][k]-a.spikes[k] < ms(0.01) && a.spikes[k]-got[i][k] < ms(0.01) {
				k++
			}
			t.Logf("%s, neuron %d: %d spikes, want %d; they part at spike %d: got %v, want %v", c.name, i, len(got[i]), len(a.spikes), k, got[i][k:min(k+3, len(got[i]))], a.spikes[k:min(k+3, len(a.spikes))])
			continue
		}
		for k, at := range a.spikes {
			r.late = math.Max(r.late, math.Abs((got[i][k] - at).MS()))
		}
		largest := make([]float64, len(c.states))
		for _, row := range a.values {
			for k := range c.states {
				largest[k] = math.Max(largest[k], math.Abs(row[2+k]))
			}
		}
		for what := range 1 + len(c.states) {
			_, x := tp.signal(1+what, i)
			if len(x) < len(a.at) {
				t.Fatalf("%s: %d samples of %d", c.name, len(x), len(a.at))
			}
			s := 0
			for k, at := range a.at {
				for s < len(a.spikes) && a.spikes[s] <= at {
					s++
				}
				// A spike that is a little earlier or later than the reference's lies on
				// the other side of the sample.
				if s > 0 && got[i][s-1] > at || s < len(got[i]) && got[i][s] <= at {
					continue
				}
				row := a.values[k]
				if what == 0 {
					d := math.Abs(x[k]-row[0]) / (math.Abs(row[0]) + math.Abs(row[1]) + 1)
					if !(d <= r.v) {
						r.v = d
					}
					r.samples++
				} else if d := math.Abs(x[k]-row[1+what]) / max(largest[what-1], 1e-300); !(d <= r.states) {
					r.states = d
				}
			}
		}
	}
	return r
}

// condition is how much later a spike comes, at most, per mV that V is off at every
// arrival [ms/mV]: from the reference with and without 1e-6 mV.
func (c *trial) condition(refs []answer) (worst float64) {
	const nudge = 1e-6
	for i, a := range refs {
		b := c.solve(i, nudge)
		if len(b.spikes) != len(a.spikes) {
			return math.Inf(1)
		}
		for k := range a.spikes {
			worst = math.Max(worst, math.Abs((b.spikes[k]-a.spikes[k]).MS())/nudge)
		}
	}
	return worst
}

func (c *trial) references() (refs []answer) {
	for i := range c.size() {
		refs = append(refs, c.solve(i, 0))
	}
	return refs
}

// arrivals counts the inputs of one neuron.
func (c *trial) arrivals() (n int) {
	for _, r := range c.receptors {
		n += r.n
	}
	return n
}
