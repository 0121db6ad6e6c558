package validation

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"hmn/event"
	"hmn/event/quantity"
	"hmn/network"
	"hmn/synapse"
)

// What synapses transmit: short-term plasticity and stochastic release, read from
// exponential currents, I(t) = Σ w_k e^{−(t−t_k)/τ_syn} over arrivals.

// tsodyksOracle is Tsodyks & Markram 1997, doi:10.1073/pnas.94.2.719, as Maass &
// Markram 2002 write it: dx/dt = (1 − x)/τ_rec, du/dt = −u/τ_fac, and at a spike
// u += U (1 − u), then u x is transmitted and taken from x.
type tsodyksOracle struct {
	U, tauRec, tauFac, x0, u0 float64
}

func (o tsodyksOracle) values() quantity.Values {
	return values("U", o.U, "tau_rec", o.tauRec, "tau_fac", o.tauFac, "x0", o.x0, "u0", o.u0)
}

// gains are u x at each spike.
func (o tsodyksOracle) gains(spikes []event.Time) (u, x []real) {
	left := func(d event.Time, tau float64) real {
		if tau == 0 {
			return fresh()
		}
		return decays(d, tau)
	}
	nowX, nowU, last := num(o.x0), num(o.u0), event.Time(0)
	for _, t := range spikes {
		nowX = minus(whole(1), times(minus(whole(1), nowX), left(t-last, o.tauRec)))
		nowU = times(nowU, left(t-last, o.tauFac))
		nowU = plus(nowU, times(num(o.U), minus(whole(1), nowU)))
		u, x = append(u, nowU), append(x, nowX)
		nowX, last = minus(nowX, times(nowU, nowX)), t
	}
	return u, x
}

const tauSyn = 50.0 // of the neurons that show what arrives

// integrators are neurons that never fire.
func integrators(n int) network.Population {
	return population("post", n, "iaf_psc_exp", values("C_m", 1000.0, "tau_m", 10.0, "E_L", 0.0, "V_th", 1e6, "V_reset", 0.0, "tau_syn_ex", tauSyn, "tau_syn_in", tauSyn), nil)
}

