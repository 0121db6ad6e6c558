package network

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"hmn/event"
	"hmn/event/quantity"
	"hmn/neuron"
	"hmn/synapse"
)

// tape keeps what a run records.
type tape struct {
	spikes []Spike
	rows   []tapeRow
	failAt event.Time // > 0: refuse spikes from then on
}

type tapeRow struct {
	record int
	at     event.Time
	values string // exact
}

var errFull = errors.New("tape full")

func (p *tape) WriteSpikes(s []Spike) error {
	if p.failAt > 0 && s[len(s)-1].At >= p.failAt {
		return errFull
	}
	p.spikes = append(p.spikes, s...)
	return nil
}

func (p *tape) WriteSamples(record int, at event.Time, values []float64) error {
	p.rows = append(p.rows, tapeRow{record, at, fmt.Sprintf("%x", values)})
	return nil
}

func (p *tape) recorder() Recorder { return Recorder{Spikes: p, Samples: p} }

func mustBuild(t testing.TB, m *Model, workers int) *Network {
	t.Helper()
	n, err := Build(m, Options{Workers: workers})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(n.Close)
	return n
}

// runFor runs n in the given pieces.
func runFor(t testing.TB, n *Network, pieces ...event.Time) *tape {
	t.Helper()
	p := &tape{}
	for _, d := range pieces {
		if err := n.Run(context.Background(), d, p.recorder()); err != nil {
			t.Fatal(err)
		}
	}
	return p
}

func sameTape(t testing.TB, what string, got, want *tape) {
	t.Helper()
	if len(want.spikes) == 0 {
		t.Errorf("%s: no spikes: nothing was compared", what)
	}
	if !slices.Equal(got.spikes, want.spikes) {
		k := 0
		for k < len(got.spikes) && k < len(want.spikes) && got.spikes[k] == want.spikes[k] {
			k++
		}
		t.Errorf("%s: %d spikes, want %d; they differ from number %d on", what, len(got.spikes), len(want.spikes), k)
	}
	if !slices.Equal(got.rows, want.rows) {
		t.Errorf("%s: %d rows of samples differ from %d", what, len(got.rows), len(want.rows))
	}
}

// closeSpikes compares the spikes of a feed-forward network, neuron by neuron,
// to a few picoseconds.
func closeSpikes(t testing.TB, what string, got, want []Spike, tol event.Time) {
	t.Helper()
	if len(want) == 0 {
		t.Errorf("%s: no spikes: nothing was compared", what)
	}
	split := func(all []Spike) map[uint32][]event.Time {
		by := map[uint32][]event.Time{}
		for k, s := range all {
			if k > 0 && (s.At < all[k-1].At || s.At == all[k-1].At && s.ID < all[k-1].ID) {
				t.Errorf("%s: spike %d is out of order", what, k)
			}
			by[s.ID] = append(by[s.ID], s.At)
		}
		return by
	}
	g, w := split(got), split(want)
	for id := range w {
		if len(g[id]) != len(w[id]) {
			t.Errorf("%s: neuron %d: %d spikes, want %d", what, id, len(g[id]), len(w[id]))
			continue
		}
		for k := range w[id] {
			if d := g[id][k] - w[id][k]; d < -tol || d > tol {
				t.Errorf("%s: neuron %d: spike %d at %v ms, want %v", what, id, k, g[id][k], w[id][k])
				break
			}
		}
	}
	if len(got) != len(want) {
		t.Errorf("%s: %d spikes, want %d", what, len(got), len(want))
	}
}

// trainsOf draws n spike trains of the given rate, with spikes at 0 and on
// window boundaries among them.
func trainsOf(rng *rand.Rand, n int, hz float64, span, step event.Time) [][]event.Time {
	all := make([][]event.Time, n)
	for i := range all {
		for at := event.Time(rng.ExpFloat64() / hz * 1e12); at < span; at += event.Time(rng.ExpFloat64() / hz * 1e12) {
			if rng.IntN(5) == 0 {
				at = at / step * step
			}
			all[i] = append(all[i], at)
		}
		if i%7 == 0 {
			all[i] = append([]event.Time{0}, all[i]...)
		}
		slices.Sort(all[i])
	}
	return all
}

