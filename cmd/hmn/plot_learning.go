package main

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"hmn/event"
	"hmn/io/config"
	"hmn/io/plot"
	"hmn/io/spikelog"
	"hmn/network"
)

// Limits of the page of what was learned.
const (
	maxSynapses = 6       // drawn
	maxCounted  = 1 << 20 // synapses whose updates are counted, to choose from
	maxListed   = 1 << 22 // synapses listed to find initial weights
	gateSpan    = event.Second
)

// parseSynapse reads SOURCE:TARGET or SOURCE:TARGET:MULTAPSE.
func parseSynapse(s string) (x spikelog.Synapse, err error) {
	f := strings.Split(s, ":")
	if len(f) != 2 && len(f) != 3 {
		return x, fmt.Errorf("want SOURCE:TARGET, indices in the two populations")
	}
	for i, to := range []*uint32{&x.Source, &x.Target, &x.Multapse}[:len(f)] {
		u, err := strconv.ParseUint(strings.TrimSpace(f[i]), 10, 32)
		if err != nil {
			return x, fmt.Errorf("want SOURCE:TARGET, indices in the two populations")
		}
		*to = uint32(u)
	}
	return x, nil
}

// ofLearning reports whether a signal belongs on the page of what was learned.
func ofLearning(s *spikelog.Signal) bool {
	return slices.Contains(network.PerSynapse, s.What) || slices.Contains(network.PerProjection, s.What) ||
		s.What == network.RecordModulator || s.What == network.RecordTrials
}

// lesson is the page of what was learned while it is put together.
type lesson struct {
	v        *view
	o        plotOptions
	proj     int // index in the record's list; −1 = none
	synapses []spikelog.Synapse
	how      string // the synapses were chosen
	page     plot.Learning
	thin     int // of samples of the thinnest signal, every how manyth is drawn
}

// plotLearning draws what was learned: of one projection, and of a few of its
// synapses. The note says what was left out.
func (v *view) plotLearning(o plotOptions) (note string, err error) {
	l := &lesson{v: v, o: o, page: plot.Learning{Title: v.title(), From: o.from, To: o.to}}
	if err := l.choose(); err != nil {
		return "", err
	}
	for _, add := range []func() error{l.weights, l.eligibility, l.modulators, l.rates, l.gate, l.curve} {
		if err := add(); err != nil {
			return "", err
		}
	}
	if len(l.page.Panels) == 0 && l.page.Curve == nil {
		return "", errNothingToDraw
	}
	if l.proj >= 0 {
		p := v.reader.Meta().Projections[l.proj]
		l.page.Title += ": learning of " + p.Name
		if len(l.synapses) > 0 {
			l.page.Caption = fmt.Sprintf("Synapses of %s are named source → target, neurons of %s → %s; %s.", p.Name, p.Source, p.Target, l.how)
		}
	}
	if l.thin > 1 {
		note = fmt.Sprintf("every %dth sample is drawn", l.thin)
	}
	return note, l.page.Write(o.out)
}

// choose finds the projection and the synapses to draw.
func (l *lesson) choose() error {
	meta := l.v.reader.Meta()
	has := func(i int) bool {
		p := meta.Projections[i]
		return p.Updates || p.Candidates || slices.ContainsFunc(meta.Signals, func(s spikelog.Signal) bool {
			return s.Of == p.Name && (slices.Contains(network.PerSynapse, s.What) || slices.Contains(network.PerProjection, s.What))
		})
	}
	l.proj = -1
	var names []string
	for i, p := range meta.Projections {
		if !has(i) {
			continue
		}
		names = append(names, p.Name)
		if l.proj < 0 && (l.o.projection == "" || l.o.projection == p.Name) {
			l.proj = i
		}
	}
	switch {
	case l.proj >= 0:
	case len(names) == 0 && (l.o.projection != "" || len(l.o.synapses) > 0):
		return badInput("hmn plot: the run recorded nothing of synapses")
	case l.o.projection != "":
		return badInput("hmn plot: --projection %q: the run recorded learning of %s only", l.o.projection, strings.Join(names, ", "))
	default:
		return nil
	}

	sampled, every := l.sampled()
	if l.synapses = l.o.synapses; len(l.synapses) > 0 {
		l.how = "chosen with --synapse"
		return nil
	}
	busy, changed, all, err := l.busiest(sampled)
	if err != nil {
		return err
	}
	l.synapses = busy
	which := "sampled"
	switch {
	case sampled == nil:
		which = "that had updates"
	case !every:
		which = "that all signals have"
	}
	switch {
	case len(busy) == all:
		l.how = "all " + which
	case changed:
		l.how = fmt.Sprintf("the %d with the most updates of %s %s", len(busy), count(all), which)
	default:
		l.how = fmt.Sprintf("the first %d of %s %s", len(busy), count(all), which)
	}
	return nil
}

