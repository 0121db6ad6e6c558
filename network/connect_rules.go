package network

import (
	"math"
	"math/bits"
	"slices"

	"hmn/event/fmath"
	"hmn/event/random"
)

// The rules. Each generates the connections onto the block's targets as a
// function of the connector's key only: whatever is drawn is keyed by a target,
// a source, or a node of a tree over the whole target population, never by the
// block.

const (
	// treeEntity sets the tree's entities of fixed_total_number apart from the
	// targets, which are below 2³².
	treeEntity = 1 << 63
	// leafDegree is how many targets of a source one leaf of its tree holds on
	// average: enough to make walking the tree cheap.
	leafDegree = 64
	leafMin    = 128 // targets in a leaf, at least
)

// generate hands every target's or every source's connections to targetRow or
// sourceRow. Two calls on one block generate the same.
func (b *block) generate() error {
	lo, hi := b.lo, b.hi
	switch b.p.Rule {
	case OneToOne:
		for i := lo; i < hi; i++ {
			b.list = append(b.list[:0], uint32(i))
			if err := b.sourceRow(i, b.list); err != nil {
				return err
			}
		}
	case AllToAll:
		for s := range b.sources {
			switch {
			case s == 0 || b.noSelf && (s == lo || s == hi):
				b.list = b.list[:0]
				for t := lo; t < hi; t++ {
					if !b.noSelf || t != s {
						b.list = append(b.list, uint32(t))
					}
				}
			case b.noSelf && s > lo && s < hi:
				b.list[s-1-lo] = uint32(s - 1) // stood for s, now left out
			}
			if err := b.sourceRow(s, b.list); err != nil {
				return err
			}
		}
	case FixedOutDegree:
		for s := range b.sources {
			b.outDegree(s)
			if err := b.sourceRow(s, b.list); err != nil {
				return err
			}
		}
	case PairwiseBernoulli, Distance:
		// The number of sources passed over before the next connection is
		// geometric: ⌊E / −ln(1−p)⌋ with E exponential of mean 1.
		scale := 1 / -fmath.Log1p(-b.p.P)
		for t := lo; t < hi; t++ {
			b.bernoulli(t, scale)
			if err := b.targetRow(t, b.list); err != nil {
				return err
			}
		}
	case FixedInDegree:
		for t := lo; t < hi; t++ {
			b.inDegree(t, uint64(b.p.Degree))
			if err := b.targetRow(t, b.list); err != nil {
				return err
			}
		}
	case FixedTotalNumber:
		if b.counts == nil {
			b.counts = make([]uint64, hi-lo)
			if b.targets > 0 {
				b.split(1, 0, b.targets, uint64(b.p.Total))
			}
		}
		for t := lo; t < hi; t++ {
			b.inDegree(t, b.counts[t-lo])
			if err := b.targetRow(t, b.list); err != nil {
				return err
			}
		}
	case EdgeList:
		for t := lo; t < hi; t++ {
			if err := b.targetRow(t, b.order[b.start[t]:b.start[t+1]]); err != nil {
				return err
			}
		}
	}
	return nil
}

// choices is how many sources a target may have, which is also how many targets
// a source may have where the two populations are one.
func (c *connector) choices(n int) int {
	if c.noSelf {
		return n - 1
	}
	return n
}

// skipSelf turns the i-th allowed partner of neuron self into its index.
func (c *connector) skipSelf(i uint64, self int) uint32 {
	if c.noSelf && i >= uint64(self) {
		i++
	}
	return uint32(i)
}

// bernoulli lists the sources of target t, each of which is there with
// probability p independently; for the rule distance, p times the profile at
// the distance of the two, by thinning.
func (b *block) bernoulli(t int, scale float64) {
	src := b.key.Source(uint64(t))
	n := b.choices(b.sources)
	b.list = b.list[:0]
	near := b.p.Rule == Distance
	for i := 0; ; i++ {
		skip := math.Floor(src.Exponential() * scale)
		if !(skip < float64(n-i)) {
			return
		}
		i += int(skip)
		s := b.skipSelf(uint64(i), t)
		if near {
			f := b.p.Profile.at(b.p.Profile.distance(&b.source.Positions[s], &b.target.Positions[t]))
			if !(f > 0) || f < 1 && src.Float64() >= f {
				continue
			}
		}
		b.list = append(b.list, s)
	}
}

