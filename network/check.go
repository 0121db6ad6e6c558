package network

import (
	"fmt"
	"math"
	"math/bits"
	"slices"

	"hmn/event"
	"hmn/event/quantity"
	"hmn/event/random"
	"hmn/neuron"
	"hmn/synapse"
)

// Check refuses a description that cannot be built: names that do not resolve,
// sizes and indices that do not fit, parameters outside their ranges. It
// returns the first fault it finds. What only shows when numbers are drawn, such
// as a negative delay from a normal distribution, is found when building.
func (m *Model) Check() error {
	if s := m.Simulation; s.Duration < 0 {
		return fmt.Errorf("network: simulation: duration %v ms, want one that is not negative", s.Duration)
	} else if s.LookaheadMax < 0 {
		return fmt.Errorf("network: simulation: lookahead_max %v ms, want one that is not negative", s.LookaheadMax)
	}
	if g := m.Guard; !(g.MaxRateHz >= 0) {
		return fmt.Errorf("network: guard: max_rate_hz %g Hz, want one that is not negative", g.MaxRateHz)
	} else if g.Silence < 0 {
		return fmt.Errorf("network: guard: silence %v ms, want one that is not negative", g.Silence)
	} else if g.Window < 0 || g.Window == 0 && g.MaxRateHz > 0 {
		return fmt.Errorf("network: guard: window %v ms, want a positive one", g.Window)
	}
	if len(m.Populations) > math.MaxUint16+1 {
		return fmt.Errorf("network: %d populations, want at most %d", len(m.Populations), math.MaxUint16+1)
	}
	total := 0
	names := map[string]bool{}
	for i := range m.Populations {
		p := &m.Populations[i]
		if p.Name == "" {
			return fmt.Errorf("network: population %d has no name", i)
		}
		if names[p.Name] {
			return fmt.Errorf("network: population %q: the name is used twice", p.Name)
		}
		names[p.Name] = true
		if err := p.check(); err != nil {
			return fmt.Errorf("network: population %q: %w", p.Name, err)
		}
		if total += p.N; total > math.MaxUint32 {
			return fmt.Errorf("network: population %q: %d neurons together with those before it, want at most %d", p.Name, total, uint32(math.MaxUint32))
		}
	}
	clear(names)
	for i := range m.Projections {
		p := &m.Projections[i]
		if p.Name == "" {
			return fmt.Errorf("network: projection %d has no name", i)
		}
		if names[p.Name] {
			return fmt.Errorf("network: projection %q: the name is used twice", p.Name)
		}
		names[p.Name] = true
		if err := m.checkProjection(i); err != nil {
			return err
		}
	}
	if faults := m.LearningFaults(); len(faults) > 0 {
		return faults[0].in(m)
	}
	for i := range m.Records {
		if err := m.checkRecord(&m.Records[i]); err != nil {
			return fmt.Errorf("network: record %d: %w", i, err)
		}
	}
	return nil
}

