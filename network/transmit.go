package network

import (
	"fmt"

	"hmn/event/quantity"
	"hmn/event/random"
	"hmn/synapse"
)

// ShortTerm names the short-term stage of a projection, a model of the synapse
// package's table that has one. The zero value is none.
type ShortTerm struct {
	Model  string
	Params quantity.Values
}

// stage is the short-term stage of a projection: its synapse model itself, or
// that beside it; nil when there is none.
func (p *Projection) stage() (*synapse.Model, quantity.Values) {
	if m, ok := synapse.Lookup(p.Synapse); ok && m.NewStage != nil {
		return m, p.SynapseParams
	}
	if m, ok := synapse.Lookup(p.ShortTerm.Model); ok && m.NewStage != nil {
		return m, p.ShortTerm.Params
	}
	return nil, nil
}

// staged says that synapses transmit other amounts than their weights.
func (p *Projection) staged() bool {
	m, _ := p.stage()
	return m != nil || p.Release.Sites > 0
}

// transmissionFault checks the short-term stage and the stochastic release of a
// projection whose source sends levels or spikes, and names the key at fault.
func (p *Projection) transmissionFault(levels bool) (key string, err error) {
	own, _ := synapse.Lookup(p.Synapse)
	isStage := own != nil && own.NewStage != nil
	if own != nil && own.Electrical && p.ShortTerm.Model != "" {
		return "short_term", fmt.Errorf("synapse model %s passes no spikes and takes no short-term stage", own.Name)
	}
	if own != nil && own.Electrical && p.Release != (synapse.Release{}) {
		return "release", fmt.Errorf("synapse model %s passes no spikes and releases nothing", own.Name)
	}
	if p.ShortTerm.Model != "" {
		m, ok := synapse.Lookup(p.ShortTerm.Model)
		switch {
		case !ok || m.NewStage == nil:
			return "short_term.model", fmt.Errorf("%q is no short-term stage, want one of %v", p.ShortTerm.Model, synapse.Stages())
		case isStage:
			return "short_term", fmt.Errorf("synapse model %s is a short-term stage itself and takes no other", own.Name)
		case levels:
			return "short_term", fmt.Errorf("short-term stage %s changes from spike to spike, but the source sends levels", m.Name)
		}
		if key, err := quantity.CheckAll("short-term stage "+m.Name, m.Params, p.ShortTerm.Params); err != nil {
			return "short_term." + key, err
		}
	} else if isStage && levels {
		return "model", fmt.Errorf("synapse model %s changes from spike to spike, but the source sends levels", own.Name)
	}
	r := &p.Release
	if *r == (synapse.Release{}) {
		return "", nil
	}
	m, _ := p.stage()
	switch {
	case levels:
		return "release", fmt.Errorf("release happens at spikes, but the source sends levels")
	case r.Sites < 1 || r.Sites > synapse.MaxSites:
		return "release.sites", fmt.Errorf("sites = %d, want 1 to %d", r.Sites, synapse.MaxSites)
	case m != nil && r.P != 0:
		return "release.p", fmt.Errorf("p = %g, but short-term stage %s has the probability of release: leave it out", r.P, m.Name)
	case m == nil && r.P == 0:
		return "release.p", fmt.Errorf("release needs its probability p, > 0 and ≤ 1, where no short-term stage gives it")
	case m == nil && !(r.P > 0 && r.P <= 1):
		return "release.p", fmt.Errorf("p = %g, want > 0 and ≤ 1", r.P)
	}
	return "", nil
}

// transmission is what stands between the spikes of a source population and the
// weights of one projection: its short-term stage, and what each spike finds
// for the draws of stochastic release. It follows the source's history: an
// entry has one place in both.
type transmission struct {
	stage synapse.Stage // nil: stochastic release alone
	sites int           // 0: no stochastic release
	p     float64       // probability of release; 0: the stage's u
	base  int           // position of the first entry kept
	sent  []emission
	count []uint64 // spikes of each source so far; with release only
	seed  uint64
	name  uint64
}

// emission is what one spike sends.
type emission struct {
	synapse.Emission
	nth uint64 // number of the spike among those of its source, from 0
}