// feedForward is sources → targets only, with excitation over one delay and
// over many, inhibition, bursts and a step of current: rounding cannot grow.
func feedForward(model string, hz float64, record ...Record) *Model {
	rng := rand.New(rand.NewPCG(11, 0))
	p := num("C_m", 250, "tau_m", 15, "E_L", -65, "V_th", -55, "V_reset", -66, "t_ref", 1.3)
	unit := 1.0
	if model != "iaf_psc_delta" {
		p["tau_syn_ex"], p["tau_syn_in"] = quantity.Value{Number: 3}, quantity.Value{Number: 7}
		unit = 120
	}
	span := 300 * event.Millisecond
	m := &Model{Simulation: Simulation{Seed: 3}, Records: record, Populations: []Population{
		{Name: "e", N: 40, Model: "spike_train", Trains: trainsOf(rng, 40, hz, span, event.Millisecond), ExpectedRateHz: hz},
		{Name: "i", N: 20, Model: "spike_train", Trains: trainsOf(rng, 20, hz, span, event.Millisecond), ExpectedRateHz: hz},
		{Name: "T", N: 30, Model: model, Params: p, Init: map[string]Value{"V_m": between(-65, -56)}},
		{Name: "step", N: 1, Model: "step_current", Params: quantity.Values{"steps": {Steps: [][2]float64{{20, 150}, {20.4, 100}, {60.123456789, -50}, {100, 170}, {101, 0}, {200, 120}}}}},
	}}
	w := func(x float64) Value { return between(min(0.5*x, 1.5*x), max(0.5*x, 1.5*x)) }
	m.Projections = []Projection{
		{Name: "uniform", Source: "e", Target: "T", Rule: FixedInDegree, Degree: 10, Multapses: true, Weight: w(0.9 * unit), Dendritic: fixed(1)},
		{Name: "many", Source: "e", Target: "T", Rule: FixedInDegree, Degree: 10, Multapses: true, Weight: fixed(1.1 * unit), Dendritic: between(1, 9)},
		{Name: "inhibit", Source: "i", Target: "T", Rule: FixedInDegree, Degree: 5, Multapses: true, Weight: w(-unit), Dendritic: between(1, 2.5)},
		{Name: "inhibit1", Source: "i", Target: "T", Rule: PairwiseBernoulli, P: 0.1, Weight: fixed(-unit), Dendritic: fixed(1.2)},
		{Name: "steps", Source: "step", Target: "T", Rule: AllToAll, Weight: fixed(1), Dendritic: fixed(1.5)},
	}
	return m
}

// recurrent networks of all kinds of neuron, with samples.
func recurrentModels() map[string]*Model {
	cuba := cubaModel(300, fixed(1.5))
	delays := cubaModel(300, between(0.5, 3))
	short := cubaModel(300, between(0.1, 2))
	brunel := brunelModel(500, 5, 2)
	alpha := cubaModel(300, between(0.4, 5))
	for i := range alpha.Populations {
		alpha.Populations[i].Model = "iaf_psc_alpha"
	}
	all := map[string]*Model{"cuba": cuba, "delays": delays, "short": short, "brunel": brunel, "alpha": alpha}
	for _, m := range all {
		for i := range m.Populations {
			if m.kind(i) == neuron.Spiking {
				m.Records = append(m.Records, Record{What: RecordSpikes, Of: m.Populations[i].Name},
					Record{What: RecordVm, Of: m.Populations[i].Name, Subset: []int{0, 3, 17}, Every: 700 * event.Microsecond})
			}
		}
		if m != brunel {
			m.Records = append(m.Records, Record{What: RecordISyn, Of: "E", Subset: []int{3, 4}, Every: 1234567})
		}
	}
	return all
}

// TestSplits: however a run is split, inside windows and at their boundaries,
// spikes and samples are those of one run; Reset then Run is a fresh run; what
// is recorded changes nothing; another seed gives another result.
func TestSplits(t *testing.T) {
	for name, m := range recurrentModels() {
		t.Run(name, func(t *testing.T) {
			const span = 60 * event.Millisecond
			n := mustBuild(t, m, 2)
			want := runFor(t, n, span)
			stats := n.Stats()
			if len(want.rows) == 0 {
				t.Fatal("no samples")
			}
			for seed := range uint64(3) {
				rng := rand.New(rand.NewPCG(seed, 0))
				var pieces []event.Time
				for left := span; left > 0; {
					d := min(left, event.Time(rng.Int64N(int64(span/10))))
					switch rng.IntN(6) {
					case 0:
						d = min(left, event.Time(rng.IntN(3)))
					case 1:
						d = min(left, n.grid.Step)
					}
					pieces = append(pieces, d)
					left -= d
				}
				if err := n.Reset(); err != nil {
					t.Fatal(err)
				}
				sameTape(t, fmt.Sprintf("reset and split, seed %d", seed), runFor(t, n, pieces...), want)
			}
			if s := n.Stats(); s.Spikes != stats.Spikes || s.SynapticEvents != stats.SynapticEvents || s.Windows != stats.Windows || s.Now != stats.Now {
				t.Errorf("statistics %+v, want %+v", s, stats)
			}
			sameTape(t, "fresh build, 1 worker", runFor(t, mustBuild(t, m, 1), span), want)

			bare := *m
			bare.Records = nil
			p := runFor(t, mustBuild(t, &bare, 1), span)
			sameTape(t, "without samples", p, &tape{spikes: want.spikes})

			other := *m
			other.Simulation.Seed++
			if slices.Equal(runFor(t, mustBuild(t, &other, 1), span).spikes, want.spikes) {
				t.Error("another seed gives the same spikes")
			}
		})
	}
}

// TestWorkers: 1 = 2 = 7 workers, bit for bit, in networks of 8 blocks and more
// whose windows are handed out; every worker advanced a block.
func TestWorkers(t *testing.T) {
	brunel := brunelModel(2000, 5, 2)
	exp := brunelModel(2000, 5, 2) // the same with currents and different delays
	for i := range exp.Populations {
		if p := &exp.Populations[i]; p.Model == "iaf_psc_delta" {
			p.Model, p.Params = "iaf_psc_exp", num("C_m", 20, "tau_m", 20, "E_L", 0, "V_th", 20, "V_reset", 10, "t_ref", 2, "tau_syn_ex", 1, "tau_syn_in", 1)
		}
	}
	for i := range exp.Projections {
		p := &exp.Projections[i]
		p.Weight.A *= 20
		if p.Rule != OneToOne {
			p.Dendritic = between(1.5, 4)
		}
	}
	for name, m := range map[string]*Model{"delta": brunel, "exp": exp} {
		var want *tape
		for _, workers := range []int{1, 2, 7} {
			n := mustBuild(t, m, workers)
			p := runFor(t, n, 7*event.Millisecond, 23*event.Millisecond)
			s := n.Stats()
			if s.Blocks < 8 {
				t.Fatalf("%s: %d blocks, want 8 or more", name, s.Blocks)
			}
			if want == nil {
				want = p
			}
			sameTape(t, fmt.Sprintf("%s, %d workers", name, workers), p, want)
			took := 0
			for _, b := range s.WorkerBlocks {
				took += int(min(b, 1))
			}
			if len(s.WorkerBlocks) != workers || took < min(workers, 2) {
				t.Errorf("%s, %d workers: blocks by worker %v", name, workers, s.WorkerBlocks)
			}
		}
	}
}

