package stdp

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"hmn/event"
	"hmn/event/quantity"
	"hmn/synapse"
)

// TestDopamineRows: synapses in rows, with delays of their own on both sides, do bit for
// bit what each of them does alone; so do the forecasts for arrivals whose
// targets may still fire, and settle passes are gone through in both.
func TestDopamineRows(t *testing.T) {
	for seed := range uint64(30) {
		rng := rand.New(rand.NewPCG(seed, 6))
		semantics := []string{Exact, Nest, Daspnet}[seed%3]
		x := randomTrial(rng, 9000, semantics)
		if semantics == Daspnet {
			x.p.Grid, x.p.PostLag = 10*event.Millisecond, event.Millisecond
		}
		const sources, targets, end, window = 3, 4, 9500, 20
		pre, post := make([][]event.Time, sources), make([][]event.Time, targets)
		train := func(n int) []event.Time {
			var out []event.Time
			for range n {
				out = append(out, ms(math.Floor(rng.Float64()*9000*8)/8))
			}
			slices.Sort(out)
			return out // with spikes at one instant
		}
		for s := range pre {
			pre[s] = train(150)
		}
		for j := range post {
			post[j] = slices.Compact(train(150))
		}
		rows := &synapse.Rows{Ptr: []uint32{0}, MinDelay: ms(1)}
		w := &synapse.Wiring{Rows: rows, Targets: targets, Dendritic: ms(0.5)}
		uniform := seed%2 == 0
		dendrites := seed%4 == 1
		type one struct{ src, j int }
		var syn []one
		for s := range sources {
			var d []uint32
			for j := range targets {
				syn = append(syn, one{s, j})
				rows.Target = append(rows.Target, uint16(j))
				d = append(d, uint32(rng.IntN(3))*uint32(ms(1)))
				w.Weights = append(w.Weights, x.p.WMin+rng.Float64()*0.5)
				if dendrites {
					w.Dendritics = append(w.Dendritics, ms(0.25*float64(rng.IntN(4))))
				}
			}
			slices.Sort(d)
			if !uniform {
				rows.Delay = append(rows.Delay, d...)
			}
			rows.Ptr = append(rows.Ptr, uint32(len(syn)))
		}
		rows.MaxDelay = ms(3)
		var rates []float64
		for _, tau := range x.taus {
			if tau == 0 {
				tau = 77
			}
			rates = append(rates, 1/tau)
		}
		for k := range x.taus {
			x.taus[k] = 1 / rates[k]
		}
		d := synapse.NewDrive(rates)
		d.Add(0, 0, make([]float64, len(rates)))
		l := NewDopamine(x.p, w, d)

		// Alone.
		var want [][]float64
		reads := []event.Time{ms(500), ms(1010), ms(4003), ms(9499)}
		for i, y := range syn {
			z := x
			z.w0, z.pre, z.post = w.WeightOf(uint32(i)), pre[y.src], post[y.j]
			z.axonal, z.dendritic = w.AxonalOf(uint32(i)), w.DendriticOf(uint32(i))
			var got []float64
			z.run(ms(end), ms(window), func(l *Dopamine, f synapse.Follower, win event.Window) {
				for _, r := range reads {
					if r >= win.Start && r < win.End {
						f.To(r)
						got = append(got, f.Read(synapse.Weight, r))
						if v := l.Weights(r)[0]; v != got[len(got)-1] {
							t.Errorf("seed %d, synapse %d, %v ms: %g, follower %g", seed, i, r, v, got[len(got)-1])
						}
					}
				}
			})
			want = append(want, got)
		}

		// Together: pieces of rows in an order of their own.
		e, at := make([]float64, len(rates)), make([]event.Time, len(rates))
		jumps := x.jumps
		pass, read := int64(1), 0
		passes := dopamineLearning(func(quantity.Values) DopamineParams { return x.p }).Settle(nil)
		type piece struct {
			src, lo, hi uint32
			at          event.Time
		}
		for s := event.Time(0); s < ms(end); s += ms(window) {
			until := s + ms(window)
			for len(jumps) > 0 && jumps[0].at < until {
				now := jumps[0].at
				for len(jumps) > 0 && jumps[0].at == now {
					j := jumps[0]
					e[j.k], at[j.k] = e[j.k]*math.Exp(-(now-at[j.k]).MS()/x.taus[j.k])+j.by, now
					jumps = jumps[1:]
				}
				var coef []float64
				for k := range e {
					coef = append(coef, e[k]*math.Exp(-(now-at[k]).MS()/x.taus[k]))
				}
				d.Add(now, 0, coef)
			}
			l.Begin(s, s)
			var pieces []piece
			for src, train := range pre {
				for _, spike := range train {
					for i := rows.Ptr[src]; i < rows.Ptr[src+1]; {
						z := i + 1
						for z < rows.Ptr[src+1] && w.AxonalOf(z) == w.AxonalOf(i) && !dendrites {
							z++
						}
						if a := spike + w.AxonalOf(i); a >= s && a < until {
							pieces = append(pieces, piece{uint32(src), i, z, a})
						}
						i = z
					}
				}
			}
			slices.SortStableFunc(pieces, func(a, b piece) int { return int(min(1, max(-1, a.at-b.at))) })
			// What arrives, if the targets fire as they will: foreseen, and then seen.
			for j, train := range post {
				for _, p := range train {
					if p >= s && p < until {
						l.Post(j, p)
					}
				}
			}
			foreseen := make([][]float64, len(pieces))
			for k, p := range pieces {
				var earlier []event.Time
				for _, q := range pieces[:k] {
					if q.src == p.src && q.lo == p.lo {
						earlier = append(earlier, q.at)
					}
				}
				foreseen[k] = make([]float64, p.hi-p.lo)
				l.Foresee(p.src, p.lo, p.hi, earlier, s, p.at, foreseen[k], make([]bool, p.hi-p.lo))
				if y := l.Peek(p.lo, p.src, earlier, p.at); y != foreseen[k][0] {
					t.Fatalf("seed %d: Peek %g, Foresee %g", seed, y, foreseen[k][0])
				}
			}
			for k, p := range pieces {
				got := make([]float64, p.hi-p.lo)
				l.Arrive(p.src, p.lo, p.hi, p.at, got)
				if !slices.Equal(got, foreseen[k]) {
					t.Fatalf("seed %d, %v ms: sent %g, foreseen %g", seed, p.at, got, foreseen[k])
				}
				if p.hi == rows.Ptr[p.src+1] {
					l.EndRow(p.src, p.at)
				}
			}
			for read < len(reads) && reads[read] < until {
				for i, y := range l.Weights(reads[read]) {
					if y != want[i][read] {
						t.Errorf("seed %d, synapse %d, %v ms: %.17g among others, %.17g alone", seed, i, reads[read], y, want[i][read])
					}
				}
				read++
			}
			for passes(pass) < until {
				l.Settle(passes(pass), true)
				pass++
			}
		}
	}
}