// checkShortTerm compares currents, and steady states.
func checkShortTerm(t *testing.T, mode mode) (rows []Check) {
	if _, ok := synapse.Lookup("tsodyks2"); !ok {
		return nil
	}
	kinds := []struct {
		name string
		o    tsodyksOracle
	}{
		{"depressing", tsodyksOracle{U: 0.5, tauRec: 800, x0: 1}},
		{"facilitating", tsodyksOracle{U: 0.05, tauRec: 20, tauFac: 1000, x0: 1}},
		{"both, from x0 and u0", tsodyksOracle{U: 0.2, tauRec: 300, tauFac: 450, x0: 0.3, u0: 0.6}},
		{"recovers at once", tsodyksOracle{U: 0.2, tauRec: 0, tauFac: 450, x0: 1}},
		{"U = 1", tsodyksOracle{U: 1, tauRec: 130, x0: 1}},
		{"U = 0, u0 = 1", tsodyksOracle{U: 0, tauRec: 130, tauFac: 200, x0: 0, u0: 1}},
	}
	spikes := []int{300, 3000, 10_000}[mode]
	for k, kind := range kinds {
		rng := rand.New(rand.NewPCG(20, uint64(k)))
		var trainsOf [][]event.Time
		trainsOf = append(trainsOf, randomTrain(rng, 20, event.Time(spikes)*ms(50)), randomTrain(rng, 100, event.Time(spikes)*ms(10)))
		burst := []event.Time{0, ms(0.001), ms(0.002), ms(5), ms(5.000000001), ms(10), ms(20), ms(400), ms(4000), ms(4001)}
		trainsOf = append(trainsOf, burst)
		for _, short := range []bool{false, true} { // the model itself, and a stage of another
			p := network.Projection{Name: "in", Source: "pre", Target: "post", Rule: network.EdgeList, Autapses: true, Multapses: true, Synapse: "static"}
			if short {
				p.ShortTerm = network.ShortTerm{Model: "tsodyks2", Params: kind.o.values()}
			} else {
				p.Synapse, p.SynapseParams = "tsodyks2", kind.o.values()
			}
			weights := []float64{1.5, -0.75, 2}
			delays := [][2]event.Time{{0, ms(1)}, {ms(2.3), ms(0.4)}, {ms(7), 0}}
			for i := range trainsOf {
				p.Edges = append(p.Edges, edge(i, i, weights[i], delays[i][0], delays[i][1]))
			}
			end := event.Time(0)
			for _, x := range trainsOf {
				end = max(end, x[len(x)-1])
			}
			m := &network.Model{Populations: []network.Population{trains("pre", trainsOf...), integrators(3)},
				Projections: []network.Projection{p}, Records: []network.Record{record("I_syn", "post", ms(5))}}
			r := play(t, m, end+ms(20))
			worst, samples := 0.0, 0
			for i := range trainsOf {
				u, x := kind.o.gains(trainsOf[i])
				at, v := r.signal(0, i)
				want, scale := fresh(), fresh()
				last, next := event.Time(0), 0
				for n, s := range at {
					for ; next < len(u) && trainsOf[i][next]+delays[i][0]+delays[i][1] <= s; next++ {
						arrival := trainsOf[i][next] + delays[i][0] + delays[i][1]
						decay := decays(arrival-last, tauSyn)
						jump := times(num(weights[i]), u[next], x[next])
						want, scale = plus(times(want, decay), jump), plus(times(scale, decay), magnitude(jump))
						last = arrival
					}
					decay := decays(s-last, tauSyn)
					want, scale, last = times(want, decay), times(scale, decay), s
					if scale.Sign() == 0 {
						continue
					}
					samples++
					worst = math.Max(worst, math.Abs(double(minus(num(v[n]), want)))/(double(scale)+1e-3*math.Abs(weights[i])*kind.o.floor()))
				}
			}
			name := "tsodyks2, " + kind.name
			if short {
				name += ", as short_term of static"
			}
			rows = append(rows, Check{Name: name + ": worst I_syn", Unit: "Σ|w u x|", Expected: 0, Got: worst, Tolerance: 1e-12,
				Why: fmt.Sprintf("the closed form from spike to spike in 128 digits; %d samples of trains of 20 and 100 Hz and a burst", samples)})
		}
	}
	// Steady states.
	for _, hz := range []float64{5, 20, 50} {
		for _, kind := range kinds[:3] {
			o := kind.o
			step := event.Time(1e12 / hz)
			var train []event.Time
			for k := event.Time(1); k <= event.Time(40*hz); k++ { // 40 s: e^−40 of what was at first is left
				train = append(train, k*step-ms(1))
			}
			p := edges("pre", "post", edge(0, 0, 1, 0, ms(1)))
			p.Synapse, p.SynapseParams = "tsodyks2", o.values()
			m := &network.Model{Populations: []network.Population{trains("pre", train), integrators(1)},
				Projections: []network.Projection{p}, Records: []network.Record{record("I_syn", "post", step)}}
			r := play(t, m, train[len(train)-1]+ms(1)+1)
			_, v := r.signal(0, 0)
			got := v[len(v)-1] - v[len(v)-2]*math.Exp(-step.MS()/tauSyn)
			keep := math.Exp(-step.MS() / o.tauRec)
			u := o.U
			if o.tauFac > 0 {
				u = o.U / (1 - (1-o.U)*math.Exp(-step.MS()/o.tauFac))
			}
			rows = append(rows, Check{Name: fmt.Sprintf("tsodyks2, %s, %v Hz: steady state of u x", kind.name, hz), Unit: "1", Expected: u * (1 - keep) / (1 - (1-u)*keep), Got: got, Tolerance: 1e-12,
				Why: "u = U/(1 − (1−U) e^{−Δ/τ_fac}), x = (1 − e^{−Δ/τ_rec})/(1 − (1−u) e^{−Δ/τ_rec}); after 40 s, from the difference of two samples"})
		}
	}
	return rows
}

// floor is a share of the weight below which the current counts as rounding of
// what was there before.
func (o tsodyksOracle) floor() float64 {
	return max(o.U, o.u0*(1-o.U))
}

