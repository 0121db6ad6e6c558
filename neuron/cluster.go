package neuron

import (
	"errors"
	"fmt"
	"math"

	"hmn/event"
	"hmn/event/quantity"
)

// Junction is a gap junction between two cells of a cluster: the current
// G (V_B − V_A) into A and its opposite into B.
type Junction struct {
	A, B int
	G    float64 // nS, > 0
}

// ClusterCell is what a cluster needs to know of one of its cells; one of these
// is set.
type ClusterCell struct {
	lin *Linear         // linear models
	mat *cascadeNeurons // mat2_psc_exp
	dyn *Cells          // models with integrated equations
}

// NewClusterCell is a cell of a model with checked parameters. lin is that of the
// population, for linear models.
func NewClusterCell(model string, v quantity.Values, lin *Linear) (ClusterCell, error) {
	if lin != nil {
		return ClusterCell{lin: lin}, nil
	}
	c, _, err := clusterCell(model, v)
	return c, err
}

// ClusterHit is one event on its way into a cluster: an arrival, or a change of
// current at PortCurrent.
type ClusterHit struct {
	At   event.Time
	Src  uint32 // global id of the source: the order among equal times
	Cell int32
	Port uint8
	W    float64
	Ref  uint32 // not 0: resolve says what W is, when it is known how often the cell has fired
}

// ClusterLook asks for a state variable of a cell at a time.
type ClusterLook struct {
	At    event.Time
	Cell  int32
	Key   string // as in Model.States, or I_syn
	Value float64
}

// ClusterSpike is a spike of a cell.
type ClusterSpike struct {
	At   event.Time
	Cell int32
}

// Cluster is a set of neurons that gap junctions join, advanced together:
//
//	C_i dV_i/dt = … + Σ_j g_ij (V_j − V_i),
//
// without delay. A refractory neuron whose potential is held at its reset is a
// source of voltage to the others. Arrivals, spikes and the end of refractoriness
// of any cell are events of the whole cluster; between events it follows a
// polynomial, which is made by one of two methods (motion). A cluster keeps its
// own time: a polynomial ends where its error would exceed its bound, or at an
// event, never because a window ends or somebody looks.
//
// At one instant all arrivals come first, then one threshold test, then the
// spikes in order of cells. Times of spikes are rounded once, to the nearest
// picosecond.
type Cluster struct {
	n    int
	m    motion
	g    coupling
	at   event.Time // the polynomial starts here,
	h    event.Time // is this long,
	end  event.Time // and something happens here: a spike, or it ends
	on   bool       // the polynomial is made
	due  []bool     // cells that reach their threshold at end
	hot  []bool     // cells that fired at `at`
	free []event.Time
	tRef []event.Time
	hold []bool // models that hold V during refractoriness
	mute []bool // models that do not, but are not to fire in it: steps end with it
	held []bool // V is held now
}

// motion makes polynomials: taylor for linear cells, joint otherwise.
type motion interface {
	// span makes the polynomial from the present state, at most limit long, and
	// says how long it is.
	span(at, limit event.Time, held []bool) (event.Time, error)
	// move takes the state to s ms after the start of the polynomial, x = s/h.
	move(s, x float64)
	// crossing finds the first x in (0, 1] at which cell i fires.
	crossing(i int) (x float64, ok bool)
	above(i int, at event.Time) bool // whether cell i fires now, at its potential
	potential(i int) float64
	arrive(i int, port uint8, w float64, held bool)
	fire(i int) // what a spike does to the state
	state(i int, key string) *float64
	look(i int, key string, s, x float64) float64
}

// coupling is the conductances of a cluster: cell i has the junctions
// [ptr[i], ptr[i+1]).
type coupling struct {
	ptr  []int32
	peer []int32
	g    []float64
}

func newCoupling(n int, junctions []Junction) coupling {
	c := coupling{ptr: make([]int32, n+1)}
	for _, j := range junctions {
		c.ptr[j.A+1]++
		c.ptr[j.B+1]++
	}
	for i := range n {
		c.ptr[i+1] += c.ptr[i]
	}
	c.peer, c.g = make([]int32, c.ptr[n]), make([]float64, c.ptr[n])
	next := append([]int32(nil), c.ptr...)
	for _, j := range junctions {
		for _, e := range [2][2]int{{j.A, j.B}, {j.B, j.A}} {
			c.peer[next[e[0]]], c.g[next[e[0]]] = int32(e[1]), j.G
			next[e[0]]++
		}
	}
	return c
}

// NewCluster joins cells by junctions between different ones of them. Linear
// cells only are followed to rounding; with others, all are integrated with the
// least of their tolerances.
func NewCluster(cells []ClusterCell, junctions []Junction) *Cluster {
	n := len(cells)
	c := &Cluster{n: n, g: newCoupling(n, junctions), due: make([]bool, n), hot: make([]bool, n), free: make([]event.Time, n),
		tRef: make([]event.Time, n), hold: make([]bool, n), mute: make([]bool, n), held: make([]bool, n)}
	linear := true
	for i, x := range cells {
		switch {
		case x.lin != nil:
			c.tRef[i], c.hold[i] = x.lin.tRef, true
		case x.mat != nil:
			c.tRef[i], c.mute[i] = x.mat.tRef, true
		default:
			c.tRef[i], c.hold[i], linear = x.dyn.s.sys.TRef, x.dyn.s.sys.Hold, false
		}
	}
	if linear {
		c.m = newTaylor(cells, &c.g)
	} else {
		c.m = newJoint(cells, &c.g, c.free)
	}
	return c
}

// State gives access to a state variable of a cell before the first Advance;
// nil: there is none of that name.
func (c *Cluster) State(i int, key string) *float64 { return c.m.state(i, key) }