// check checks one population by itself.
func (p *Population) check() error {
	nm, ok := neuron.Lookup(p.Model)
	if !ok {
		return fmt.Errorf("unknown model %q", p.Model)
	}
	if p.N < 1 || p.N > math.MaxUint32 {
		return fmt.Errorf("n = %d, want 1 to %d", p.N, uint32(math.MaxUint32))
	}
	if _, err := nm.CheckAll(p.Params); err != nil {
		return err
	}
	for _, q := range nm.Params {
		v, ok := p.Params[q.Key]
		if !ok {
			continue
		}
		if q.Form == quantity.Numbers && v.List != nil && len(v.List) != p.N {
			return fmt.Errorf("%s has %d entries, want one or %d", q.Key, len(v.List), p.N)
		}
		for i, s := range v.Table {
			if s.Neuron < -1 || s.Neuron >= p.N {
				return fmt.Errorf("%s: row %d: neuron %d, want 0 to %d", q.Key, i, s.Neuron, p.N-1)
			}
		}
	}
	if err := p.checkInit(nm); err != nil {
		return err
	}
	if len(p.Positions) != 0 {
		if len(p.Positions) != p.N {
			return fmt.Errorf("%d positions, want %d", len(p.Positions), p.N)
		}
		if p.Dim != 2 && p.Dim != 3 {
			return fmt.Errorf("positions of %d dimensions, want 2 or 3", p.Dim)
		}
		for i, x := range p.Positions {
			for _, y := range x {
				if !(math.Abs(y) <= 1e150) {
					return fmt.Errorf("position %d: coordinate %g, want a finite number", i, y)
				}
			}
		}
	}
	if len(p.Names) != 0 {
		if len(p.Names) != p.N {
			return fmt.Errorf("%d names, want %d", len(p.Names), p.N)
		}
		seen := make(map[string]bool, p.N)
		for _, s := range p.Names {
			if s == "" {
				return fmt.Errorf("a neuron's name is empty")
			}
			if seen[s] {
				return fmt.Errorf("neuron name %q is used twice", s)
			}
			seen[s] = true
		}
	}
	if !(p.ExpectedRateHz >= 0 && p.ExpectedRateHz <= 1e7) {
		return fmt.Errorf("expected_rate_hz %g Hz, want 0 to 1e7", p.ExpectedRateHz)
	}
	if len(p.Trains) != 0 {
		if p.Model != "spike_train" {
			return fmt.Errorf("spike trains given to model %q, want spike_train", p.Model)
		}
		if len(p.Trains) != p.N {
			return fmt.Errorf("%d spike trains, want %d", len(p.Trains), p.N)
		}
		for i, train := range p.Trains {
			for k, t := range train {
				if t < 0 {
					return fmt.Errorf("neuron %d: spike at %v ms, want one at 0 ms or later", i, t)
				}
				if k > 0 && t < train[k-1] {
					return fmt.Errorf("neuron %d: spike at %v ms after one at %v ms, want ascending times", i, t, train[k-1])
				}
			}
		}
	}
	return nil
}

// checkInit checks the start values. V_m must start below V_th, unless the
// distribution has no limits: then its draws are judged when building.
func (p *Population) checkInit(nm *neuron.Model) error {
	known := 0
	for _, q := range nm.States {
		v, ok := p.Init[q.Key]
		if !ok {
			continue
		}
		known++
		if err := v.check(p.N); err != nil {
			return fmt.Errorf("init %s: %w", q.Key, err)
		}
		lo, hi := v.bounds()
		for _, x := range []float64{lo, hi} {
			if math.IsInf(x, 0) {
				continue
			}
			if err := q.InRange(x); err != nil {
				return fmt.Errorf("init: %w", err)
			}
		}
	}
	if known != len(p.Init) {
		for _, key := range sortedKeys(p.Init) {
			if _, ok := nm.State(key); !ok {
				return fmt.Errorf("init: model %s has no state variable %q", p.Model, key)
			}
		}
	}
	if _, ok := nm.State("V_m"); !ok || nm.Kind != neuron.Spiking {
		return nil
	}
	key := nm.SpikeLevel(p.Params)
	if key == "" {
		return nil
	}
	th := nm.Number(p.Params, key)
	v, given := p.Init["V_m"]
	if !given {
		if _, ok := nm.Param("E_L"); ok {
			if el := nm.Number(p.Params, "E_L"); !(el < th) {
				return fmt.Errorf("V_m starts at E_L = %g mV, want below %s = %g mV: give init = { V_m = … }", el, key, th)
			}
		}
		return nil
	}
	_, hi := v.bounds()
	if above := hi > th || hi == th && v.Form != Uniform; above && !math.IsInf(hi, 1) {
		return fmt.Errorf("init V_m = %s mV, want below %s = %g mV", v.String(), key, th)
	}
	return nil
}

