package network

import (
	"math"

	"hmn/event"
)

// bias is the homeostatic bias of a spiking population (HMN paper, Eq. 1): b
// grows by eta_b r_target per ms and falls by eta_b at a spike. It acts from ticks
// on, at which windows end, as a change of current; at a tick it is exact.
type bias struct {
	eta, target float64 // pA, 1/ms
	hold        event.Time
}

func (n *Network) makeBiases() {
	for _, p := range n.pops {
		if p.lin == nil {
			continue
		}
		v := p.desc.Params
		eta := p.model.Number(v, "eta_b")
		if eta == 0 {
			continue
		}
		hold, _, _ := event.FromMS(p.model.Number(v, "bias_hold")) // in range
		p.bias = &bias{eta: eta, target: p.model.Number(v, "r_target") / 1000, hold: max(hold, 1)}
	}
}

// nextBias is the next tick of a bias.
func (n *Network) nextBias() event.Time {
	t := event.MaxTime
	for _, p := range n.pops {
		if p.bias != nil {
			t = min(t, n.now-n.now%p.bias.hold+p.bias.hold)
		}
	}
	return t
}

// adapt enters the changes of the bias when the window starts at a tick, before
// all else that happens then.
func (b *linearBlock) adapt(w event.Window) {
	h := b.pop.bias
	if h == nil {
		return
	}
	if len(b.levels) == 0 {
		b.steps = b.steps[:0]
	}
	if w.Start == 0 || w.Start%h.hold != 0 {
		return
	}
	first := len(b.steps)
	grown := float64(h.target * h.hold.MS())
	for i, k := range b.fires {
		b.steps = append(b.steps, levelHit{src: math.MaxUint32, i: uint16(i), amps: float64(h.eta * (grown - float64(k)))})
		b.fires[i] = 0
	}
	// Stable: what comes at the start of the window follows.
	b.steps = append(b.steps[first:len(b.steps):len(b.steps)], b.steps[:first]...)
}