// TestDopamineLongSilence: pairs and rewards months apart. The clock ends at 106
// days, 9.2e6 s.
func TestDopamineLongSilence(t *testing.T) {
	for _, semantics := range []string{Exact, Nest} {
		const day = 86400e3
		x := trial{p: DopamineParams{APlus: 1, AMinus: -0.5, TauPlus: 20, TauMinus: 20, TauC: 1000, Eta: 0.01, B: 0.001, WMax: 100, Semantics: semantics}, w0: 50,
			pre: []event.Time{ms(10), ms(40 * day), ms(105 * day)}, post: []event.Time{ms(15), ms(40*day + 5), ms(105*day + 4)}, axonal: ms(1),
			taus: []float64{200, 1000}, jumps: []jumpAt{{ms(30), 0, 1}, {ms(20 * day), 0, 1e3}, {ms(40*day + 900), 1, 2}, {ms(105*day + 5000), 0, 1}}}
		l := x.run(ms(105*day+20e3), ms(3600e3), nil)
		got := l.Weights(ms(105*day + 20e3))[0]
		// Each group of events alone, its times from 0: nothing is left between them.
		want := 50.0
		for _, at := range []float64{0, 40 * day, 105 * day} {
			y := x
			y.pre, y.post, y.jumps, y.w0 = nil, nil, nil, want
			shift := func(v []event.Time) (out []event.Time) {
				for _, s := range v {
					if s >= ms(at) && s < ms(at+day) {
						out = append(out, s-ms(at))
					}
				}
				return out
			}
			y.pre, y.post = shift(x.pre), shift(x.post)
			for _, j := range x.jumps {
				if j.at >= ms(at) && j.at < ms(at+day) {
					y.jumps = append(y.jumps, jumpAt{j.at - ms(at), j.k, j.by})
				}
			}
			end := 60e3
			if at == 105*day {
				end = 20e3
			}
			want, _, _ = y.oracle(ms(end))
		}
		if math.Abs(got-want) > 1e-11 {
			t.Errorf("%s: %.15g, want %.15g", semantics, got, want)
		}
	}
}

// TestDopamineAllocates nothing once its lists are as long as they get.
func TestDopamineAllocates(t *testing.T) {
	const sources, targets = 20, 50
	rows := &synapse.Rows{Ptr: []uint32{0}, MinDelay: event.Millisecond, MaxDelay: event.Millisecond}
	for range sources {
		for j := range targets {
			rows.Target = append(rows.Target, uint16(j))
		}
		rows.Ptr = append(rows.Ptr, uint32(len(rows.Target)))
	}
	p := resolveDopamine(quantity.Values{"w_max": {Number: 4}, "b": {Number: 0.1}})
	d := synapse.NewDrive([]float64{1. / 200})
	d.Add(0, 0, []float64{0})
	l := NewDopamine(p, &synapse.Wiring{Rows: rows, Weight: 1, Targets: targets}, d)
	w := make([]float64, targets)
	now, k := event.Time(0), 0
	second := func() {
		for range 1000 {
			now += event.Millisecond
			l.Begin(now, now+event.Millisecond)
			k++
			src := uint32(k % sources)
			l.Arrive(src, rows.Ptr[src], rows.Ptr[src+1], now, w)
			l.EndRow(src, now)
			l.Post(k%targets, now)
		}
		l.Settle(now, true)
	}
	for range 5 {
		second()
	}
	if n := testing.AllocsPerRun(5, second); n > 0 {
		t.Errorf("%v allocations in 1000 rows and post spikes", n)
	}
}