// sampled lists the synapses of which there are signals: those that all of them
// share, so that a synapse is seen in every panel, or else those of the weights,
// or of the first signal. every is false when some signals have more than these.
func (l *lesson) sampled() (list []spikelog.Synapse, every bool) {
	var signals [][]spikelog.Synapse
	for _, what := range network.PerSynapse { // the weight comes first
		for _, s := range l.signals(what) {
			signals = append(signals, s.Synapses)
		}
	}
	if len(signals) == 0 {
		return nil, true
	}
	in := map[spikelog.Synapse]int{}
	for k, s := range signals {
		for _, x := range s {
			if in[x] == k { // in all before
				in[x]++
			}
		}
	}
	for _, x := range signals[0] {
		if in[x] == len(signals) {
			list = append(list, x)
		}
	}
	if list == nil {
		return signals[0], true
	}
	return list, len(in) == len(list)
}

// applied yields the applied updates of the projection before t1, from the
// record of updates or, where there is none, from that of candidates.
func (l *lesson) applied(t1 event.Time, do func(at event.Time, s spikelog.Synapse, dw float64)) error {
	p := l.v.reader.Meta().Projections[l.proj]
	take := func(at event.Time, id network.SynapseID, dw float64) {
		if id.Projection == l.proj {
			do(at, spikelog.Synapse{Source: id.Source, Target: id.Target, Multapse: id.Multapse}, dw)
		}
	}
	if p.Updates {
		for list, err := range l.v.reader.Updates(math.MinInt64, t1) {
			if err != nil {
				return err
			}
			for i := range list {
				take(list[i].At, list[i].Synapse, list[i].DW)
			}
		}
	} else if p.Candidates {
		for list, err := range l.v.reader.Candidates(math.MinInt64, t1) {
			if err != nil {
				return err
			}
			for i := range list {
				if list[i].Applied {
					take(list[i].Close, list[i].Synapse, list[i].DW)
				}
			}
		}
	}
	return nil
}

// busiest lists the synapses with the most updates in the window in order of
// source and target: of those that were sampled, or else of those that had
// updates. There are all of these, and changed says that any had updates. Memory
// is bounded: of more than maxCounted synapses the first to change are counted.
func (l *lesson) busiest(sampled []spikelog.Synapse) (busy []spikelog.Synapse, changed bool, all int, err error) {
	of := map[spikelog.Synapse]int{}
	for _, s := range sampled {
		of[s] = 0
	}
	err = l.applied(l.o.to, func(at event.Time, s spikelog.Synapse, _ float64) {
		n, ok := of[s]
		if at < l.o.from || !ok && (len(sampled) > 0 || len(of) >= maxCounted) {
			return
		}
		of[s] = n + 1
		changed = true
	})
	if err != nil {
		return nil, false, 0, err
	}
	for s := range of {
		busy = append(busy, s)
	}
	byName := func(a, b spikelog.Synapse) int {
		return cmp.Or(cmp.Compare(a.Source, b.Source), cmp.Compare(a.Target, b.Target), cmp.Compare(a.Multapse, b.Multapse))
	}
	slices.SortFunc(busy, func(a, b spikelog.Synapse) int { return cmp.Or(cmp.Compare(of[b], of[a]), byName(a, b)) })
	all = len(busy)
	busy = busy[:min(all, maxSynapses)]
	slices.SortFunc(busy, byName)
	if !changed {
		// Those of one source show how its targets differ; the next source often
		// shows the same again.
		same := 0
		for same < len(busy) && busy[same].Source == busy[0].Source {
			same++
		}
		if same >= 3 {
			busy = busy[:same]
		}
	}
	return busy, changed, all, nil
}