func sortedKeys(m map[string]Value) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// checkProjection checks projection i and the sizes of its populations.
func (m *Model) checkProjection(i int) error {
	p := &m.Projections[i]
	if err := m.projectionFault(p); err != nil {
		return fmt.Errorf("network: projection %q: %w", p.Name, err)
	}
	return nil
}

func (m *Model) projectionFault(p *Projection) error {
	si, ti := m.findPopulation(p.Source), m.findPopulation(p.Target)
	if si < 0 {
		return fmt.Errorf("unknown source population %q", p.Source)
	}
	if ti < 0 {
		return fmt.Errorf("unknown target population %q", p.Target)
	}
	source, target := &m.Populations[si], &m.Populations[ti]
	for _, q := range []*Population{source, target} {
		if _, ok := neuron.Lookup(q.Model); !ok {
			return fmt.Errorf("population %q: unknown model %q", q.Name, q.Model)
		}
		if q.N < 0 || q.N > math.MaxUint32 {
			return fmt.Errorf("population %q: n = %d, want at most %d", q.Name, q.N, uint32(math.MaxUint32))
		}
	}
	nm, _ := neuron.Lookup(target.Model)
	sk, tk := m.kind(si), m.kind(ti)
	rule := p.Synapse
	if rule == "" {
		rule = "static"
	}
	sm, ok := synapse.Lookup(rule)
	if !ok {
		return fmt.Errorf("unknown synapse model %q, want one of %v", p.Synapse, synapse.Names())
	}
	// Plastic synapses may end at a source: they see its spikes or levels, and
	// their weights drive nothing.
	openLoop := sm.Learning != nil && (tk == neuron.SpikeSource || tk == neuron.LevelSource)
	if !openLoop && (tk != neuron.Spiking && tk != neuron.Rate || len(nm.Ports) == 0 || len(nm.Ports) > 256) {
		return fmt.Errorf("target %q is of model %q, which receives nothing", target.Name, target.Model)
	}
	if (sk == neuron.Rate || sk == neuron.LevelSource) && tk == neuron.Spiking && nm.New != nil && !nm.Currents {
		return fmt.Errorf("target %q is of model %q, which does not take changes of level from %q", target.Name, target.Model, source.Name)
	}
	if p.Receptor != "" && !slices.Contains(nm.Ports, p.Receptor) {
		return fmt.Errorf("receptor %q, want one of %v", p.Receptor, nm.Ports)
	}
	if _, err := quantity.CheckAll("synapse model "+sm.Name, sm.Params, p.SynapseParams); err != nil {
		return err
	}
	if _, err := p.transmissionFault(sendsLevels(sk)); err != nil {
		return err
	}
	if levels := sendsLevels(sk); levels && sm.New != nil {
		return fmt.Errorf("synapse model %q takes spikes, but source %q sends levels", sm.Name, source.Name)
	} else if levels && tk == neuron.Spiking && p.Receptor != "" {
		return fmt.Errorf("receptor %q: the levels of %q are a current and take no receptor", p.Receptor, source.Name)
	}
	if err := p.checkRule(source, target, si == ti); err != nil {
		return err
	}

	columns := -1
	if p.Rule == EdgeList {
		columns = len(p.Edges)
	}
	if err := p.Weight.check(columns); err != nil {
		return fmt.Errorf("weight %w", err)
	}
	var most event.Time
	for _, q := range []struct {
		name string
		v    *Value
	}{{"axonal", &p.Axonal}, {"dendritic", &p.Dendritic}} {
		if err := q.v.check(columns); err != nil {
			return fmt.Errorf("%s delay %w", q.name, err)
		}
		lo, hi := q.v.bounds()
		if lo < 0 && !math.IsInf(lo, -1) || hi < 0 {
			return fmt.Errorf("%s delay %s ms, want one that is not negative", q.name, q.v.String())
		}
		if !math.IsInf(hi, 1) {
			if _, _, err := event.FromMS(hi); err != nil {
				return fmt.Errorf("%s delay %s ms: %w", q.name, q.v.String(), err)
			}
		}
		_, long := q.v.delayBounds()
		most = addCapped(most, long)
	}
	zero := sendsLevels(sk) && sendsLevels(tk) || sm.Electrical
	if p.Rule != EdgeList {
		if most == 0 && !zero {
			return fmt.Errorf("delay %s ms, want a positive one", p.Dendritic.String())
		}
		return nil
	}
	return p.checkEdges(source, target, zero)
}