// Advance carries the cluster to `to`, hit by hit. hits and looks are sorted by
// time; those of equal time by source and cell. Spikes are appended to spikes,
// in order of time. resolve gives the weight of a hit with Ref, after the spikes
// before it.
func (c *Cluster) Advance(to event.Time, hits []ClusterHit, looks []ClusterLook, spikes []ClusterSpike, resolve func(*ClusterHit, []ClusterSpike) float64) ([]ClusterSpike, error) {
	sent := len(spikes)
	var err error
	for k := 0; ; {
		t := to
		if k < len(hits) {
			t = hits[k].At
		}
		for !c.on || c.end < t {
			if c.on {
				looks = c.see(looks, c.end)
				c.moveTo(c.end)
			}
			if spikes, err = c.begin(spikes); err != nil {
				return spikes, err
			}
			if len(spikes)-sent > maxPerStep {
				return spikes, ErrRunaway
			}
		}
		looks = c.see(looks, t)
		if k == len(hits) {
			return spikes, nil
		}
		if c.end > t {
			clear(c.due)
		}
		c.moveTo(t)
		c.release()
		for ; k < len(hits) && hits[k].At == t; k++ {
			hit := &hits[k]
			w := hit.W
			if hit.Ref > 0 {
				w = resolve(hit, spikes)
			}
			c.m.arrive(int(hit.Cell), hit.Port, w, c.held[hit.Cell])
		}
		if spikes, err = c.begin(spikes); err != nil {
			return spikes, err
		}
	}
}

// see answers the looks before t, which lie on the polynomial.
func (c *Cluster) see(looks []ClusterLook, t event.Time) []ClusterLook {
	for len(looks) > 0 && looks[0].At < t {
		l := &looks[0]
		s := (l.At - c.at).MS()
		l.Value = c.m.look(int(l.Cell), l.Key, s, s/c.h.MS())
		looks = looks[1:]
	}
	return looks
}

func (c *Cluster) moveTo(t event.Time) {
	if t > c.at {
		s := (t - c.at).MS()
		c.m.move(s, s/c.h.MS())
		c.at = t
		clear(c.hot)
	}
}

// release ends the refractoriness of cells whose time has come.
func (c *Cluster) release() {
	for i, held := range c.held {
		if held && c.free[i] <= c.at {
			c.held[i] = false
		}
	}
}

// silent says that cell i cannot fire before the end of its refractoriness, which
// ends the step.
func (c *Cluster) silent(i int) bool { return c.held[i] || c.mute[i] && c.at < c.free[i] }

// begin tests the thresholds and makes the polynomial that starts now.
func (c *Cluster) begin(spikes []ClusterSpike) ([]ClusterSpike, error) {
	c.release()
	for i := range c.n {
		if math.IsNaN(c.m.potential(i)) {
			return spikes, ErrNaN
		}
		if !c.hot[i] && !c.silent(i) && (c.due[i] || c.m.above(i, c.at)) {
			spikes = append(spikes, ClusterSpike{c.at, int32(i)})
			c.hot[i] = true
			c.free[i] = c.at + c.tRef[i]
			c.held[i] = c.hold[i] && c.tRef[i] > 0
			c.m.fire(i)
		}
		c.due[i] = false
	}
	limit := event.MaxTime
	for i := range c.n {
		if c.silent(i) {
			limit = min(limit, c.free[i]-c.at)
		}
	}
	var err error
	if c.h, err = c.m.span(c.at, limit, c.held); err != nil {
		return spikes, err
	}
	c.on, c.end = true, c.at+c.h
	for i := range c.n {
		if c.silent(i) {
			continue
		}
		x, ok := c.m.crossing(i)
		if !ok {
			continue
		}
		d := event.Time(math.Floor(float64(x*c.h.MS()*1e9) + 0.5))
		if d == 0 && c.hot[i] {
			d = 1 // one spike per picosecond at most
		}
		if t := min(c.at+d, c.at+c.h); t < c.end {
			clear(c.due[:i])
			c.end, c.due[i] = t, true
		} else if t == c.end {
			c.due[i] = true
		}
	}
	return spikes, nil
}

var (
	errNotCoupled = errors.New("no membrane that a gap junction could join")
	errGrid       = errors.New("fixed_step is set: cells with gap junctions are integrated with adaptive steps")
)

// CheckClusterCell says why neurons of a model cannot have gap junctions, with
// the key at fault.
func CheckClusterCell(model string, v quantity.Values) (key string, err error) {
	if m, ok := Lookup(model); ok && m.Linear() {
		return "", nil
	}
	_, key, err = clusterCell(model, v)
	return key, err
}

func clusterCell(model string, v quantity.Values) (c ClusterCell, key string, err error) {
	m, ok := Lookup(model)
	if !ok || m.New == nil || !m.Currents {
		return c, "", fmt.Errorf("model %s has %w", model, errNotCoupled)
	}
	d, err := m.New(v, 0)
	if err != nil {
		return c, "", err
	}
	switch x := d.(type) {
	case *cascadeNeurons:
		return ClusterCell{mat: x}, "", nil
	case *Cells:
		if x.fixed > 0 {
			return c, "fixed_step", errGrid
		}
		return ClusterCell{dyn: x}, "", nil
	case *condExpCells: // its steps are for a neuron by itself
		if d, err = integrated(model, condExp)(v, 0); err != nil {
			return c, "", err
		}
		return ClusterCell{dyn: d.(*Cells)}, "", nil
	}
	return c, "", fmt.Errorf("model %s has %w", model, errNotCoupled)
}

// Inject adds a constant current [pA] to cell i before the first Advance.
func (c *Cluster) Inject(i int, current float64) { c.m.arrive(i, PortCurrent, current, false) }