// makeTransmission makes that of a projection; nil when its synapses transmit
// their weights.
func (n *Network) makeTransmission(d *Projection, sources int) *transmission {
	if !d.staged() {
		return nil
	}
	x := &transmission{sites: d.Release.Sites, p: d.Release.P, seed: n.model.Simulation.Seed, name: random.Name(d.Name)}
	if m, v := d.stage(); m != nil {
		x.stage = m.NewStage(v, sources)
	}
	if x.sites > 0 {
		x.count = make([]uint64, sources)
	}
	return x
}

func (x *transmission) reset() {
	x.base, x.sent = 0, x.sent[:0]
	clear(x.count)
	if x.stage != nil {
		x.stage.Reset()
	}
}

// follow takes up the spikes that the history has got, and forgets those that it
// has dropped.
func (x *transmission) follow(h *history) {
	if gone := h.base - x.base; gone > 0 {
		x.base = h.base
		x.sent = x.sent[:copy(x.sent, x.sent[gone:])]
	}
	for k := len(x.sent); k < len(h.at); k++ {
		e := emission{Emission: synapse.Emission{U: x.p, X: 1, Refill: 1}}
		if x.stage != nil {
			e.Emission = x.stage.Spike(h.id[k], h.at[k])
		}
		if x.count != nil {
			e.nth = x.count[h.id[k]]
			x.count[h.id[k]]++
		}
		x.sent = append(x.sent, e)
	}
}

// gain is the share of the weights that the spike at position k of the source's
// history transmits.
func (p *projection) gain(k int) float64 {
	if p.sends == nil {
		return 1
	}
	return p.sends.sent[k-p.sends.base].Gain()
}

// releasing is the release sites of the synapses of one Rows. The draws of a
// synapse are keyed by its identity and the number of the spike, so that they
// come out the same in whatever order rows are taken.
type releasing struct {
	sends *transmission
	rows  *synapse.Rows
	lo    int          // index in the target population of the block's first target
	nth   []uint32     // multapse numbers; nil: all 0
	keys  []random.Key // by multapse number
	full  []uint16     // sites that hold a vesicle; nil: all, at every spike
}

// newReleasing makes the sites of rows onto targets from lo on; nil without
// stochastic release. nth are the synapses' multapse numbers.
func (x *transmission) newReleasing(r *synapse.Rows, nth []uint32, lo int) *releasing {
	if x == nil || x.sites == 0 {
		return nil
	}
	d := &releasing{sends: x, rows: r, lo: lo, nth: nth}
	most := uint32(0)
	for _, m := range nth {
		most = max(most, m)
	}
	for m := range most + 1 {
		d.keys = append(d.keys, releaseKey(x.seed, x.name, m))
	}
	if x.stage != nil {
		d.full = make([]uint16, r.Len())
	}
	return d
}

func (d *releasing) reset() {
	if d != nil {
		clear(d.full)
	}
}

// draw writes the share of its weight that each of the synapses [lo, hi), the
// row of source src, transmits at the spike at position k of the history. A row's
// spikes are drawn once each and in order.
func (d *releasing) draw(share []float64, k int, src, lo, hi uint32) {
	e := &d.sends.sent[k-d.sends.base]
	n := d.sends.sites
	for i := lo; i < hi; i++ {
		m := uint32(0)
		if d.nth != nil {
			m = d.nth[i]
		}
		a, b := d.keys[m].At(synapseEntity(src, uint32(d.lo)+uint32(d.rows.Target[i])), e.nth)
		full := n
		if d.full != nil {
			full = int(d.full[i])
			full += random.BinomialOf(b, n-full, e.Refill)
		}
		released := random.BinomialOf(a, full, e.U)
		if d.full != nil {
			d.full[i] = uint16(full - released)
		}
		share[i-lo] = float64(released) / float64(n)
	}
}

// ReleaseKey is the key of the draws of the synapses of a projection with
// multapse number nth: at spike number k of its source, from 0, the synapse from
// source s to target t releases random.BinomialOf(a, full, u) of its full sites,
// after random.BinomialOf(b, empty, refill) empty ones have filled, where a and b
// are the words of ReleaseKey(…).At(uint64(t)<<32|uint64(s), k).
func ReleaseKey(seed uint64, projection string, nth uint32) random.Key {
	return releaseKey(seed, random.Name(projection), nth)
}

func releaseKey(seed, name uint64, nth uint32) random.Key {
	return random.NewKey(seed, random.StreamRelease, synapseOwner(name, nth))
}