// label names a synapse in a legend.
func label(s spikelog.Synapse) string {
	if s.Multapse == 0 {
		return fmt.Sprintf("%d → %d", s.Source, s.Target)
	}
	return fmt.Sprintf("%d → %d, no. %d", s.Source, s.Target, s.Multapse)
}

// signals of what, of the projection if it is one of a projection.
func (l *lesson) signals(what ...string) (list []spikelog.Signal) {
	for _, w := range what {
		for _, s := range l.v.reader.Meta().Signals {
			ofProjection := slices.Contains(network.PerSynapse, w) || slices.Contains(network.PerProjection, w)
			if s.What == w && (!ofProjection || l.proj >= 0 && s.Of == l.v.reader.Meta().Projections[l.proj].Name) {
				list = append(list, s)
			}
		}
	}
	return list
}

// traces reads columns of a signal in [from, to).
func (l *lesson) traces(s spikelog.Signal, columns []int, from, to event.Time) ([]plot.Trace, error) {
	times, values, thin, err := l.v.columns(s, columns, from, to)
	if err != nil {
		return nil, err
	}
	l.thin = max(l.thin, thin)
	var list []plot.Trace
	for k := range columns {
		list = append(list, plot.Trace{Times: times, Values: values[k], Color: k})
	}
	return list, nil
}

// add appends a panel that has something to show.
func (l *lesson) add(p plot.Panel) {
	for _, t := range p.Traces {
		if len(t.Times) > 0 {
			l.page.Panels = append(l.page.Panels, p)
			return
		}
	}
}

// perSynapse adds a panel of a signal of synapses: those that are drawn and that
// it has.
func (l *lesson) perSynapse(what, name string, steps bool, from, to event.Time) error {
	for _, s := range l.signals(what) {
		p := plot.Panel{Name: name, Unit: s.Unit}
		if from != l.o.from || to != l.o.to {
			p.From, p.To = from, to
		}
		var columns, colors []int
		for k, x := range l.synapses {
			if j := slices.Index(s.Synapses, x); j >= 0 {
				columns, colors = append(columns, j), append(colors, k)
			}
		}
		list, err := l.traces(s, columns, from, to)
		if err != nil {
			return err
		}
		for k := range list {
			list[k].Color, list[k].Label, list[k].Steps = colors[k], label(l.synapses[colors[k]]), steps
		}
		p.Traces = list
		l.add(p)
	}
	return nil
}

// weights adds the weights: sampled ones, or else the steps of the updates from
// the initial weights, or from 0 where those are not known; and those that a
// task reports.
func (l *lesson) weights() error {
	if err := l.perSynapse(network.RecordWeight, "weight", true, l.o.from, l.o.to); err != nil {
		return err
	}
	if len(l.page.Panels) == 0 && l.proj >= 0 {
		if err := l.steps(); err != nil {
			return err
		}
	}
	if len(l.page.Panels) == 0 && len(l.o.synapses) > 0 {
		return badInput("hmn plot: of the synapses given with --synapse no weight was recorded")
	}
	for _, s := range l.signals(network.RecordTrials) {
		p := plot.Panel{Name: "mean weight"}
		var columns []int
		for j, c := range s.Columns {
			if strings.HasPrefix(c, "weight") {
				columns = append(columns, j)
			}
		}
		list, err := l.traces(s, columns, l.o.from, l.o.to)
		if err != nil {
			return err
		}
		for k := range list {
			list[k].Label = s.Columns[columns[k]]
		}
		p.Traces = list
		l.add(p)
	}
	return nil
}