// TestCallbacks: a call-back at t sees exactly the spikes before t, cuts a
// window there, and moves no spike of a feed-forward network by more than
// rounding. Call-backs come in clusters a picosecond apart, on boundaries, and
// the same ones cut the same windows however the run is split.
func TestCallbacks(t *testing.T) {
	for _, model := range []string{"iaf_psc_delta", "iaf_psc_exp", "iaf_psc_alpha"} {
		for _, hz := range []float64{30, 2500} { // 2500 Hz: several steps per window
			t.Run(fmt.Sprintf("%s/%g", model, hz), func(t *testing.T) {
				const span = 150 * event.Millisecond
				m := feedForward(model, hz, Record{What: RecordSpikes, Of: "T"}, Record{What: RecordSpikes, Of: "e"},
					Record{What: RecordVm, Of: "T", Subset: []int{0, 5}, Every: 333 * event.Microsecond})
				plain := runFor(t, mustBuild(t, m, 1), span)
				n := mustBuild(t, m, 1)
				var first *tape
				for round := range 2 {
					rng := rand.New(rand.NewPCG(4, 0))
					p := &tape{}
					seen := map[event.Time]int{}
					at := func(x event.Time) {
						if _, err := n.At(x, func(now event.Time) error {
							if now != x {
								t.Errorf("called at %v, want %v", now, x)
							}
							seen[x] = len(p.spikes)
							return nil
						}); err != nil {
							t.Fatal(err)
						}
					}
					for k := range 60 {
						x := event.Time(rng.Int64N(int64(span)))
						if k%4 == 0 {
							x = x / n.grid.Step * n.grid.Step
						}
						at(x)
						if k%3 == 0 {
							for d := range event.Time(1 + rng.IntN(4)) {
								at(x + 1 + d*event.Time(1+rng.IntN(20)))
							}
						}
					}
					at(0)
					at(span) // belongs to the next run
					pieces := []event.Time{span}
					if round == 1 {
						pieces = []event.Time{7e9 + 1, 1, 33e9, span - 40e9 - 2}
					}
					for _, d := range pieces {
						if err := n.Run(context.Background(), d, p.recorder()); err != nil {
							t.Fatal(err)
						}
					}
					if _, ok := seen[span]; ok || len(seen) < 60 {
						t.Errorf("%d call-backs ran, that at the end of the run: %v", len(seen), ok)
					}
					for x, count := range seen {
						want := 0
						for want < len(p.spikes) && p.spikes[want].At < x {
							want++
						}
						if count != want {
							t.Errorf("call-back at %v ms saw %d spikes, there are %d before it", x, count, want)
						}
					}
					closeSpikes(t, "cut windows", p.spikes, plain.spikes, 3)
					if len(p.rows) != len(plain.rows) {
						t.Errorf("%d rows of samples, want %d", len(p.rows), len(plain.rows))
					}
					if first == nil {
						first = p
					}
					sameTape(t, "cut windows, split", p, first)
					if err := n.Reset(); err != nil {
						t.Fatal(err)
					}
				}
				if testing.Short() {
					return
				}
				sameTape(t, "reset drops call-backs", runFor(t, n, span), plain)
			})
		}
	}
}

func TestCallbackOrder(t *testing.T) {
	n := mustBuild(t, feedForward("iaf_psc_delta", 30), 1)
	var got []int
	note := func(k int) func(event.Time) error {
		return func(event.Time) error { got = append(got, k); return nil }
	}
	n.At(5e9, note(2))
	n.At(3e9, func(now event.Time) error {
		got = append(got, 1)
		if _, err := n.At(now-1, note(99)); !errors.Is(err, event.ErrPast) {
			t.Errorf("At in the past: %v", err)
		}
		_, err := n.At(now, note(11)) // this instant is still to come
		return err
	})
	n.At(5e9, note(3))
	k, _ := n.At(5e9, note(4))
	if !n.Cancel(k) || n.Cancel(k) {
		t.Error("Cancel")
	}
	broken := errors.New("broken")
	n.At(8e9, func(event.Time) error { return broken })
	err := n.Run(context.Background(), 10e9, Recorder{})
	if !errors.Is(err, broken) {
		t.Errorf("error %v", err)
	}
	if want := []int{1, 11, 2, 3}; !slices.Equal(got, want) {
		t.Errorf("ran %v, want %v", got, want)
	}
	if n.Stats().Now != 8e9 {
		t.Errorf("the record reaches to %v ms, want 8", n.Stats().Now)
	}
	if err := n.Run(context.Background(), 1, Recorder{}); !errors.Is(err, ErrFailed) {
		t.Errorf("Run after an error: %v", err)
	}
}