// checkRule checks what belongs to the rule of connection.
func (p *Projection) checkRule(source, target *Population, same bool) error {
	ns, nt := source.N, target.N
	excluded := same && !p.Autapses
	if excluded { // the number of allowed partners
		ns, nt = max(0, ns-1), max(0, nt-1)
	}
	switch p.Rule {
	case OneToOne:
		if source.N != target.N {
			return fmt.Errorf("rule one_to_one with %d sources and %d targets, want equal numbers", source.N, target.N)
		}
		if excluded {
			return fmt.Errorf("rule one_to_one within one population makes autapses only, and autapses = false")
		}
	case AllToAll:
	case PairwiseBernoulli, Distance:
		if !(p.P >= 0 && p.P <= 1) {
			return fmt.Errorf("p = %g, want 0 to 1", p.P)
		}
		if p.Rule == Distance {
			return p.Profile.check(source, target)
		}
	case FixedInDegree:
		if err := checkDegree("indegree", p, ns, "sources"); err != nil {
			return err
		}
	case FixedOutDegree:
		if err := checkDegree("outdegree", p, nt, "targets"); err != nil {
			return err
		}
	case FixedTotalNumber:
		hi, pairs := bits.Mul64(uint64(ns), uint64(target.N))
		if hi != 0 {
			pairs = math.MaxInt64
		}
		if p.Total < 0 || p.Total > random.MaxCount {
			return fmt.Errorf("total number %d, want 0 to %d", p.Total, uint64(random.MaxCount))
		}
		if pairs > random.MaxCount && !p.Multapses {
			return fmt.Errorf("total number %d of %d pairs, want at most %d pairs without multapses", p.Total, pairs, uint64(random.MaxCount))
		}
		if uint64(p.Total) > pairs && (!p.Multapses || pairs == 0) {
			return fmt.Errorf("total number %d of %d allowed pairs (multapses = %t)", p.Total, pairs, p.Multapses)
		}
	case EdgeList:
		if len(p.Edges) > math.MaxUint32 {
			return fmt.Errorf("%d edges, want at most %d", len(p.Edges), uint32(math.MaxUint32))
		}
	default:
		return fmt.Errorf("unknown rule %q, want one of %v", p.Rule, Rules)
	}
	return nil
}

func checkDegree(name string, p *Projection, allowed int, of string) error {
	if p.Degree < 0 || p.Degree > math.MaxUint32 {
		return fmt.Errorf("%s %d, want 0 to %d", name, p.Degree, uint32(math.MaxUint32))
	}
	if p.Degree > allowed && (!p.Multapses || allowed == 0) {
		return fmt.Errorf("%s %d of %d allowed %s (multapses = %t)", name, p.Degree, allowed, of, p.Multapses)
	}
	return nil
}

func (pr *Profile) check(source, target *Population) error {
	if !slices.Contains(Profiles, pr.Shape) {
		return fmt.Errorf("unknown profile %q, want one of %v", pr.Shape, Profiles)
	}
	if !(pr.Sigma > 0 && pr.Sigma <= 1e150) {
		return fmt.Errorf("profile: sigma %g, want a positive number", pr.Sigma)
	}
	if !(pr.Radius >= 0 && pr.Radius <= math.MaxFloat64) {
		return fmt.Errorf("profile: radius %g, want one that is not negative", pr.Radius)
	}
	for _, l := range pr.Extent {
		if !(l >= 0 && l <= 1e150) {
			return fmt.Errorf("profile: extent %g, want one that is not negative", l)
		}
	}
	for _, q := range []*Population{source, target} {
		if len(q.Positions) != q.N {
			return fmt.Errorf("rule distance: population %q has %d positions, want %d", q.Name, len(q.Positions), q.N)
		}
	}
	if source.Dim != target.Dim {
		return fmt.Errorf("rule distance: positions of %d and %d dimensions, want the same", source.Dim, target.Dim)
	}
	return nil
}

