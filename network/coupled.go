package network

import (
	"cmp"
	"fmt"
	"slices"

	"hmn/event"
	"hmn/neuron"
)

// coupledBlock is the blocks of neurons that gap junctions join, directly or by
// others: those act on each other within an instant and cannot wait for the next
// window. Each cluster of joined neurons is advanced as one (neuron.Cluster);
// neurons of these blocks without junctions are clusters of one.
type coupledBlock struct {
	parts    []*coupledPart
	cells    []coupledCell // of all parts, one after the other
	members  [][]int32     // of each cluster: its cells
	joints   [][]neuron.Junction
	clusters []*neuron.Cluster

	hits   uint64
	all    []coupledHit
	list   []neuron.ClusterHit
	looks  []neuron.ClusterLook
	asked  []answer
	spikes []neuron.ClusterSpike // of the window; Cell counts through the parts
	own    []neuron.ClusterSpike // of one cluster
	times  []event.Time
	probes [][]probe // by cluster
}

// coupledPart is one block inside a coupledBlock.
type coupledPart struct {
	pop   *population
	lo, n int
	first int // its first cell
	ins   []*input
	learn *learning // nil: no plastic synapses
	marks []neuron.Mark
	fires []uint32 // homeostatic bias: spikes since its last tick
}

// coupledCell says where a cell belongs.
type coupledCell struct {
	part    int32
	cluster int32
	place   int32 // in its cluster
}

type coupledHit struct {
	cluster int32
	neuron.ClusterHit
}

// answer is where the value of a look goes.
type answer struct {
	at  event.Time
	row int
	probe
}

// couple draws the gap junctions and decides which blocks they join.
func (n *Network) couple() error {
	n.coupling = make([]*coupledBlock, len(n.ranges))
	if !slices.ContainsFunc(n.model.Projections, func(p Projection) bool { return p.electrical() }) {
		return nil
	}
	all, _, err := n.model.junctions()
	if err != nil {
		return err
	}
	if err := n.model.refuseJunctions(all); err != nil {
		return fmt.Errorf("network: %w", err)
	}
	n.junctions = all
	ends := make([]uint32, len(n.ranges)) // global id after each block
	for b, r := range n.ranges {
		ends[b] = n.pops[r.Pop].first + uint32(r.Hi)
	}
	blockOf := func(id uint32) int {
		b, found := slices.BinarySearch(ends, id)
		if found {
			b++
		}
		return b
	}
	f, has := newForest(len(n.ranges)), make([]bool, len(n.ranges))
	for _, j := range all {
		a, b := blockOf(j.a), blockOf(j.b)
		f.join(a, b)
		has[a], has[b] = true, true
	}
	for b := range n.ranges {
		if !has[b] {
			continue
		}
		if r := f.root(b); r == b {
			n.coupling[b] = &coupledBlock{}
		} else {
			n.coupling[b] = n.coupling[r]
		}
	}
	return nil
}

// joinCoupled adds block b to what it is part of, and returns that the first
// time.
func (n *Network) joinCoupled(p *population, r blockRange, b int) (advancer, error) {
	ins, err := n.inputs(p, b)
	if err != nil {
		return nil, err
	}
	g, err := n.learn(p, b)
	if err != nil {
		return nil, err
	}
	c := n.coupling[b]
	c.parts = append(c.parts, &coupledPart{pop: p, lo: r.Lo, n: r.Hi - r.Lo, first: len(c.cells), ins: ins, learn: g})
	for range r.Hi - r.Lo {
		c.cells = append(c.cells, coupledCell{part: int32(len(c.parts) - 1)})
	}
	if len(c.parts) > 1 {
		return nil, nil
	}
	return c, nil
}

// divide finds the clusters, in the order of their first cells.
func (b *coupledBlock) divide(n *Network) {
	cellOf := func(id uint32) int {
		for _, p := range b.parts {
			if i := int(id) - int(p.pop.first) - p.lo; i >= 0 && i < p.n {
				return p.first + i
			}
		}
		return -1
	}
	f := newForest(len(b.cells))
	for _, j := range n.junctions {
		if x := cellOf(j.a); x >= 0 {
			f.join(x, cellOf(j.b))
		}
	}
	for i := range b.cells {
		c := &b.cells[i]
		if r := f.root(i); r == i {
			c.cluster = int32(len(b.members))
			b.members = append(b.members, nil)
		} else {
			c.cluster = b.cells[r].cluster
		}
		c.place = int32(len(b.members[c.cluster]))
		b.members[c.cluster] = append(b.members[c.cluster], int32(i))
	}
	b.joints = make([][]neuron.Junction, len(b.members))
	for _, j := range n.junctions {
		if x := cellOf(j.a); x >= 0 {
			x, y := b.cells[x], b.cells[cellOf(j.b)]
			b.joints[x.cluster] = append(b.joints[x.cluster], neuron.Junction{A: int(x.place), B: int(y.place), G: j.g})
		}
	}
}