// relay is sources → delta neurons that fire at every arrival: spike k of a
// target falls at the source's spike plus the delay, exactly.
func relay(edges []synapse.Edge, sources, targets int, trains [][]event.Time) *Model {
	return &Model{
		Populations: []Population{
			{Name: "s", N: sources, Model: "spike_train", Trains: trains},
			{Name: "t", N: targets, Model: "iaf_psc_delta", Params: num("E_L", 0, "V_th", 15, "V_reset", 0, "t_ref", 0)},
		},
		Projections: []Projection{{Name: "p", Source: "s", Target: "t", Rule: EdgeList, Edges: edges}},
		Records:     []Record{{What: RecordSpikes, Of: "t"}},
	}
}

// TestExactArrivals: delays over many windows and several bands of 4.29 ms, one
// and several weights, with and without call-backs that cut windows, replayed
// one by one and swept; and window lengths for which the division into cells
// rounds badly: 1 ps, and arrivals at the last picosecond of a cell of 3.5 ms.
func TestExactArrivals(t *testing.T) {
	const ms = event.Millisecond
	for _, c := range []struct {
		name     string
		least    event.Time // shortest delay: the window
		spread   event.Time
		n, span  event.Time
		callback event.Time
	}{
		{"over 20 windows", 300 * event.Microsecond, 8 * ms, 400, 40 * ms, 0},
		{"bands", 700 * event.Microsecond, 30 * ms, 400, 60 * ms, 0},
		{"bands, cut", 700 * event.Microsecond, 30 * ms, 400, 60 * ms, 370 * event.Microsecond},
		{"long windows", 3500 * event.Microsecond, 13 * ms, 400, 80 * ms, 0},
		{"longest windows", 4 * ms, 13 * ms, 400, 80 * ms, 0},
		{"beyond the longest window", 6 * ms, 13 * ms, 400, 80 * ms, ms},
		{"windows of 1 ps", 1, 40, 60, 200, 0},
		{"windows of 1 ps, cut", 1, 40, 60, 200, 3},
		{"windows of 7 ps", 7, 400, 60, 2000, 0},
		{"windows of 7 ps, cut", 7, 400, 60, 2000, 5},
	} {
		for _, weights := range []int{1, 2} {
			for _, each := range []bool{false, true} {
				t.Run(fmt.Sprintf("%s/%d/%v", c.name, weights, each), func(t *testing.T) {
					rng := rand.New(rand.NewPCG(6, 0))
					const sources, targets = 20, 300
					trains := make([][]event.Time, sources)
					for i := range trains {
						for range 4 {
							at := event.Time(rng.Int64N(int64(c.span / 2)))
							if rng.IntN(3) == 0 {
								at = at / c.least * c.least
							}
							trains[i] = append(trains[i], at)
						}
						slices.Sort(trains[i])
					}
					var edges []synapse.Edge
					for k := range int(c.n) {
						e := synapse.Edge{Source: uint32(rng.IntN(sources)), Target: uint32(k % targets), Weight: 20}
						if weights == 2 {
							e.Weight += float64(k % 3)
						}
						e.Dendritic = c.least + event.Time(rng.Int64N(int64(c.spread)))
						switch k % 5 {
						case 0:
							e.Dendritic = c.least + c.least*event.Time(rng.Int64N(int64(c.spread/c.least))) // whole windows
						case 1:
							e.Dendritic = c.least*(2+event.Time(rng.Int64N(int64(c.spread/c.least)))) - 1 // one short of them
						}
						e.Axonal = event.Time(rng.Int64N(int64(e.Dendritic + 1)))
						e.Dendritic -= e.Axonal
						edges = append(edges, e)
					}
					edges[0].Axonal, edges[0].Dendritic = 0, c.least
					m := relay(edges, sources, targets, trains)
					m.Simulation.LookaheadMax = c.least
					n := mustBuild(t, m, 1)
					if want := min(c.least, 4*ms); n.grid.Step != want {
						t.Fatalf("windows of %v ms, want %v", n.grid.Step, want)
					}
					if each {
						for _, a := range n.blocks {
							if b, ok := a.(*linearBlock); ok {
								b.odd = true
							}
						}
						if err := n.Reset(); err != nil {
							t.Fatal(err)
						}
					}
					for at := c.callback; c.callback > 0 && at < c.span; at += c.callback {
						n.At(at, func(event.Time) error { return nil })
					}
					got := runFor(t, n, c.span)
					var want []Spike
					delivered := uint64(0)
					for _, e := range edges {
						for _, at := range trains[e.Source] {
							if x := at + e.Axonal + e.Dendritic; x < c.span {
								want = append(want, Spike{x, sources + e.Target})
								delivered++
							}
						}
					}
					slices.SortFunc(want, func(a, b Spike) int {
						if a.At != b.At {
							return int(min(max(a.At-b.At, -1), 1))
						}
						return int(a.ID) - int(b.ID)
					})
					want = slices.Compact(want) // arrivals of one instant make one spike
					if !slices.Equal(got.spikes, want) {
						k := 0
						for k < len(want) && k < len(got.spikes) && got.spikes[k] == want[k] {
							k++
						}
						t.Fatalf("%d spikes, want %d; they differ from number %d on: %v, want %v", len(got.spikes), len(want), k, got.spikes[k:min(k+2, len(got.spikes))], want[k:min(k+2, len(want))])
					}
					if s := n.Stats(); n.now == c.span && s.SynapticEvents != delivered {
						t.Errorf("%d arrivals delivered, want %d", s.SynapticEvents, delivered)
					}
				})
			}
		}
	}
}

