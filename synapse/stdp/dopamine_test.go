package stdp

import (
	"cmp"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"hmn/event"
	"hmn/event/quantity"
	"hmn/synapse"
)

func ms(x float64) event.Time { return event.Time(math.Round(x * 1e9)) }

// trial is one synapse with everything that happens to it, as it sees it but
// for the delays: arrival = pre + axonal, post spike = post + dendritic.
type trial struct {
	p         DopamineParams
	w0        float64
	pre, post []event.Time
	axonal    event.Time
	dendritic event.Time
	taus      []float64 // of the modulators; 0: held
	jumps     []jumpAt
}

type jumpAt struct {
	at event.Time
	k  int
	by float64
}

// run lets the rule go through a trial in windows of the given length, up to
// end, and returns the learner and a follower of its synapse.
func (x *trial) run(end, window event.Time, read func(*Dopamine, synapse.Follower, event.Window)) *Dopamine {
	var rates []float64
	column := make([]int, len(x.taus))
	for k, tau := range x.taus {
		column[k] = -1
		if tau > 0 {
			column[k] = len(rates)
			rates = append(rates, 1/tau)
		}
	}
	d := synapse.NewDrive(rates)
	d.Add(0, 0, make([]float64, len(rates)))
	e, at := make([]float64, len(x.taus)), make([]event.Time, len(x.taus))
	value := func(k int, t event.Time) float64 {
		if x.taus[k] == 0 {
			return e[k]
		}
		return e[k] * math.Exp(-(t-at[k]).MS()/x.taus[k])
	}
	rows := &synapse.Rows{Ptr: []uint32{0, 1}, Target: []uint16{0}, MinDelay: x.axonal, MaxDelay: x.axonal}
	l := NewDopamine(x.p, &synapse.Wiring{Rows: rows, Dendritic: x.dendritic, Weight: x.w0, Targets: 1}, d)
	f := l.Follow(0, 0)
	pre, post, jumps := x.pre, x.post, x.jumps
	expect := x.pre
	pass := int64(1)
	passes := dopamineLearning(func(quantity.Values) DopamineParams { return x.p }).Settle(nil)
	for s := event.Time(0); s < end; s += window {
		w := event.Window{Start: s, End: s + window}
		for len(jumps) > 0 && jumps[0].at < w.End {
			t := jumps[0].at
			for len(jumps) > 0 && jumps[0].at == t {
				j := jumps[0]
				e[j.k], at[j.k] = value(j.k, t)+j.by, t
				jumps = jumps[1:]
			}
			base, coef := 0.0, make([]float64, len(rates))
			for k := range x.taus {
				if column[k] < 0 {
					base += value(k, t)
				} else {
					coef[column[k]] = value(k, t)
				}
			}
			d.Add(t, base, coef)
		}
		l.Begin(w.Start, w.Start)
		arrive := func() {
			t := pre[0] + x.axonal
			pre = pre[1:]
			l.Arrive(0, 0, 1, t, nil)
			l.EndRow(0, t)
		}
		if len(pre) > 0 && pre[0]+x.axonal == w.Start { // post spikes before it are known
			arrive()
		}
		for len(post) > 0 && post[0] < w.End {
			l.Post(0, post[0])
			post = post[1:]
		}
		for len(pre) > 0 && pre[0]+x.axonal < w.End {
			arrive()
		}
		for len(expect) > 0 && expect[0] < w.End {
			f.Expect(expect[0])
			expect = expect[1:]
		}
		if read != nil {
			read(l, f, w)
		}
		for passes(pass) < w.End {
			f.To(passes(pass))
			l.Settle(passes(pass), true)
			pass++
		}
	}
	return l
}

