package network

import (
	"fmt"
	"math"

	"hmn/event"
	"hmn/event/quantity"
	"hmn/neuron"
)

const (
	assumedRateHz = 10  // of neurons whose rate is not given
	logBytes      = 6   // of one spike on disk
	pairsExact    = 1e7 // pairs of the rule distance that are summed one by one
)

// EstimateModel says what m will need and cost, without building it. Rates that
// the model does not give are assumed; rate units and level sources send no
// spikes and have rate 0 unless one is given. The minimum delay is the least
// that any draw could give, so that the window of the built network may be
// longer. Only the populations named by spike records count toward the log, or
// all when there is no such record.
func EstimateModel(m *Model) (Estimate, error) {
	if err := m.Check(); err != nil {
		return Estimate{}, err
	}
	blocks := partition(m)
	est := Estimate{Blocks: len(blocks)}
	perPop := make([]int, len(m.Populations))
	for _, b := range blocks {
		perPop[b.Pop]++
	}
	for i := range m.Populations {
		p := &m.Populations[i]
		nm, _ := neuron.Lookup(p.Model)
		rate, assumed := p.rate(nm, m.Simulation.Duration)
		est.Neurons += p.N
		if nm.Kind == neuron.Spiking || nm.Kind == neuron.SpikeSource {
			spikes := float64(float64(p.N) * rate)
			est.SpikesPerSec += spikes
			est.LogBytesPerSec += float64(logBytes * spikes * m.recordedPart(i))
		}
		est.Populations = append(est.Populations, PopulationEstimate{
			Name: p.Name, Model: p.Model, N: p.N, Blocks: perPop[i],
			RateHz: rate, Assumed: assumed, Path: path(nm),
		})
	}
	first, split := true, false
	for i := range m.Projections {
		p := &m.Projections[i]
		c, err := newConnector(m, i)
		if err != nil {
			return Estimate{}, err
		}
		si, ti := m.findPopulation(p.Source), m.findPopulation(p.Target)
		pe := c.estimate(perPop[ti])
		if p.electrical() {
			est.Synapses += pe.Synapses
			est.Bytes += float64(junctionBytes * pe.Synapses)
			est.Projections = append(est.Projections, ProjectionEstimate{Name: p.Name, Synapses: pe.Synapses, Bytes: float64(junctionBytes * pe.Synapses), Uniform: true})
			continue
		}
		est.Synapses += pe.Synapses
		est.Bytes += pe.Bytes
		est.EventsPerSec += float64(pe.Synapses * est.Populations[si].RateHz)
		est.Projections = append(est.Projections, pe)
		split = split || c.learning != nil && c.rates
		if pe.Synapses > 0 {
			if first || pe.MinDelay < est.MinDelay {
				est.MinDelay = pe.MinDelay
			}
			// Rate units without delay settle together within one window.
			least := pe.MinDelay
			if least == 0 {
				_, least = c.leastEdgeDelays()
			}
			if least > 0 && (est.Window == 0 || least < est.Window) {
				est.Window = least
			}
			first = false
		}
	}
	if est.Window == 0 {
		est.Window = defaultStep
	}
	if limit := m.Simulation.LookaheadMax; limit > 0 {
		est.Window = min(est.Window, limit)
	}
	est.Window = min(est.Window, longestStep)
	// Plastic synapses between rate units make windows by either part of their
	// delays; only the built network knows those.
	for i := range m.Modulators {
		if d := &m.Modulators[i]; !split {
			if err := d.checkDelay(est.Window); err != nil {
				return Estimate{}, err
			}
		}
	}
	est.paths(m)
	est.Bytes += float64(neuronBytes * float64(est.Neurons))
	return est, nil
}

// junctionBytes is the memory of a gap junction, in the list and at both cells.
const junctionBytes = 80

// neuronBytes is the memory of one neuron besides its synapses: state,
// accumulators, slots, history.
const neuronBytes = 200

// paths finds how each linear population will pass through a window, as
// Network.choosePaths does from the built network.
func (est *Estimate) paths(m *Model) {
	for i := range m.Populations {
		p := &est.Populations[i]
		perSec, driven := 0.0, false
		for j := range m.Projections {
			q := &m.Projections[j]
			if q.Target != m.Populations[i].Name || q.electrical() {
				continue
			}
			si := m.findPopulation(q.Source)
			perSec += float64(est.Projections[j].Synapses * est.Populations[si].RateHz)
			driven = driven || m.direct(si)
		}
		if m.coupled(i) {
			p.Path = "together"
			continue
		}
		if m.Populations[i].Model != "iaf_psc_exp" || driven {
			continue
		}
		lin, err := neuron.NewLinear("iaf_psc_exp", m.Populations[i].Params, event.Microsecond)
		if err != nil {
			continue // Check has said what is wrong
		}
		if k := epochWindows(lin, est.Window, perSec/float64(p.N)); k > 0 {
			p.Path = fmt.Sprintf("epochs of %d", k)
		}
	}
}