func (p *Projection) checkEdges(source, target *Population, zero bool) error {
	part := func(i int, name string, t event.Time, v *Value) (event.Time, error) {
		if t == FromProjection {
			_, hi := v.delayBounds()
			return hi, nil
		}
		if t < 0 {
			e := &p.Edges[i]
			return 0, fmt.Errorf("edge %d, from %s %d to %s %d: %s delay %v ms, want one that is not negative", i, source.Name, e.Source, target.Name, e.Target, name, t)
		}
		return t, nil
	}
	for i := range p.Edges {
		e := &p.Edges[i]
		if int(e.Source) >= source.N {
			return fmt.Errorf("edge %d: source %d, want 0 to %d (%s)", i, e.Source, source.N-1, source.Name)
		}
		if int(e.Target) >= target.N {
			return fmt.Errorf("edge %d: target %d, want 0 to %d (%s)", i, e.Target, target.N-1, target.Name)
		}
		if math.IsInf(e.Weight, 0) {
			return fmt.Errorf("edge %d, from %s %d to %s %d: weight %g, want a finite number", i, source.Name, e.Source, target.Name, e.Target, e.Weight)
		}
		a, err := part(i, "axonal", e.Axonal, &p.Axonal)
		if err != nil {
			return err
		}
		d, err := part(i, "dendritic", e.Dendritic, &p.Dendritic)
		if err != nil {
			return err
		}
		if a == 0 && d == 0 && !zero {
			return fmt.Errorf("edge %d, from %s %d to %s %d: delay 0 ms, want a positive one", i, source.Name, e.Source, target.Name, e.Target)
		}
	}
	return nil
}

// checkRecord checks one record.
func (m *Model) checkRecord(r *Record) error {
	if ok, err := m.checkLearningRecord(r); ok {
		return err
	}
	i := m.findPopulation(r.Of)
	if i < 0 {
		return fmt.Errorf("%s of unknown population %q", r.What, r.Of)
	}
	p := &m.Populations[i]
	nm, _ := neuron.Lookup(p.Model)
	fits := false
	switch r.What {
	case RecordSpikes:
		fits = nm.Kind == neuron.Spiking || nm.Kind == neuron.SpikeSource
	case RecordVm:
		_, fits = nm.State("V_m")
	case RecordISyn:
		_, fits = nm.State("I_syn_ex")
		if !nm.Linear() {
			_, fits = nm.State("I_syn")
		}
	case RecordRate:
		fits = nm.Kind == neuron.Rate
	default:
		states := neuron.Recordable()
		if !slices.Contains(states, r.What) {
			return fmt.Errorf("unknown signal %q, want one of %v, or a state variable of the neuron model: %v", r.What, RecordWords, states)
		}
		_, fits = nm.State(r.What)
		fits = fits && !nm.Linear()
	}
	if !fits {
		return fmt.Errorf("%s of %q: model %s has no such signal", r.What, r.Of, p.Model)
	}
	for k, x := range r.Subset {
		if x < 0 || x >= p.N {
			return fmt.Errorf("%s of %q: subset entry %d, want 0 to %d", r.What, r.Of, x, p.N-1)
		}
		if k > 0 && x <= r.Subset[k-1] {
			return fmt.Errorf("%s of %q: subset entry %d after %d, want ascending indices", r.What, r.Of, x, r.Subset[k-1])
		}
	}
	if r.What == RecordSpikes {
		return r.atEvents()
	}
	return r.checkTimes()
}