// oracle is the weight and the eligibility at t by the definitions: pairs are
// summed one by one, and the weight is integrated by Gauss–Legendre quadrature
// between instants at which anything happens or D, found on a fine scan, changes
// its sign. scale is Σ |contributions| to the weight.
func (x *trial) oracle(t event.Time) (w, c, scale float64) {
	p := &x.p
	type jump struct {
		at float64
		by float64
	}
	var arr, posts []float64
	for _, s := range x.pre {
		arr = append(arr, float64(s+x.axonal)/1e9)
	}
	for _, s := range x.post {
		posts = append(posts, float64(s+x.dendritic)/1e9)
	}
	sum := func(of []float64, at, tau float64) float64 { // strictly before at
		v := 0.0
		for _, s := range of {
			if s < at {
				if p.Set {
					v = 0
				}
				v += math.Exp(-(at - s) / tau)
			}
		}
		return v
	}
	var js []jump
	for _, q := range posts {
		js = append(js, jump{q, p.APlus * sum(arr, q, p.TauPlus)})
	}
	for _, a := range arr {
		js = append(js, jump{a, p.AMinus * sum(posts, a, p.TauMinus)})
	}
	elig := func(at float64) float64 {
		v := 0.0
		for _, j := range js {
			if j.at <= at {
				v += j.by * math.Exp(-(at-j.at)/p.TauC)
			}
		}
		return v
	}
	drive := func(at float64) float64 { // right of at
		v := -p.B
		for _, j := range x.jumps {
			if u := float64(j.at) / 1e9; u <= at {
				y := j.by
				if x.taus[j.k] > 0 {
					if p.Semantics == Nest {
						y /= x.taus[j.k]
					}
					y *= math.Exp(-(at - u) / x.taus[j.k])
				}
				v += y
			}
		}
		return p.Eta * v
	}
	end := float64(t) / 1e9
	cuts := []float64{0, end}
	for _, j := range js {
		cuts = append(cuts, j.at)
	}
	for _, j := range x.jumps {
		cuts = append(cuts, float64(j.at)/1e9)
	}
	slices.Sort(cuts)
	cuts = slices.Compact(cuts)
	gauss := func(f func(float64) float64, a, b float64) float64 {
		nodes := []float64{0.1488743389816312, 0.4333953941292472, 0.6794095682990244, 0.8650633666889845, 0.9739065285171717}
		weights := []float64{0.2955242247147529, 0.2692667193099964, 0.2190863625159820, 0.1494513491505806, 0.0666713443086881}
		v := 0.0
		for k, z := range nodes {
			h := (b - a) / 2
			v += weights[k] * h * (f(a+h+h*z) + f(a+h-h*z))
		}
		return v
	}
	w = x.w0
	for i := 0; i+1 < len(cuts) && cuts[i] < end; i++ {
		a, b := cuts[i], min(cuts[i+1], end)
		// Values in the open interval: from its left end on.
		mid := a
		f := func(s float64) float64 { return elig(mid) * math.Exp(-(s-mid)/p.TauC) * driveFrom(drive, x, mid, s) }
		n := int(math.Ceil((b-a)/4)) + 1
		whole := w
		for k := range n {
			lo, hi := a+(b-a)*float64(k)/float64(n), a+(b-a)*float64(k+1)/float64(n)
			parts := []float64{lo}
			if flo, fhi := driveFrom(drive, x, mid, lo), driveFrom(drive, x, mid, hi); flo*fhi < 0 {
				l, h := lo, hi
				for range 80 {
					m := (l + h) / 2
					if driveFrom(drive, x, mid, m)*flo > 0 {
						l = m
					} else {
						h = m
					}
				}
				parts = append(parts, l)
			}
			parts = append(parts, hi)
			for q := 0; q+1 < len(parts); q++ {
				g := gauss(f, parts[q], parts[q+1])
				scale += math.Abs(g)
				if p.Semantics == Nest {
					whole += g
				} else {
					w = max(p.WMin, min(p.WMax, w+g))
				}
			}
		}
		if p.Semantics == Nest {
			w = max(p.WMin, min(p.WMax, whole))
		}
	}
	return w, elig(end), scale
}

// driveFrom is D at s of what has jumped up to a.
func driveFrom(drive func(float64) float64, x *trial, a, s float64) float64 {
	v := -x.p.B
	for _, j := range x.jumps {
		if u := float64(j.at) / 1e9; u <= a {
			y := j.by
			if x.taus[j.k] > 0 {
				if x.p.Semantics == Nest {
					y /= x.taus[j.k]
				}
				y *= math.Exp(-(s - u) / x.taus[j.k])
			}
			v += y
		}
	}
	return x.p.Eta * v
}