// path is how the engine advances a population of model nm.
func path(nm *neuron.Model) string {
	switch {
	case nm.Kind == neuron.Rate:
		return "rate"
	case nm.Kind == neuron.SpikeSource || nm.Kind == neuron.LevelSource:
		return "generated"
	case nm.Grid != nil:
		return "grid"
	case nm.New != nil:
		return "event by event"
	}
	return "sweep"
}

// estimate is the projection's row, for a target population of so many blocks.
func (c *connector) estimate(blocks int) ProjectionEstimate {
	n := c.expected()
	pe := ProjectionEstimate{Name: c.p.Name, Synapses: n, MinDelay: c.base}
	weight, delay, classes := 0.0, 0.0, 1.0
	if c.p.Rule == EdgeList {
		weight, delay, classes = c.edgeStorage()
		pe.Uniform = delay == 0
	} else {
		pe.Uniform = c.axonal.fixed && c.dendritic.fixed
		if !pe.Uniform {
			delay = 4
		}
		if !c.weight.fixed {
			weight = 4
		}
		if lo, hi := c.weight.v.bounds(); !c.oneSign && lo < 0 && hi >= 0 {
			classes = 2
		}
		if !pe.Uniform {
			span := 0.0 // ms
			for _, q := range []*drawn{&c.axonal, &c.dendritic} {
				lo, hi := q.v.typical(5)
				span += max(0, hi-max(0, lo))
			}
			classes *= min(maxBands, 1+math.Floor(span*1e9/(1<<32)))
		}
		if pe.MinDelay == 0 && !c.zeroDelay {
			pe.MinDelay = event.Picosecond // the least that is accepted
		}
	}
	if n > 0 {
		pe.Bytes = float64(n*(2+weight+delay+c.releaseBytes())) + float64(classes*float64(blocks)*4*float64(c.sources+1))
		if c.learning != nil {
			pe.Bytes += float64(n * c.learningBytes())
		}
	}
	return pe
}

// learningBytes is the memory of one plastic synapse besides that of a static one.
func (c *connector) learningBytes() float64 {
	b := float64(c.learning.Bytes(c.p.SynapseParams, c.rates, !c.axonal.fixed || !c.dendritic.fixed))
	if !c.dendritic.fixed {
		b += 8
	}
	if c.phases != nil && c.phases.p.PhaseUniform {
		b += 8
	}
	if !c.weight.fixed {
		b += 4 // magnitudes are float64
	}
	return b
}

// releaseBytes is what stochastic release keeps of one synapse.
func (c *connector) releaseBytes() (b float64) {
	if c.keepNumber && c.learning == nil {
		b += 4
	}
	if m, _ := c.p.stage(); m != nil && c.p.Release.Sites > 0 {
		b += 2 // which sites are full
	}
	return b
}

// edgeStorage is the bytes of weight and delay that one synapse of an edge list
// takes, and the number of row tables.
func (c *connector) edgeStorage() (weight, delay, classes float64) {
	edges := c.p.Edges
	if len(edges) == 0 {
		return 0, 0, 1
	}
	var wide, positive, negative bool
	longest := c.base
	total := func(i int) event.Time {
		a, d := edges[i].Axonal, edges[i].Dendritic
		if a == FromProjection {
			_, a = c.p.Axonal.delayBounds()
		}
		if d == FromProjection {
			_, d = c.p.Dendritic.delayBounds()
		}
		return addCapped(a, d)
	}
	first := edges[0].Weight
	if first != first {
		first = c.weight.x
	}
	for i := range edges {
		w := edges[i].Weight
		if w != w {
			w = c.weight.x
			if !c.weight.fixed {
				weight = 4
				lo, hi := c.weight.v.bounds()
				negative, positive = negative || lo < 0, positive || hi >= 0
				continue
			}
		}
		if w != first {
			weight = 4
		}
		wide = wide || float64(float32(w)) != w
		negative, positive = negative || w < 0, positive || w >= 0
		longest = max(longest, total(i))
	}
	if weight > 0 && wide {
		weight = 8
	}
	if longest > c.base {
		delay = 4
	}
	classes = 1
	if negative && positive && !c.oneSign {
		classes = 2
	}
	return weight, delay, classes * float64(min((longest-c.base)>>32+1, maxBands))
}