// TestLastOfCell: an arrival at the very last picosecond of a cell, for windows
// so long that 2⁶⁴/step has a large remainder.
func TestLastOfCell(t *testing.T) {
	for _, step := range []event.Time{3900000003, 3900000037, 3999999999, 3333333333, 2999999999} {
		for _, at := range []event.Time{0, 1, step / 2, step - 2, step - 1} {
			for cells := event.Time(2); cells <= 4; cells++ {
				delay := step*cells - 1 - at
				if delay <= step {
					continue
				}
				edges := []synapse.Edge{{Target: 0, Weight: 20, Dendritic: step}, {Target: 1, Weight: 20, Dendritic: delay}}
				n := mustBuild(t, relay(edges, 1, 2, [][]event.Time{{at}}), 1)
				got := runFor(t, n, 20*event.Millisecond).spikes
				if want := []Spike{{at + step, 1}, {at + delay, 2}}; n.grid.Step != step || !slices.Equal(got, want) {
					t.Errorf("windows of %d ps: spikes %v, want %v", n.grid.Step, got, want)
				}
			}
		}
	}
}

// TestConservation: spikes × out-degree = delivered + still on their way.
func TestConservation(t *testing.T) {
	pending := uint64(0)
	for name, m := range recurrentModels() {
		n := mustBuild(t, m, 2)
		got := runFor(t, n, 50*n.grid.Step)
		var sent, delivered uint64
		for _, p := range n.projs {
			if p.direct != nil {
				continue
			}
			for _, rows := range p.rows {
				for _, r := range rows {
					for _, s := range got.spikes {
						if n.order[s.ID] != uint16(p.src.index) {
							continue
						}
						id := s.ID - p.src.first
						for k := r.Ptr[id]; k < r.Ptr[id+1]; k++ {
							sent++
							if s.At+r.DelayAt(int(k)) < n.now {
								delivered++
							}
						}
					}
				}
			}
		}
		s := n.Stats()
		pending += sent - delivered
		if s.SynapticEvents-s.ExternalEvents != delivered || delivered == 0 {
			t.Errorf("%s: %d spikes sent %d, of which %d should have arrived by %v ms; delivered %d", name, len(got.spikes), sent, delivered, n.now, s.SynapticEvents-s.ExternalEvents)
		}
	}
	if pending == 0 {
		t.Error("nothing was on its way at the end of any run")
	}
}

// TestDirectPoisson: a poisson input generated at its target equals the same
// input generated by its population, stored and sent: the same trains, so the
// same spikes of the targets, to the rounding of sums. Recording it changes
// nothing at all.
func TestDirectPoisson(t *testing.T) {
	for _, c := range []struct {
		model string
		w     float64
	}{{"iaf_psc_delta", 0.4}, {"iaf_psc_exp", 30}, {"iaf_psc_alpha", 20}, {"iaf_psc_exp", -5}} {
		m := &Model{Simulation: Simulation{Seed: 8}, Populations: []Population{
			{Name: "noise", N: 50, Model: "poisson", Params: num("rate", 4000)},
			{Name: "T", N: 50, Model: c.model, Params: num("E_L", -65, "V_th", -50, "V_reset", -65, "tau_m", 12), Init: map[string]Value{"V_m": between(-65, -51)}},
			{Name: "T2", N: 50, Model: c.model, Params: num("E_L", -65, "V_th", -50, "V_reset", -65, "I_e", 500)},
		}, Projections: []Projection{
			{Name: "a", Source: "noise", Target: "T", Rule: OneToOne, Weight: fixed(math.Abs(c.w)), Dendritic: fixed(1.7)},
			{Name: "b", Source: "noise", Target: "T2", Rule: OneToOne, Weight: fixed(c.w), Dendritic: fixed(2.1)},
		}, Records: []Record{{What: RecordSpikes, Of: "T"}, {What: RecordSpikes, Of: "T2"}}}
		direct := mustBuild(t, m, 1)
		sent := *m // the same synapses from a list are stored and sent
		sent.Projections = slices.Clone(m.Projections)
		for k := range sent.Projections {
			q := &sent.Projections[k]
			q.Rule = EdgeList
			at, _, _ := event.FromMS(q.Dendritic.A)
			for i := range uint32(50) {
				q.Edges = append(q.Edges, synapse.Edge{Source: i, Target: i, Weight: q.Weight.A, Dendritic: at})
			}
		}
		stored := mustBuild(t, &sent, 1)
		recorded := *m
		recorded.Records = append(slices.Clone(m.Records), Record{What: RecordSpikes, Of: "noise"})
		if direct.projs[0].direct == nil || stored.projs[0].direct != nil {
			t.Fatal("the two are not different")
		}
		const span = 85 * event.Millisecond // 50 windows of 1.7 ms
		a, b := runFor(t, direct, span), runFor(t, stored, span)
		closeSpikes(t, c.model, a.spikes, b.spikes, 4)
		r := runFor(t, mustBuild(t, &recorded, 1), span).spikes
		noise := len(r)
		r = slices.DeleteFunc(r, func(s Spike) bool { return s.ID < 50 })
		if noise -= len(r); noise < 15000 { // 50 × 4000 Hz × 85 ms = 17000
			t.Errorf("%s: %d spikes of the noise recorded", c.model, noise)
		}
		sameTape(t, c.model+", noise recorded", &tape{spikes: r}, a)
		x, y := direct.Stats(), stored.Stats()
		direct.Reset()
		rng := rand.New(rand.NewPCG(1, 0))
		for range 40 { // the same, in windows that call-backs cut
			direct.At(event.Time(rng.Int64N(int64(span))), func(event.Time) error { return nil })
		}
		closeSpikes(t, c.model+", cut", runFor(t, direct, span).spikes, a.spikes, 4)
		if z := direct.Stats(); z.ExternalEvents != x.ExternalEvents {
			t.Errorf("%s: %d arrivals in cut windows, want %d", c.model, z.ExternalEvents, x.ExternalEvents)
		}
		if x.SynapticEvents != y.SynapticEvents || x.ExternalEvents != x.SynapticEvents || y.ExternalEvents != 0 {
			t.Errorf("%s: %d arrivals, %d of them external; sent: %d", c.model, x.SynapticEvents, x.ExternalEvents, y.SynapticEvents)
		}
	}
}

