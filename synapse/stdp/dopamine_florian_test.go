package stdp

import (
	"math"
	"testing"

	"hmn/event"
	"hmn/event/quantity"
	"hmn/synapse"
)

// florianStep is one synapse by the recursions of Florian 2007,
// step by step of h:
//
//	P⁺ ← P⁺ e^{−h/τ_+} + A_+ f_pre,  P⁻ ← P⁻ e^{−h/τ_−} + A_− f_post,
//	ζ = P⁺ f_post + P⁻ f_pre,
//	z ← z e^{−h/τ_z} + ζ/τ_z,  w ← w + γ r z h    (MSTDPET)
//	w ← w + γ r ζ                                (MSTDP, tau_z = 0)
//
// with spikes that meet in one step left unpaired.
func florianStep(x *trial, tauZ, h, end float64) float64 {
	at := func(list []float64, n int) bool {
		for _, t := range list {
			if int(math.Round(t/h)) == n {
				return true
			}
		}
		return false
	}
	var pre, post []float64
	for _, s := range x.pre {
		pre = append(pre, (s + x.axonal).MS())
	}
	for _, s := range x.post {
		post = append(post, s.MS())
	}
	p, q, z, r, w := 0.0, 0.0, 0.0, 0.0, x.w0
	aPlus, aMinus := x.p.APlus, x.p.AMinus
	if tauZ > 0 {
		aPlus, aMinus = aPlus*tauZ, aMinus*tauZ // resolved ones are divided
	}
	for n := 0; float64(n)*h < end; n++ {
		for _, j := range x.jumps {
			if int(math.Round(j.at.MS()/h)) == n {
				r += j.by
			}
		}
		fPre, fPost := at(pre, n), at(post, n)
		p, q = p*math.Exp(-h/x.p.TauPlus), q*math.Exp(-h/x.p.TauMinus)
		zeta := 0.0
		if fPost {
			zeta += p
		}
		if fPre {
			zeta += q
		}
		if fPre {
			p += aPlus
		}
		if fPost {
			q += aMinus
		}
		if tauZ > 0 {
			z = z*math.Exp(-h/tauZ) + zeta/tauZ
			w += x.p.Eta * r * z * h
		} else {
			w += x.p.Eta * r * zeta
		}
		w = max(x.p.WMin, min(x.p.WMax, w))
	}
	return w
}

// florianTrial has pairs in both orders, a reward of 1 and a punishment.
func florianTrial(tauZ float64) trial {
	x := trial{p: resolveFlorian(quantity.Values{"tau_z": {Number: tauZ}, "gamma": {Number: 0.05}, "w_max": {Number: 2}}), w0: 1, axonal: ms(1), taus: []float64{0}}
	for _, t := range []float64{10, 60, 110, 115, 200, 230, 300} {
		x.pre = append(x.pre, ms(t))
	}
	for _, t := range []float64{16, 58, 113, 119, 204, 226, 311} {
		x.post = append(x.post, ms(t))
	}
	x.jumps = []jumpAt{{ms(15), 0, 1}, {ms(75), 0, -1}, {ms(112), 0, -1}, {ms(180), 0, 1.5}, {ms(310), 0, -0.5}}
	return x
}

// TestFlorianTraces: MSTDP is the paper's recursion whatever the step, since all
// happens at spikes; MSTDPET is what its recursion tends to, and halving the step
// halves the difference.
func TestFlorianTraces(t *testing.T) {
	x := florianTrial(0)
	got := x.run(ms(500), ms(0.5), nil).Weights(ms(500))[0]
	if want := florianStep(&x, 0, 1, 500); math.Abs(got-want) > 1e-14 || got == 1 {
		t.Errorf("MSTDP: %.17g, recursion %.17g", got, want)
	}
	x = florianTrial(25)
	got = x.run(ms(500), ms(0.5), nil).Weights(ms(500))[0]
	before := 0.0
	for _, h := range []float64{0.5, 0.25, 0.125, 0.0625} {
		d := florianStep(&x, 25, h, 500) - got
		if before != 0 && math.Abs(before/d-2) > 0.1 {
			t.Errorf("MSTDPET: step %g ms off by %.3g, twice as long a one by %.3g", h, d, before)
		}
		before = d
	}
	if math.Abs(before) > 1e-3 || got == 1 {
		t.Errorf("MSTDPET: %.12g, off by %.3g at the finest step", got, before)
	}
}

// TestFlorianPair: one pair and a reward of constant size, by hand.
func TestFlorianPair(t *testing.T) {
	x := trial{p: resolveFlorian(quantity.Values{"tau_z": {Number: 25}, "gamma": {Number: 0.1}, "w_max": {Number: 2}}), w0: 1, axonal: ms(1), taus: []float64{0},
		pre: []event.Time{ms(9)}, post: []event.Time{ms(15)}, jumps: []jumpAt{{ms(20), 0, 1}, {ms(30), 0, -1}}}
	want := 1 + 0.1*math.Exp(-5./20)*(math.Exp(-5./25)-math.Exp(-15./25))
	var got, z float64
	x.run(ms(100), ms(1), func(_ *Dopamine, f synapse.Follower, w event.Window) {
		if w.Start == ms(50) {
			f.To(w.Start)
			got, z = f.Read(synapse.Weight, w.Start), f.Read("eligibility", w.Start)
		}
	})
	if math.Abs(got-want) > 1e-15 {
		t.Errorf("weight %.17g, want %.17g", got, want)
	}
	if e := math.Exp(-5./20-35./25) / 25; math.Abs(z-e) > 1e-16 {
		t.Errorf("z %.17g, want %.17g", z, e)
	}
}