// expected is the expected number of synapses of the projection.
func (c *connector) expected() float64 {
	ns, nt := float64(c.sources), float64(c.targets)
	pairs := ns * nt
	if c.noSelf {
		pairs = ns * (nt - 1)
	}
	switch c.p.Rule {
	case OneToOne:
		return nt
	case AllToAll:
		return pairs
	case PairwiseBernoulli:
		return c.p.P * pairs
	case FixedInDegree:
		return float64(c.p.Degree) * nt
	case FixedOutDegree:
		return float64(c.p.Degree) * ns
	case FixedTotalNumber:
		return float64(c.p.Total)
	case EdgeList:
		return float64(len(c.p.Edges))
	case Distance:
		return c.p.P * c.nearPairs()
	}
	return 0
}

// nearPairs is the sum of the profile over all allowed pairs: exact up to
// pairsExact pairs, beyond that from so many targets, spread over the
// population by the golden ratio.
func (c *connector) nearPairs() float64 {
	if c.sources == 0 || c.targets == 0 {
		return 0
	}
	targets := c.targets
	if float64(c.sources)*float64(c.targets) > pairsExact {
		targets = min(c.targets, max(64, int(pairsExact/float64(c.sources))))
	}
	sum := 0.0
	for i := range targets {
		t := i
		if targets < c.targets {
			x := float64(float64(i) * 0.6180339887498949)
			t = int((x - math.Floor(x)) * float64(c.targets))
		}
		for s := range c.sources {
			if !c.noSelf || s != t {
				sum += c.p.Profile.at(c.p.Profile.distance(&c.source.Positions[s], &c.target.Positions[t]))
			}
		}
	}
	return sum / float64(targets) * float64(c.targets)
}

// recordedPart is the part of a population's spikes that goes to the log.
func (m *Model) recordedPart(pop int) float64 {
	some, part := false, 0.0
	p := &m.Populations[pop]
	for i := range m.Records {
		r := &m.Records[i]
		if r.What != RecordSpikes {
			continue
		}
		some = true
		if r.Of == p.Name {
			n := p.N
			if r.Subset != nil {
				n = len(r.Subset)
			}
			part = min(1, part+float64(n)/float64(p.N))
		}
	}
	if !some {
		return 1
	}
	return part
}

// rate is the mean rate of one neuron of the population over the run.
func (p *Population) rate(nm *neuron.Model, duration event.Time) (hz float64, assumed bool) {
	switch {
	case p.ExpectedRateHz > 0:
		return p.ExpectedRateHz, false
	case nm.Kind == neuron.Spiking:
		return assumedRateHz, true
	case nm.Kind != neuron.SpikeSource:
		return 0, false
	case p.Model == "spike_train":
		return p.trainRate(duration), false
	}
	// Whatever a source calls its rate, one of these keys holds it.
	for _, q := range nm.Params {
		v, ok := p.Params[q.Key]
		switch {
		case ok && v.Sine != nil:
			return sineMean(v.Sine.Mean, v.Sine.Amplitude), false
		case ok && q.Form == quantity.Steps:
			rows := make([]quantity.Step, len(v.Steps))
			for i, s := range v.Steps {
				rows[i] = quantity.Step{Neuron: -1, Time: s[0], Value: s[1]}
			}
			return stepMean(rows, p.N, duration.MS()), false
		case ok && q.Form == quantity.File:
			return stepMean(v.Table, p.N, duration.MS()), false
		case ok && q.Key == "rate":
			return v.Number, false
		}
	}
	return assumedRateHz, true
}

// trainRate counts the given spikes before the end of the run, or, when it has
// no end yet, over the time they span.
func (p *Population) trainRate(duration event.Time) float64 {
	end := duration
	if end == 0 {
		for _, train := range p.Trains {
			if n := len(train); n > 0 {
				end = max(end, train[n-1]+1)
			}
		}
	}
	n := 0
	for _, train := range p.Trains {
		for _, t := range train {
			if t < end {
				n++
			}
		}
	}
	if n == 0 {
		return 0
	}
	return float64(n) / float64(p.N) / end.Seconds()
}

// sineMean is the mean over a period of max(0, mean + amplitude·sin).
func sineMean(mean, amplitude float64) float64 {
	if amplitude <= mean {
		return mean
	}
	return (float64(mean*math.Acos(-mean/amplitude)) + math.Sqrt(float64(amplitude*amplitude)-float64(mean*mean))) / math.Pi
}

// stepMean is the mean over n neurons and over [0, duration) of a rate given in
// steps, 0 before the first; rows are sorted by neuron, −1 meaning all, then
// time. Without a duration it is the mean of the last values.
func stepMean(rows []quantity.Step, n int, duration float64) float64 {
	sum := 0.0
	for i, r := range rows {
		end := duration
		if i+1 < len(rows) && rows[i+1].Neuron == r.Neuron {
			if end = min(end, rows[i+1].Time); duration == 0 {
				continue
			}
		}
		part := 1.0
		if duration > 0 {
			part = max(0, end-r.Time) / duration
		}
		if r.Neuron >= 0 {
			part /= float64(n)
		}
		sum += float64(r.Value * part)
	}
	return sum
}