func (b *coupledBlock) reset(n *Network) error {
	kinds := make([]neuron.ClusterCell, len(b.parts))
	for k, p := range b.parts {
		for _, in := range p.ins {
			in.reset()
		}
		p.learn.reset()
		p.fires = nil
		if p.pop.bias != nil {
			p.fires = make([]uint32, p.n)
		}
		var err error
		if kinds[k], err = neuron.NewClusterCell(p.pop.desc.Model, p.pop.desc.Params, p.pop.lin); err != nil {
			return err
		}
	}
	b.clusters = b.clusters[:0]
	for k, members := range b.members {
		cells := make([]neuron.ClusterCell, len(members))
		for i, c := range members {
			cells[i] = kinds[b.cells[c].part]
		}
		b.clusters = append(b.clusters, neuron.NewCluster(cells, b.joints[k]))
	}
	for _, p := range b.parts {
		if err := b.fill(n, p); err != nil {
			return fmt.Errorf("network: population %q: %w", p.pop.desc.Name, err)
		}
	}
	return nil
}

// fill sets the start values of a part.
func (b *coupledBlock) fill(n *Network, p *coupledPart) error {
	nm, lin := p.pop.model, p.pop.lin
	for i := range p.n {
		c := b.cells[p.first+i]
		for _, s := range nm.States {
			x, given, err := n.start(p.pop, s.Key, p.lo+i)
			if err != nil {
				return err
			}
			if !given {
				if s.Key != "V_m" || lin == nil {
					continue
				}
				x = lin.Rest(nm.Number(p.pop.desc.Params, "E_L"))
			}
			if th := 0.0; lin != nil && s.Key == "V_m" {
				if th = nm.Number(p.pop.desc.Params, "V_th"); !(x < th) {
					return fmt.Errorf("init.V_m of neuron %d: V_m = %g mV at t = 0, want less than V_th = %g mV", p.lo+i, x, th)
				}
			}
			v := b.clusters[c.cluster].State(int(c.place), s.Key)
			if v == nil {
				return fmt.Errorf("model %s does not know its state variable %q", nm.Name, s.Key)
			}
			*v = x
		}
	}
	for _, in := range p.ins { // what rate units sent before t = 0 is there already
		if in.p.src.model.Kind != neuron.Rate {
			continue
		}
		z0, err := n.outputs0(in.p.src)
		if err != nil {
			return err
		}
		for s, z := range z0 {
			for k := in.r.Ptr[s]; k < in.r.Ptr[s+1]; k++ {
				c := b.cells[p.first+int(in.r.Target[k])]
				b.clusters[c.cluster].Inject(int(c.place), float64(in.r.WeightAt(int(k))*z))
			}
		}
	}
	return nil
}

// add enters a hit at cell i of the block.
func (b *coupledBlock) add(i int, h neuron.ClusterHit) {
	c := b.cells[i]
	h.Cell = c.place
	b.all = append(b.all, coupledHit{c.cluster, h})
}

// gather lists what arrives in the window, cluster by cluster in order of time.
func (b *coupledBlock) gather(w event.Window) {
	b.all = b.all[:0]
	for _, p := range b.parts {
		p.adapt(b, w)
		for _, in := range p.ins {
			in.take(w.End)
			levels := in.p.src.sendsLevels()
			for q := range in.pending {
				pe := &in.pending[q]
				in.upTo(pe, w.End)
				for k := pe.prev; k < pe.cur; k++ {
					h := neuron.ClusterHit{At: pe.at + in.offset(k), Src: in.p.src.first + pe.src, Port: in.r.Port, W: in.weight(pe, k)}
					if levels {
						h.Port, h.W = neuron.PortCurrent, float64(h.W*pe.to)-float64(h.W*pe.from)
					}
					b.add(p.first+int(in.r.Target[k]), h)
				}
			}
		}
		if p.learn == nil {
			continue
		}
		p.learn.begin(w)
		for _, pl := range p.learn.in {
			for k, a := range pl.at {
				h := neuron.ClusterHit{At: w.Start + event.Time(a.Off), Src: pl.in.p.src.first, Port: pl.in.r.Port, W: pl.w[k]}
				if len(pl.mark) > 0 && pl.mark[k] > 0 {
					h.Ref = pl.base + uint32(k+1)
				}
				b.add(p.first+int(a.T), h)
			}
		}
	}
	b.hits = uint64(len(b.all))
	slices.SortStableFunc(b.all, func(x, y coupledHit) int {
		return cmp.Or(cmp.Compare(x.cluster, y.cluster), cmp.Compare(x.At, y.At), cmp.Compare(x.Src, y.Src))
	})
	b.list = b.list[:0]
	for _, h := range b.all {
		b.list = append(b.list, h.ClusterHit)
	}
}