// TestStepCurrent: the interval under a step of current, from the time at which
// the step reaches the neuron on.
func TestStepCurrent(t *testing.T) {
	for _, model := range []string{"iaf_psc_delta", "iaf_psc_exp", "iaf_psc_alpha"} {
		m := &Model{Populations: []Population{
			{Name: "step", N: 1, Model: "step_current", Params: quantity.Values{"steps": {Steps: [][2]float64{{10, 22.5}, {200, 0}}}}},
			{Name: "T", N: 3, Model: model, Params: num("C_m", 250, "tau_m", 10, "E_L", 0, "V_th", 15, "V_reset", 0, "t_ref", 2)},
		}, Projections: []Projection{{Name: "p", Source: "step", Target: "T", Rule: AllToAll, Weight: fixed(25), Dendritic: fixed(0.3)}},
			Records: []Record{{What: RecordSpikes, Of: "T"}, {What: RecordVm, Of: "T", Subset: []int{1}, Every: 90 * event.Millisecond}}}
		got := runFor(t, mustBuild(t, m, 1), 300*event.Millisecond)
		rise := 10 * math.Log(3)
		var want []float64
		for at := 10.3 + rise; at < 200.3; at += 2 + rise {
			want = append(want, at)
		}
		if len(got.spikes) != 3*len(want) {
			t.Fatalf("%s: %d spikes, want 3 × %d", model, len(got.spikes), len(want))
		}
		for k, s := range got.spikes {
			if d := s.At.MS() - want[k/3]; math.Abs(d) > 1e-9*float64(k/3+1) {
				t.Errorf("%s: spike %d at %v ms, want %.9f", model, k, s.At, want[k/3])
			}
		}
	}
}

// rows of a recorded signal as numbers.
type series struct{ rows [][]float64 }

func (s *series) WriteSamples(_ int, _ event.Time, v []float64) error {
	s.rows = append(s.rows, slices.Clone(v))
	return nil
}

// TestRateFixedPoint: linear units reach z = (1 − W)⁻¹ h. By Cramer's rule for
// W = [[0, .5], [−.4, .2]], h = (1, 2): det = 1·0.8 + 0.5·0.4 = 1.
func TestRateFixedPoint(t *testing.T) {
	edges := []synapse.Edge{
		{Source: 1, Target: 0, Weight: 0.5, Dendritic: 2 * event.Millisecond},
		{Source: 0, Target: 1, Weight: -0.4, Dendritic: 700 * event.Microsecond},
		{Source: 1, Target: 1, Weight: 0.2, Axonal: event.Millisecond},
	}
	m := &Model{Populations: []Population{{Name: "r", N: 2, Model: "rate", Params: quantity.Values{"f": {Text: "linear"}, "b": {List: []float64{1, 2}}}}},
		Projections: []Projection{{Name: "w", Source: "r", Target: "r", Rule: EdgeList, Edges: edges}},
		Records:     []Record{{What: RecordRate, Of: "r", Every: 10 * event.Millisecond}}}
	n := mustBuild(t, m, 2)
	s := &series{}
	if err := n.Run(context.Background(), 400*event.Millisecond, Recorder{Samples: s}); err != nil {
		t.Fatal(err)
	}
	last := s.rows[len(s.rows)-1]
	if want := []float64{0.8*1 + 0.5*2, -0.4*1 + 1*2}; len(s.rows) != 40 || math.Abs(last[0]-want[0]) > 1e-12 || math.Abs(last[1]-want[1]) > 1e-12 {
		t.Errorf("after %d samples %v, want %v", len(s.rows), last, want)
	}
}