// inDegree lists k sources of target t: independent ones with multapses,
// otherwise different ones.
func (b *block) inDegree(t int, k uint64) {
	b.list = b.list[:0]
	if k == 0 {
		return
	}
	w := words{key: b.key, entity: uint64(t)}
	n := uint32(b.choices(b.sources))
	if b.p.Multapses {
		b.independent(&w, n, k)
	} else {
		b.distinct(&w, n, k)
	}
	if b.noSelf {
		for i, s := range b.list {
			b.list[i] = b.skipSelf(uint64(s), t)
		}
	}
}

// split divides total synapses over the targets [from, to), node of a binary
// tree over all targets, and keeps the counts of the block. Independent pairs
// fall into one half binomially, distinct ones hypergeometrically.
func (b *block) split(node uint64, from, to int, total uint64) {
	if total == 0 || to <= b.lo || from >= b.hi {
		return
	}
	if to-from == 1 {
		b.counts[from-b.lo] = total
		return
	}
	mid := from + (to-from)/2
	src := b.key.Source(treeEntity | node)
	var left uint64
	if b.p.Multapses {
		left = src.Binomial(total, float64(mid-from)/float64(to-from))
	} else {
		per := uint64(b.choices(b.sources))
		left = src.Hypergeometric(uint64(mid-from)*per, uint64(to-mid)*per, total)
	}
	b.split(2*node, from, mid, left)
	b.split(2*node+1, mid, to, total-left)
}

// outDegree lists the targets of source s that lie in the block, ascending. The
// source's Degree targets are divided over the leaves of a tree, so that a block
// draws little more than its own.
func (b *block) outDegree(s int) {
	b.list = b.list[:0]
	n, k := b.choices(b.targets), uint64(b.p.Degree)
	if k == 0 || n <= 0 || b.lo == b.hi {
		return
	}
	// The block's allowed targets, counted without the source itself.
	lo, hi := b.lo, b.hi
	if b.noSelf && lo > s {
		lo--
	}
	if b.noSelf && hi > s {
		hi--
	}
	leaves := max(1, min(b.p.Degree/leafDegree, n/leafMin))
	b.outSplit(s, 1, 0, leaves, leaves, n, k, lo, hi)
}

// outSplit draws k targets of source s in the leaves [from, to) and keeps those
// in [lo, hi). Leaf i holds the allowed targets from n·i/leaves on.
func (b *block) outSplit(s int, node uint64, from, to, leaves, n int, k uint64, lo, hi int) {
	begin, end := leafStart(from, leaves, n), leafStart(to, leaves, n)
	if k == 0 || end <= lo || begin >= hi {
		return
	}
	entity := uint64(s)<<32 | node
	if to-from > 1 {
		src := b.key.Source(entity)
		mid := from + (to-from)/2
		cut := leafStart(mid, leaves, n)
		var left uint64
		if b.p.Multapses {
			left = src.Binomial(k, float64(cut-begin)/float64(end-begin))
		} else {
			left = src.Hypergeometric(uint64(cut-begin), uint64(end-cut), k)
		}
		b.outSplit(s, 2*node, from, mid, leaves, n, left, lo, hi)
		b.outSplit(s, 2*node+1, mid, to, leaves, n, k-left, lo, hi)
		return
	}
	kept := len(b.list)
	if !b.fill && b.collect == nil && !b.drawsInCount() && begin >= lo && end <= hi {
		b.list = slices.Grow(b.list, int(k))[:kept+int(k)] // counting: their number is enough
		return
	}
	w := words{key: b.key, entity: entity}
	if b.p.Multapses {
		b.independent(&w, uint32(end-begin), k)
	} else {
		b.distinct(&w, uint32(end-begin), k)
	}
	drawn := b.list[kept:]
	b.list = b.list[:kept]
	for _, i := range drawn {
		if t := begin + int(i); t >= lo && t < hi {
			b.list = append(b.list, b.skipSelf(uint64(t), s))
		}
	}
	if got := b.list[kept:]; !slices.IsSorted(got) {
		slices.Sort(got)
	}
}