// TestDopamineReference is the single synapse of the specification.
func TestDopamineReference(t *testing.T) {
	x := trial{
		p:  DopamineParams{APlus: 1, AMinus: -1.05, TauPlus: 10, TauMinus: 10, TauC: 1000, Eta: 0.1, WMax: 100, Semantics: Exact},
		w0: 1, pre: []event.Time{ms(1499), ms(2399)}, post: []event.Time{ms(1504)}, axonal: ms(1),
		taus: []float64{200}, jumps: []jumpAt{{ms(1601), 0, 1}},
	}
	kappa := 1.0/1000 + 1.0/200
	want := 1 + 0.1*math.Exp(-0.4)*math.Exp(-0.097)*(1-math.Exp(-799*kappa))/kappa
	got := 0.0
	x.run(ms(2500), ms(1), func(l *Dopamine, f synapse.Follower, w event.Window) {
		if w.Start == ms(2400) {
			f.To(ms(2400))
			got = f.Read(synapse.Weight, ms(2400))
		}
	})
	if math.Abs(want-11.0552710) > 5e-8 || math.Abs(got-want) > 1e-13*10 {
		t.Errorf("weight %.12f at 2400 ms, want %.12f", got, want)
	}
	// science.md: a pair 7 ms apart, dopamine 0.5 one second later, read when all is over.
	x = trial{p: DopamineParams{APlus: 1, TauPlus: 20, TauMinus: 20, TauC: 1000, Eta: 0.1, WMax: 100, Semantics: Exact}, axonal: ms(1),
		pre: []event.Time{ms(0)}, post: []event.Time{ms(8)}, taus: []float64{200}, jumps: []jumpAt{{ms(1008), 0, 0.5}}}
	if got := x.run(ms(60000), ms(10), nil).Weights(ms(60000))[0]; math.Abs(got-2.160336) > 5e-7 {
		t.Errorf("single pair: %.9f, want 2.160336", got)
	}
}

// randomTrial draws spikes, jumps and constants.
func randomTrial(rng *rand.Rand, length float64, semantics string) trial {
	pick := func(x ...float64) float64 { return x[rng.IntN(len(x))] }
	x := trial{p: DopamineParams{
		APlus: rng.Float64() + 0.1, AMinus: -1.5 * rng.Float64(), TauPlus: pick(10, 20, 50), TauMinus: pick(10, 20, 33.7),
		TauC: pick(1, 20, 50, 200, 1000, 1e5, 1e7), Eta: pick(0.001, 0.01, 0.1), B: pick(0, 0.05, -0.02, 0.3), Set: rng.IntN(2) == 0, Semantics: semantics,
	}, axonal: ms(1), dendritic: ms(pick(0, 0.5, 3))}
	x.p.WMin, x.p.WMax = pick(0, 0.2), pick(1, 4, 1000)
	x.w0 = x.p.WMin + rng.Float64()*(min(x.p.WMax, 2)-x.p.WMin)
	train := func(n int) []event.Time {
		var out []event.Time
		for range n {
			out = append(out, ms(math.Floor(rng.Float64()*length*8)/8))
		}
		slices.Sort(out)
		return slices.Compact(out)
	}
	x.pre, x.post = train(3+rng.IntN(40)), train(3+rng.IntN(40))
	for k := range rng.IntN(3) + 1 {
		x.taus = append(x.taus, pick(5, 20, 200, x.p.TauC))
		if semantics == Exact && rng.IntN(5) == 0 {
			x.taus[k] = 0
		}
		for _, at := range train(rng.IntN(12)) {
			x.jumps = append(x.jumps, jumpAt{at, k, pick(1, 0.5, -0.7, 3)})
		}
	}
	slices.SortStableFunc(x.jumps, func(a, b jumpAt) int { return cmp.Compare(a.at, b.at) })
	return x
}

// daspnetOracle is the program of Izhikevich 2007 for one synapse, step by step, in
// the order of its lines, from spikes as its neurons are stamped: at the start of
// the step in which v reaches 30 mV, so that the program finds them in the next.
// weights[n] is the weight during step n, seen[n] the eligibility.
func (x *trial) daspnetOracle(steps int) (weights, seen []float64) {
	found := func(list []event.Time) map[int]bool {
		m := map[int]bool{}
		for _, t := range list {
			m[int(t/event.Millisecond)+1] = true
		}
		return m
	}
	pre, post := found(x.pre), found(x.post)
	reward := map[int]float64{}
	for _, j := range x.jumps {
		reward[int(j.at/event.Millisecond)] += j.by
	}
	s, sd, da := x.w0, 0.0, reward[0]
	sPre, sPost := 0.0, 0.0
	for n := range steps {
		before := sPre
		sPre, sPost = sPre*0.95, sPost*0.95
		if post[n] {
			sPost = 0.1
			sd += before
		}
		if pre[n] {
			sPre = 0.1
			sd -= 1.5 * sPost
		}
		weights, seen = append(weights, s), append(seen, sd)
		da *= 0.995
		if (n+1)%10 == 0 {
			s = max(x.p.WMin, min(x.p.WMax, s+x.p.Eta*(da-x.p.B)*sd))
			sd *= 0.99
		}
		da += reward[n+1]
	}
	return weights, seen
}