// steps adds the weights as the updates made them.
func (l *lesson) steps() error {
	start, unit := l.initial()
	p := plot.Panel{Name: "weight", Unit: unit}
	if start == nil {
		p.Name, start = "change of weight", make([]float64, len(l.synapses))
	}
	at := map[spikelog.Synapse]int{}
	from := l.o.from.MS()
	value, sign := slices.Clone(start), make([]float64, len(start))
	for k, s := range l.synapses {
		at[s] = k
		if sign[k] = 1; start[k] < 0 { // updates are of the magnitude
			sign[k] = -1
		}
		p.Traces = append(p.Traces, plot.Trace{Label: label(s), Steps: true, Color: k})
	}
	seen := false
	put := func(k int, t float64) {
		tr := &p.Traces[k]
		tr.Times, tr.Values = append(tr.Times, t), append(tr.Values, value[k])
		if n := len(tr.Times); n > 2*maxSamples { // every other step, still right where it stands
			for i := range n / 2 {
				tr.Times[i], tr.Values[i] = tr.Times[2*i], tr.Values[2*i]
			}
			tr.Times, tr.Values = tr.Times[:n/2], tr.Values[:n/2]
		}
	}
	err := l.applied(l.o.to, func(t event.Time, s spikelog.Synapse, dw float64) {
		k, ok := at[s]
		if !ok {
			return
		}
		seen = true
		if t >= l.o.from && len(p.Traces[k].Times) == 0 {
			put(k, from)
		}
		value[k] += sign[k] * dw
		if t >= l.o.from {
			put(k, t.MS())
		}
	})
	if err != nil {
		return err
	}
	for k := range p.Traces {
		if len(p.Traces[k].Times) == 0 {
			put(k, from)
		}
	}
	if seen {
		l.add(p)
	}
	return nil
}

// initial are the weights at t = 0 of the synapses to draw, from the model in
// the manifest, and their unit; nil where the model cannot be read again, such
// as when it needs files.
func (l *lesson) initial() (w []float64, unit string) {
	man := l.v.manifest
	if man == nil {
		return nil, ""
	}
	m, _, err := config.Parse([]byte(man.Model), config.Options{Set: man.Overrides})
	if err != nil {
		return nil, ""
	}
	i := m.FindProjection(l.v.reader.Meta().Projections[l.proj].Name)
	if i < 0 {
		return nil, ""
	}
	unit = (&loaded{Model: m}).unit(&network.Record{What: network.RecordWeight, Of: m.Projections[i].Name})
	if man.Synapses > maxListed {
		return nil, unit
	}
	all, err := network.Synapses(m, i)
	if err != nil {
		return nil, unit
	}
	of := map[spikelog.Synapse]float64{}
	for _, x := range all {
		of[spikelog.Synapse{Source: x.Source, Target: x.Target, Multapse: x.Multapse}] = x.Weight
	}
	for _, s := range l.synapses {
		x, ok := of[s]
		if !ok {
			return nil, unit
		}
		w = append(w, x)
	}
	return w, unit
}

// eligibility adds the traces and the attention of the synapses.
func (l *lesson) eligibility() error {
	for _, s := range []struct{ what, name string }{
		{network.RecordEligibility, "eligibility"},
		{network.RecordEligibilityFast, "fast eligibility"},
		{network.RecordEligibilitySlow, "slow eligibility"},
		{network.RecordAlpha, "attention α"},
	} {
		if err := l.perSynapse(s.what, s.name, false, l.o.from, l.o.to); err != nil {
			return err
		}
	}
	return nil
}