// TestRateMixedDelays: synapses without delay beside others in one projection. A
// step at 5.05 ms reaches unit 0 at 6.05 ms, unit 1 at once, unit 2 0.3 ms later and
// unit 0 again after 2 ms, each by a power of two.
func TestRateMixedDelays(t *testing.T) {
	const us = event.Microsecond
	m := &Model{Populations: []Population{
		{Name: "in", N: 1, Model: "step_rate", Params: quantity.Values{"steps": {Steps: [][2]float64{{0, 0}, {5.05, 8}}}}},
		{Name: "r", N: 3, Model: "rate", Params: num("f", "linear")}},
		Projections: []Projection{
			{Name: "x", Source: "in", Target: "r", Rule: EdgeList, Edges: []synapse.Edge{{Weight: 1, Axonal: 1000 * us}}},
			{Name: "w", Source: "r", Target: "r", Rule: EdgeList, Edges: []synapse.Edge{
				{Source: 0, Target: 1, Weight: 0.5}, {Source: 1, Target: 2, Weight: -0.25, Axonal: 300 * us}}},
			{Name: "v", Source: "r", Target: "r", Rule: EdgeList, Edges: []synapse.Edge{{Source: 2, Target: 0, Weight: 1, Axonal: 2000 * us}}}},
		Records: []Record{{What: RecordRate, Of: "r", Every: 100 * us}}}
	e, err := EstimateModel(m)
	if err != nil || e.Window != 300*us {
		t.Errorf("window %v ms expected, %v", e.Window, err)
	}
	for _, workers := range []int{1, 2} {
		s := &series{}
		n := mustBuild(t, m, workers)
		if n.Stats().Window != 300*us {
			t.Errorf("window %v ms", n.Stats().Window)
		}
		if err := n.Run(context.Background(), 12*event.Millisecond, Recorder{Samples: s}); err != nil {
			t.Fatal(err)
		}
		if len(s.rows) != 120 {
			t.Fatalf("%d samples", len(s.rows))
		}
		for k, row := range s.rows {
			at := event.Time(k) * 100 * us
			want := [3]float64{}
			x, back := 8.0, 1.0 // unit 2 hands -1/8 of unit 0 on
			for hit := 6050 * us; hit <= at; hit += 2300 * us {
				want[0] += float64(x * back)
				want[1] = want[0] / 2
				if hit+300*us <= at {
					want[2] = -want[1] / 4
				}
				back *= -0.125
			}
			if [3]float64(row) != want {
				t.Errorf("%v ms: %v, want %v", at, row, want)
			}
		}
	}
}

// TestSpikesToRate: a regular train of 100 Hz counts as 100 Hz to a rate unit,
// and as nothing again a window after its end.
func TestSpikesToRate(t *testing.T) {
	var train []event.Time
	for k := range event.Time(50) {
		train = append(train, 3e9+k*10e9)
	}
	m := &Model{Populations: []Population{
		{Name: "s", N: 1, Model: "spike_train", Trains: [][]event.Time{train}},
		{Name: "r", N: 1, Model: "rate", Params: num("f", "linear", "spike_window", 100)},
	}, Projections: []Projection{{Name: "p", Source: "s", Target: "r", Rule: AllToAll, Weight: fixed(2), Dendritic: fixed(1)}},
		Records: []Record{{What: RecordRate, Of: "r", Every: 50 * event.Millisecond}}}
	s := &series{}
	n := mustBuild(t, m, 1)
	if err := n.Run(context.Background(), 700*event.Millisecond, Recorder{Samples: s}); err != nil {
		t.Fatal(err)
	}
	// Arrivals at 4, 14, … 494 ms; 2 × 10 Hz each, for 100 ms.
	for k, want := range []float64{0, 100, 200, 200, 200, 200, 200, 200, 200, 200, 200, 100, 0, 0} {
		if math.Abs(s.rows[k][0]-want) > 1e-9 {
			t.Errorf("at %d ms: %v, want %v", k*50, s.rows[k][0], want)
		}
	}
}