func leafStart(i, leaves, n int) int {
	h, l := bits.Mul64(uint64(n), uint64(i))
	q, _ := bits.Div64(h, l, uint64(leaves))
	return int(q)
}

// words reads the random numbers of one entity 32 bits at a time.
type words struct {
	key             random.Key
	entity, counter uint64
}

// four returns the next four words.
func (w *words) four() [4]uint32 {
	x, y := w.key.At(w.entity, w.counter)
	w.counter++
	return [4]uint32{uint32(x >> 32), uint32(x), uint32(y >> 32), uint32(y)}
}

// independent appends k independent uniform numbers below n to the list, by
// Lemire's method without bias (2019, doi:10.1145/3230636).
func (b *block) independent(w *words, n uint32, k uint64) {
	b.list = slices.Grow(b.list, int(k)+3)
	out := b.list[len(b.list) : len(b.list)+int(k)+3]
	reject := -n % n
	i := 0
	for i < int(k) {
		for _, x := range w.four() {
			m := uint64(x) * uint64(n)
			out[i] = uint32(m >> 32)
			if uint32(m) >= reject {
				i++
			}
		}
	}
	b.list = b.list[:len(b.list)+int(k)]
}

// distinct appends k different numbers below n to the list, every subset being
// equally likely: it draws again what it has, or, beyond the half, draws the
// ones to leave out. The order is no part of the result.
func (b *block) distinct(w *words, n uint32, k uint64) {
	size := int((uint64(n) + 63) / 64)
	if len(b.bits) < size {
		b.bits = make([]uint64, size)
	}
	set := b.bits[:size]
	most := k > uint64(n)/2
	left := k
	if most {
		left = uint64(n) - k
	}
	scan := most || uint64(size) <= 2*k
	reject := -n % n
	for left > 0 {
		for _, x := range w.four() {
			m := uint64(x) * uint64(n)
			i := uint32(m >> 32)
			bit := uint64(1) << (i & 63)
			if uint32(m) < reject || set[i>>6]&bit != 0 {
				continue
			}
			set[i>>6] |= bit
			if !scan {
				b.list = append(b.list, i)
			}
			if left--; left == 0 {
				break
			}
		}
	}
	if !scan {
		for _, i := range b.list[len(b.list)-int(k):] {
			set[i>>6] = 0
		}
		return
	}
	for i, word := range set {
		set[i] = 0
		if most {
			word = ^word
			if i == size-1 && n%64 != 0 {
				word &= 1<<(n%64) - 1
			}
		}
		for ; word != 0; word &= word - 1 {
			b.list = append(b.list, uint32(i*64+bits.TrailingZeros64(word)))
		}
	}
}

// distance is that of two positions, the shorter way round along periodic axes.
func (pr *Profile) distance(x, y *[3]float64) float64 {
	sum := 0.0
	for i := range x {
		d := math.Abs(x[i] - y[i])
		if l := pr.Extent[i]; l > 0 {
			d -= float64(l * math.Floor(d/l+0.5))
		}
		sum += float64(d * d)
	}
	return math.Sqrt(sum)
}

// at is the profile at distance r relative to its peak, 0 to 1.
func (pr *Profile) at(r float64) float64 {
	if pr.Radius > 0 && r > pr.Radius {
		return 0
	}
	x := r / pr.Sigma
	switch pr.Shape {
	case "gaussian":
		return fmath.Exp(-0.5 * float64(x*x))
	case "exponential":
		return fmath.Exp(-x)
	case "linear":
		return max(0, 1-x)
	}
	if x <= 1 { // disc
		return 1
	}
	return 0
}