// modulators adds a panel of all modulators with G and G′, and one of the gates.
func (l *lesson) modulators() error {
	p := plot.Panel{Name: "modulators"}
	for _, s := range l.signals(network.RecordModulator, network.RecordG, network.RecordGPrime) {
		list, err := l.traces(s, []int{0}, l.o.from, l.o.to)
		if err != nil {
			return err
		}
		list[0].Label, list[0].Color = s.Of, len(p.Traces)
		switch s.What {
		case network.RecordG:
			list[0].Label, list[0].Dashed = "G", true // of one modulator it is the same line
		case network.RecordGPrime:
			list[0].Label, list[0].Dashed = "G′", true
		}
		p.Traces = append(p.Traces, list...)
	}
	l.add(p)
	return l.named(network.RecordGamma, "gates γ", nil)
}

// named adds a panel of a signal of the projection whose columns have names. A
// second record of the same would show the same.
func (l *lesson) named(what, name string, change func(column int, t *plot.Trace)) error {
	signals := l.signals(what)
	if len(signals) == 0 {
		return nil
	}
	s := signals[0]
	columns := make([]int, s.N)
	for j := range columns {
		columns[j] = j
	}
	list, err := l.traces(s, columns, l.o.from, l.o.to)
	if err != nil {
		return err
	}
	for j := range list {
		list[j].Label, list[j].Steps = s.Label(j), true
		if change != nil {
			change(j, &list[j])
		}
	}
	l.add(plot.Panel{Name: name, Traces: list})
	return nil
}

// rates adds the learning rates, each relative to its first sample: they change
// by factors, and differ by orders of magnitude.
func (l *lesson) rates() error {
	signals := l.signals(network.RecordEta)
	if len(signals) == 0 {
		return nil
	}
	var first []float64
	for b, err := range l.v.reader.AllSamples(signals[0].Record) {
		if err != nil {
			return err
		}
		first = slices.Clone(b.Values[:b.N])
		break
	}
	if first == nil {
		return nil
	}
	return l.named(network.RecordEta, "η / initial η", func(j int, t *plot.Trace) {
		t.Label = strings.Replace(t.Label, "eta_", "η ", 1)
		t.Dashed = j > 0   // without meta-learning both are 1
		if first[j] == 0 { // and stays 0
			t.Times, t.Values = nil, nil
			t.Label += " = 0"
			return
		}
		t.Label += fmt.Sprintf(", initially %.3g", first[j])
		for i := range t.Values {
			t.Values[i] /= first[j]
		}
	})
}

// gate adds the phase gates: of a long run a detail at its end, because whole
// cycles of a few Hz would fill the panel.
func (l *lesson) gate() error {
	from := l.o.from
	if l.o.to-from > gateSpan+gateSpan/2 {
		from = l.o.to - gateSpan
	}
	return l.perSynapse(network.RecordGate, "phase gate", false, from, l.o.to)
}

// curve adds the rewards of the trials.
func (l *lesson) curve() error {
	list := l.signals(network.RecordTrials)
	if len(list) == 0 {
		return nil
	}
	s := list[0]
	j := slices.IndexFunc(s.Columns, func(c string) bool { return strings.HasPrefix(c, "reward") })
	if j < 0 {
		j = 0
	}
	q := plot.Curve{Name: s.Columns[j]}
	for b, err := range l.v.reader.Samples(s.Record, l.o.from, l.o.to) {
		if err != nil {
			return err
		}
		for i := range b.Times {
			q.Values = append(q.Values, b.Values[i*b.N+j])
		}
	}
	if len(q.Values) == 0 {
		return nil
	}
	q.Window = smoothing(len(q.Values))
	l.page.Curve = &q
	return nil
}

// smoothing is the number of trials in the moving mean over n trials: a
// twentieth of them, rounded up to 1, 2 or 5 times a power of ten, at least 5.
func smoothing(n int) int {
	for p := 1; ; p *= 10 {
		for _, m := range []int{p, 2 * p, 5 * p} {
			if m >= 5 && 20*m >= n {
				return m
			}
		}
	}
}