// TestDaspnetAgainstProgram: the rule with semantics daspnet is the program.
func TestDaspnetAgainstProgram(t *testing.T) {
	hits := 0
	for seed := range uint64(60) {
		rng := rand.New(rand.NewPCG(seed, 5))
		x := trial{p: resolveDopamine(quantity.Values{"semantics": {Text: Daspnet}, "w_max": {Number: 4}}), w0: 4 * rng.Float64(), axonal: ms(1), taus: []float64{decayTime(0.995, 1)}}
		if seed%2 == 1 {
			x.p.B = 0.1 // D changes its sign
			x.p.Eta = 3
		}
		steps := 3000
		train := func(n int) []event.Time {
			var out []event.Time
			for range n {
				out = append(out, ms(float64(rng.IntN(steps))))
			}
			slices.Sort(out)
			return slices.Compact(out)
		}
		x.pre, x.post = train(100), train(100)
		for _, at := range train(10) {
			x.jumps = append(x.jumps, jumpAt{at, 0, 0.5})
		}
		w, sd := x.daspnetOracle(steps)
		x.run(ms(float64(steps)), ms(1), func(l *Dopamine, f synapse.Follower, win event.Window) {
			if rng.IntN(10) > 0 {
				return
			}
			n := int(win.Start / event.Millisecond)
			f.To(win.Start)
			got, c := f.Read(synapse.Weight, win.Start), f.Read("eligibility", win.Start)
			if w[n] == 0 || w[n] == 4 {
				hits++
			}
			if math.Abs(got-w[n]) > 1e-11 || math.Abs(l.Weights(win.Start)[0]-got) != 0 {
				t.Errorf("seed %d, step %d: weight %.15g, program %.15g", seed, n, got, w[n])
			}
			if math.Abs(c-sd[n]) > 1e-12 {
				t.Errorf("seed %d, step %d: eligibility %.15g, program %.15g", seed, n, c, sd[n])
			}
		})
	}
	if hits < 50 {
		t.Errorf("%d reads at a bound", hits)
	}
}

// TestDopamineAgainstQuadrature: weights and eligibilities at many instants of
// random trials, with bounds that are met inside of intervals.
func TestDopamineAgainstQuadrature(t *testing.T) {
	worst, hits := 0.0, 0
	for seed := range uint64(120) {
		rng := rand.New(rand.NewPCG(seed, 4))
		x := randomTrial(rng, 400, []string{Exact, Nest}[seed%2])
		window := ms([]float64{0.5, 1}[rng.IntN(2)])
		x.run(ms(420), window, func(l *Dopamine, f synapse.Follower, w event.Window) {
			if rng.IntN(30) > 0 {
				return
			}
			at := w.Start + event.Time(rng.Int64N(int64(w.Len())))
			f.To(at)
			got, elig := f.Read(synapse.Weight, at), f.Read("eligibility", at)
			want, c, scale := x.oracle(at)
			if want == x.p.WMin || want == x.p.WMax {
				hits++
			}
			worst = max(worst, math.Abs(got-want)/(scale+1e-3))
			if math.Abs(got-want) > 1e-12*(scale+math.Abs(want)) {
				t.Errorf("seed %d, %v ms: weight %.17g, want %.17g (contributions %g)", seed, at, got, want, scale)
			}
			if math.Abs(elig-c) > 1e-12*float64(len(x.pre)*len(x.post)) {
				t.Errorf("seed %d, %v ms: eligibility %.17g, want %.17g", seed, at, elig, c)
			}
			if s := l.Weights(at)[0]; s != got {
				t.Errorf("seed %d, %v ms: Weights %.17g, follower %.17g", seed, at, s, got)
			}
		})
	}
	t.Logf("largest difference %.2g of the contributions; %d reads at a bound", worst, hits)
	if hits < 50 {
		t.Errorf("%d reads at a bound: the test shows nothing about bounds", hits)
	}
}