// TestGuards: what stops a run, when, and that splitting the run does not show.
func TestGuards(t *testing.T) {
	const ms = event.Millisecond
	var train []event.Time
	for at := event.Time(0); at < 5*ms; at += ms { // five spikes, silence, one more, silence
		train = append(train, at)
	}
	train = append(train, 17100*event.Microsecond, 40*ms)
	base := relay([]synapse.Edge{{Weight: 20, Dendritic: ms + ms/2}}, 1, 1, [][]event.Time{train})
	for _, c := range []struct {
		guard Guard
		at    event.Time // 0: nothing stops it
	}{
		{Guard{MaxRateHz: 499, Window: 10 * ms}, 10 * ms}, // 5 in 10 ms
		{Guard{MaxRateHz: 500, Window: 10 * ms}, 0},
		{Guard{MaxRateHz: 900, Window: 2 * ms}, 4 * ms}, // 2.5 and 3.5 ms: 1000 Hz in [2, 4)
		{Guard{MaxRateHz: 1000, Window: 2 * ms}, 0},
		{Guard{Silence: 13 * ms, Window: ms}, 5500*event.Microsecond + 13*ms},              // the next spike comes at 18.6 ms
		{Guard{Silence: 13100 * event.Microsecond, Window: ms}, 18600 * event.Microsecond}, // no spike in [5.5, 18.6), but for the first
		{Guard{Silence: 13200 * event.Microsecond, Window: 100 * ms}, 31800 * event.Microsecond},
		{Guard{Silence: 17 * ms}, 0},
		{Guard{Silence: 13 * ms, MaxRateHz: 250, Window: 18550 * event.Microsecond}, 18500 * event.Microsecond}, // the earlier of two
		{Guard{Silence: 13 * ms, MaxRateHz: 250, Window: 18450 * event.Microsecond}, 18450 * event.Microsecond},
		{Guard{Silence: ms, Window: ms}, ms}, // the first spike comes at 1.5 ms
		{Guard{}, 0},
	} {
		m := *base
		m.Guard = c.guard
		n := mustBuild(t, &m, 1)
		for seed := range uint64(4) {
			rng := rand.New(rand.NewPCG(seed, 0))
			var err error
			for left := 35 * ms; left > 0 && err == nil; {
				d := left
				if seed > 0 {
					d = min(left, 1+event.Time(rng.Int64N(int64(2*ms))))
				}
				err = n.Run(context.Background(), d, Recorder{})
				left -= d
			}
			var stop *StoppedError
			switch {
			case c.at == 0:
				if err != nil {
					t.Errorf("%+v, seed %d: %v", c.guard, seed, err)
				}
			case !errors.As(err, &stop) || stop.At != c.at || stop.Population != "t":
				t.Errorf("%+v, seed %d: %v, want a stop at %v ms", c.guard, seed, err, c.at)
			case n.Stats().Now < stop.At:
				t.Errorf("%+v, seed %d: the record reaches to %v ms only", c.guard, seed, n.Stats().Now)
			}
			if err := n.Reset(); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// TestErrors: a sink's error and a run-away neuron end the run; after Reset the
// network is as good as new, with nothing of the broken window left.
func TestErrors(t *testing.T) {
	m := recurrentModels()["delays"]
	n := mustBuild(t, m, 2)
	want := runFor(t, n, 40*event.Millisecond)
	n.Reset()
	p := &tape{failAt: 20 * event.Millisecond}
	if err := n.Run(context.Background(), 40*event.Millisecond, p.recorder()); !errors.Is(err, errFull) {
		t.Errorf("error %v, want that of the sink", err)
	}
	if err := n.Run(context.Background(), 1, Recorder{}); !errors.Is(err, ErrFailed) {
		t.Errorf("Run after an error: %v", err)
	}
	n.Reset()
	sameTape(t, "reset after a sink's error", runFor(t, n, 40*event.Millisecond), want)

	for _, model := range []string{"iaf_psc_delta", "iaf_psc_exp", "iaf_psc_alpha"} {
		m := feedForward(model, 2500)
		p := &m.Populations[2]
		p.Params["t_ref"] = quantity.Value{}
		m.Populations = append(m.Populations, Population{Name: "blow", N: 30, Model: "step_current",
			Params: quantity.Values{"steps_file": {Table: []quantity.Step{{Neuron: 7, Time: 20.3, Value: 1e9}}}}})
		m.Projections = append(m.Projections, Projection{Name: "blow", Source: "blow", Target: "T", Rule: OneToOne, Weight: fixed(1e6), Dendritic: fixed(1)},
			Projection{Name: "noise", Source: "noise", Target: "T", Rule: OneToOne, Weight: fixed(0.1), Dendritic: fixed(1)})
		m.Populations = append(m.Populations, Population{Name: "noise", N: 30, Model: "poisson", Params: num("rate", 2000)})
		n := mustBuild(t, m, 1)
		want := runFor(t, n, 20*event.Millisecond)
		stats := n.Stats()
		for range 2 {
			err := n.Run(context.Background(), 20*event.Millisecond, Recorder{})
			var stop *StoppedError
			if !errors.As(err, &stop) || stop.Population != "T" || stop.At != 21*event.Millisecond {
				t.Fatalf("%s: error %v, want a run-away neuron at 21 ms", model, err)
			}
			if err := n.Reset(); err != nil {
				t.Fatal(err)
			}
			sameTape(t, model+": reset after a run-away", runFor(t, n, 20*event.Millisecond), want)
			if s := n.Stats(); s.SynapticEvents != stats.SynapticEvents || s.ExternalEvents != stats.ExternalEvents || !slices.Equal(s.PopSpikes, stats.PopSpikes) {
				t.Errorf("%s: statistics %+v, want %+v", model, s, stats)
			}
		}
	}
}

// TestCancel: a cancelled run has delivered what it computed, and running on
// gives the uninterrupted result.
func TestCancel(t *testing.T) {
	m := recurrentModels()["cuba"]
	n := mustBuild(t, m, 2)
	const span = 40 * event.Millisecond
	want := runFor(t, n, span)
	n.Reset()
	p := &tape{}
	for k := event.Time(1); n.done < span; k++ {
		ctx, cancel := context.WithCancel(context.Background())
		c := &canceller{tape: p, at: k * 7 * event.Millisecond, cancel: cancel}
		err := n.Run(ctx, span-n.done, Recorder{Spikes: c, Samples: p})
		cancel()
		if err == nil && n.done < span || err != nil && !errors.Is(err, context.Canceled) {
			t.Fatalf("at %v ms: %v", n.done, err)
		}
		if err != nil && n.Stats().Now != n.done {
			t.Errorf("Stats.Now = %v, delivered up to %v", n.Stats().Now, n.done)
		}
	}
	sameTape(t, "interrupted", p, want)
}

type canceller struct {
	*tape
	at     event.Time
	cancel func()
}

func (c *canceller) WriteSpikes(s []Spike) error {
	if s[len(s)-1].At >= c.at {
		c.cancel()
	}
	return c.tape.WriteSpikes(s)
}

func TestRunRange(t *testing.T) {
	n := mustBuild(t, feedForward("iaf_psc_delta", 10), 1)
	for _, d := range []event.Time{-1, event.MaxTime, event.MaxTime - event.Second + 1} {
		if err := n.Run(context.Background(), d, Recorder{}); !errors.Is(err, event.ErrRange) {
			t.Errorf("Run(%d): %v", d, err)
		}
		n.Reset()
	}
	if err := n.Run(context.Background(), 0, Recorder{}); err != nil || n.Stats().Windows != 0 {
		t.Errorf("Run(0): %v, %d windows", err, n.Stats().Windows)
	}
}