// checkRelease is the statistics of stochastic release: k of n sites is binomial.
func checkRelease(t *testing.T, mode mode) (rows []Check) {
	if _, ok := synapse.Lookup("tsodyks2"); !ok {
		return nil
	}
	n := []int{400, 2000, 10_000}[mode]
	const spikes = 12
	step := ms(20)
	var train []event.Time
	for k := event.Time(1); k <= spikes; k++ {
		train = append(train, k*step-ms(1))
	}
	const w = 3.0
	for _, c := range []struct {
		name  string
		rel   synapse.Release
		stage *tsodyksOracle
	}{
		{"1 site, p = 0.3", synapse.Release{Sites: 1, P: 0.3}, nil},
		{"7 sites, p = 0.5", synapse.Release{Sites: 7, P: 0.5}, nil},
		{"100 sites, p = 0.05", synapse.Release{Sites: 100, P: 0.05}, nil},
		{"5 sites, p = 1", synapse.Release{Sites: 5, P: 1}, nil},
		{"5 sites behind tsodyks2", synapse.Release{Sites: 5}, &tsodyksOracle{U: 0.4, tauRec: 150, tauFac: 80, x0: 1}},
		{"1 site behind tsodyks2", synapse.Release{Sites: 1}, &tsodyksOracle{U: 0.3, tauRec: 60, tauFac: 0, x0: 0.5}},
	} {
		// One source onto n neurons: synapses of one source release independently.
		p := network.Projection{Name: "in", Source: "pre", Target: "post", Rule: network.AllToAll, Autapses: true, Multapses: true,
			Synapse: "static", Weight: constant(w), Dendritic: constant(1), Release: c.rel}
		if c.stage != nil {
			p.ShortTerm = network.ShortTerm{Model: "tsodyks2", Params: c.stage.values()}
		}
		m := &network.Model{Simulation: network.Simulation{Seed: 11}, Populations: []network.Population{trains("pre", train), integrators(n)},
			Projections: []network.Projection{p}, Records: []network.Record{record("I_syn", "post", step)}}
		r := play(t, m, train[spikes-1]+ms(1)+1)
		k := make([][]float64, spikes) // sites released, by spike and synapse
		odd := 0
		for s := range spikes {
			k[s] = make([]float64, n)
			for i := range n {
				jump := r.samples[s+1].values[i] - r.samples[s].values[i]*math.Exp(-step.MS()/tauSyn)
				x := jump / w * float64(c.rel.Sites)
				k[s][i] = math.Round(x)
				if math.Abs(x-k[s][i]) > 1e-9 || k[s][i] < 0 || k[s][i] > float64(c.rel.Sites) {
					odd++
				}
			}
		}
		rows = append(rows, Check{Name: c.name + ": releases that are no k of n", Unit: "1", Expected: 0, Got: float64(odd), Why: "a whole number of quanta w/n, from 0 to n"})
		prob, refill := make([]float64, spikes), make([]float64, spikes)
		for s := range prob {
			prob[s] = c.rel.P
		}
		if c.stage != nil {
			u, x := c.stage.gains(train)
			for s := range prob {
				prob[s] = double(u[s]) * double(x[s])
				refill[s] = double(u[s]) * (1 - math.Exp(-step.MS()/c.stage.tauRec)) // a site that has just released does so again
			}
		}
		sites := float64(c.rel.Sites)
		// Sums over spikes of standardised means, variances and lag covariances.
		worstMean, worstVar, worstLag, worstPair := 0.0, 0.0, 0.0, 0.0
		for s := range spikes {
			q := prob[s]
			variance := sites * q * (1 - q)
			mean, square, lag, pair := 0.0, 0.0, 0.0, 0.0
			for i, x := range k[s] {
				d := x - sites*q
				mean += d
				square += d * d
				if s > 0 {
					lag += d * (k[s-1][i] - sites*prob[s-1])
				}
				if i%2 == 1 {
					pair += d * (k[s][i-1] - sites*q)
				}
			}
			if variance == 0 {
				worstMean = math.Max(worstMean, math.Abs(mean))
				continue
			}
			N := float64(n)
			fourth := variance * (1 + 3*variance*(1-2/sites)) // central moment of the binomial: npq(1 + 3pq(n−2))
			worstMean = math.Max(worstMean, math.Abs(mean/N)/math.Sqrt(variance/N))
			worstVar = math.Max(worstVar, math.Abs(square/N-variance)/math.Sqrt((fourth-variance*variance)/N))
			worstPair = math.Max(worstPair, math.Abs(pair/(N/2))/math.Sqrt(variance*variance/(N/2)))
			if s > 0 {
				// A site that released at the spike before is empty since, and does so
				// with probability refill now; without a stage sites forget.
				want := 0.0
				if c.stage != nil {
					want = sites * prob[s-1] * (refill[s] - q)
				}
				before := sites * prob[s-1] * (1 - prob[s-1])
				worstLag = math.Max(worstLag, math.Abs(lag/N-want)/math.Sqrt((variance*before+want*want+math.Abs(want))/N))
			}
		}
		// 12 spikes: the worst of 12 normal numbers is beyond 4.5 with probability 8e-5.
		why := fmt.Sprintf("in standard errors; the worst of %d spikes at %d synapses of one source; beyond 4.5 with probability 8e-5", spikes, n)
		rows = append(rows,
			Check{Name: "… mean of k", Unit: "s.e.", Expected: 0, Got: worstMean, Tolerance: 4.5, Why: "n p, n u x behind a stage; " + why},
			Check{Name: "… variance of k", Unit: "s.e.", Expected: 0, Got: worstVar, Tolerance: 4.5, Why: "n p (1−p): sites are independent, behind a stage too; " + why},
			Check{Name: "… covariance of neighbours", Unit: "s.e.", Expected: 0, Got: worstPair, Tolerance: 4.5, Why: "0: synapses of one source release independently; " + why},
			Check{Name: "… covariance with the spike before", Unit: "s.e.", Expected: 0, Got: worstLag, Tolerance: 4.5, Why: "0, or n p_1 (u_2 (1 − e^{−Δ/τ_rec}) − p_2): a site that has just released is empty; " + why})
	}
	return rows
}