// adapt enters the changes of the homeostatic bias at a tick: see bias.
func (p *coupledPart) adapt(b *coupledBlock, w event.Window) {
	h := p.pop.bias
	if h == nil || w.Start == 0 || w.Start%h.hold != 0 {
		return
	}
	grown := float64(h.target * h.hold.MS())
	for i, k := range p.fires {
		b.add(p.first+i, neuron.ClusterHit{At: w.Start, Port: neuron.PortCurrent, W: float64(h.eta * (grown - float64(k)))})
		p.fires[i] = 0
	}
}

func (b *coupledBlock) advance(n *Network, _ *scratch, w event.Window) error {
	b.gather(w)
	b.spikes = b.spikes[:0]
	k := 0
	for q, c := range b.clusters {
		first := k
		for k < len(b.all) && int(b.all[k].cluster) == q {
			k++
		}
		looks := b.lookAt(q)
		var err error
		b.own, err = c.Advance(w.End, b.list[first:k], looks, b.own[:0], func(h *neuron.ClusterHit, spikes []neuron.ClusterSpike) float64 {
			return b.resolve(w, q, h, spikes)
		})
		if err != nil {
			i := b.members[q][0]
			p := b.parts[b.cells[i].part]
			return &StoppedError{At: w.Start, Population: p.pop.desc.Name, Reason: fmt.Sprintf("neurons joined to neuron %d by gap junctions: %v", p.lo+int(i)-p.first, err)}
		}
		for i, l := range looks {
			a := &b.asked[i]
			a.sig.buf[a.row][a.col] = l.Value
		}
		for _, x := range b.own {
			b.spikes = append(b.spikes, neuron.ClusterSpike{At: x.At, Cell: b.members[q][x.Cell]})
		}
	}
	for _, p := range b.parts {
		p.marks = p.marks[:0]
	}
	for _, x := range b.spikes {
		p := b.parts[b.cells[x.Cell].part]
		i := uint32(int(x.Cell) - p.first)
		p.marks = append(p.marks, neuron.Mark{Off: uint32(x.At - w.Start), I: i})
		if p.fires != nil {
			p.fires[i]++
		}
	}
	for _, p := range b.parts {
		if p.learn != nil {
			p.learn.end(w, p.marks)
		}
	}
	return nil
}

// resolve is the weight of a plastic arrival that hangs on the spikes of its
// target in the window.
func (b *coupledBlock) resolve(w event.Window, cluster int, h *neuron.ClusterHit, spikes []neuron.ClusterSpike) float64 {
	i := b.members[cluster][h.Cell]
	p := b.parts[b.cells[i].part]
	b.times = b.times[:0]
	for _, x := range spikes {
		if x.Cell == h.Cell {
			b.times = append(b.times, x.At)
		}
	}
	if len(b.times) > 0 {
		p.learn.suppose(w, int(i)-p.first, b.times)
	}
	return p.learn.weightOf(h.Ref)
}

// lookAt lists the samples of a cluster in the window, in order of time.
func (b *coupledBlock) lookAt(cluster int) []neuron.ClusterLook {
	b.looks, b.asked = b.looks[:0], b.asked[:0]
	if b.probes == nil {
		return nil
	}
	for _, pr := range b.probes[cluster] {
		for row, t := range pr.sig.times {
			b.asked = append(b.asked, answer{t, row, pr})
		}
	}
	slices.SortStableFunc(b.asked, func(x, y answer) int { return cmp.Compare(x.at, y.at) })
	for _, a := range b.asked {
		b.looks = append(b.looks, neuron.ClusterLook{At: a.at, Cell: b.cells[a.i].place, Key: a.sig.desc.What})
	}
	return b.looks
}

// id is the global id of a cell.
func (b *coupledBlock) id(cell int32) uint32 {
	p := b.parts[b.cells[cell].part]
	return p.pop.first + uint32(p.lo+int(cell)-p.first)
}

func (b *coupledBlock) local(p *population, id int) (int, bool) {
	for _, q := range b.parts {
		if q.pop == p && id >= q.lo && id < q.lo+q.n {
			return q.first + id - q.lo, true
		}
	}
	return 0, false
}

func (b *coupledBlock) addProbe(p probe) {
	if b.probes == nil {
		b.probes = make([][]probe, len(b.members))
	}
	c := b.cells[p.i].cluster
	b.probes[c] = append(b.probes[c], p)
}
