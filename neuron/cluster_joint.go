package neuron

import (
	"math"

	"hmn/event"
)

// joint is the motion of clusters with cells that have no closed form. All cells
// are integrated together by the method of Dormand & Prince that single ones
// have (solver), so that the potentials in the junction currents are those of
// the same stage. The step is as long as the worst of all variables allows.
type joint struct {
	cells []jointCell
	g     *coupling
	free  []event.Time
	rtol  float64
	next  float64 // length of the coming step, ms
	z     []Vector
	k     [7][]Vector
	first bool // k[0] are the slopes where the coming step starts
}

// jointCell is one cell on its way.
type jointCell struct {
	orbit
	dyn    *Cells
	tol    Vector
	adapts bool // mat2_psc_exp: the threshold is Level + y[3] + y[4]
}

func newJoint(cells []ClusterCell, g *coupling, free []event.Time) *joint {
	n := len(cells)
	q := &joint{cells: make([]jointCell, n), g: g, free: free, rtol: math.Inf(1), next: firstStep, z: make([]Vector, n)}
	for k := range q.k {
		q.k[k] = make([]Vector, n)
	}
	for _, c := range cells {
		if c.dyn != nil {
			q.rtol = min(q.rtol, c.dyn.rtol)
		}
	}
	for i, c := range cells {
		x := &q.cells[i]
		switch x.dyn, x.adapts = c.dyn, c.mat != nil; {
		case c.lin != nil:
			x.dyn = NewCells(linearSystem(c.lin), q.rtol, 0, 0)
		case x.adapts:
			x.dyn = NewCells(matSystem(c.mat), q.rtol, 0, 0)
		}
		for j, v := range x.dyn.s.sys.Vars {
			x.y[j] = v.Start
			x.tol[j] = float64(q.rtol * v.Scale)
		}
	}
	return q
}

// linearSystem is a linear model as a System.
func linearSystem(l *Linear) System {
	sys := System{Level: l.vTh, Hold: true, TRef: l.tRef, Reset: func(y *Vector) { y[0] = l.vTh + l.reset },
		Vars: []Var{{"V_m", l.vRest, scaleV, l.vRest}}, Inputs: []Input{{0, 1, false}, {0, 1, false}}}
	if l.psc != Delta {
		sys.Vars = append(sys.Vars, Var{"I_syn_ex", 0, scaleI, 0}, Var{"I_syn_in", 0, scaleI, 0})
		sys.Inputs = []Input{{1, 1, false}, {2, 1, false}}
	}
	if l.psc == Alpha {
		sys.Vars = append(sys.Vars, Var{"dI_syn_ex", 0, scaleI, 0}, Var{"dI_syn_in", 0, scaleI, 0})
		sys.Inputs = []Input{{3, l.peak[0], false}, {4, l.peak[1], false}}
	}
	sys.Slopes = func(dy, y *Vector, current float64, held bool) {
		dy[0] = 0
		if !held {
			dy[0] = float64((current+y[1]+y[2])*l.invC) - float64((y[0]-l.vRest)*l.invM)
		}
		for p, rate := range l.invS {
			dy[1+p] = y[3+p] - float64(rate*y[1+p])
			dy[3+p] = -float64(rate * y[3+p])
		}
	}
	return sys
}

// matSystem is mat2_psc_exp as a System, but for its threshold.
func matSystem(m *cascadeNeurons) System {
	return System{Level: m.level, TRef: m.tRef,
		Vars: []Var{{"V_m", m.home.u, scaleV, m.home.rest}, {"I_syn_ex", 0, scaleI, 0}, {"I_syn_in", 0, scaleI, 0},
			{"V_th_alpha_1", 0, scaleV, 0}, {"V_th_alpha_2", 0, scaleV, 0}},
		Inputs: []Input{{1, 1, false}, {2, 1, false}},
		Reset: func(y *Vector) {
			y[3] += m.raise[0]
			y[4] += m.raise[1]
		},
		Slopes: func(dy, y *Vector, current float64, _ bool) {
			dy[0] = float64((current+y[1]+y[2])*m.g[0]) - float64((y[0]-m.home.rest)*m.k0)
			dy[1], dy[2], dy[3], dy[4] = -m.k1*y[1], -m.k2*y[2], -m.r[0]*y[3], -m.r[1]*y[4]
		},
	}
}

func (q *joint) state(i int, key string) *float64 {
	x := &q.cells[i]
	for j := range x.dyn.s.sys.Vars {
		if x.dyn.s.sys.Vars[j].Key == key {
			return &x.y[j]
		}
	}
	return nil
}

// slopes sets dst to the slopes at the states y.
func (q *joint) slopes(dst, y []Vector, held []bool) {
	for i := range q.cells {
		x, v := &q.cells[i], y[i][0]
		current := x.current
		for k := q.g.ptr[i]; k < q.g.ptr[i+1]; k++ {
			current += float64(q.g.g[k] * (y[q.g.peer[k]][0] - v))
		}
		x.dyn.s.sys.Slopes(&dst[i], &y[i], current, held[i])
	}
}

func (q *joint) span(at, limit event.Time, held []bool) (event.Time, error) {
	wanted := min(q.next, mostStep)
	h := min(event.Time(wanted*1e9), limit)
	cut := h == limit
	for {
		h = max(h, 1)
		err := q.embedded(h.MS(), held)
		f := growth(err)
		if err <= 1 {
			q.next = float64(h.MS() * f)
			if cut {
				q.next = max(q.next, wanted)
			}
			break
		}
		if h == 1 {
			return 0, ErrStiff
		}
		h, cut, q.first = event.Time(float64(float64(h)*f)), false, true
	}
	q.first = false
	for i := range q.cells {
		x := &q.cells[i]
		x.at, x.h, x.free = at, h.MS(), q.free[i]
	}
	return h, nil
}

// embedded tries a step of h ms and returns its estimated error in units of the
// tolerance: see solver.embedded.
func (q *joint) embedded(h float64, held []bool) (worst float64) {
	if !q.first {
		for i := range q.cells {
			q.z[i] = q.cells[i].y
		}
		q.slopes(q.k[0], q.z, held)
	}
	k := &q.k
	for stage := 1; stage < 6; stage++ {
		a := &stages[stage-1]
		for i := range q.cells {
			x := &q.cells[i]
			for j := range x.dyn.s.sys.Vars {
				sum := 0.0
				for l := range stage {
					sum += float64(a[l] * k[l][i][j])
				}
				q.z[i][j] = x.y[j] + float64(h*sum)
			}
		}
		q.slopes(k[stage], q.z, held)
	}
	for i := range q.cells {
		x := &q.cells[i]
		p := &x.path
		for j := range x.dyn.s.sys.Vars {
			p.r1[j] = float64(h * (float64(b1*k[0][i][j]) + float64(b3*k[2][i][j]) + float64(b4*k[3][i][j]) + float64(b5*k[4][i][j]) + float64(b6*k[5][i][j])))
			q.z[i][j] = x.y[j] + p.r1[j]
		}
	}
	q.slopes(k[6], q.z, held)
	for i := range q.cells {
		x := &q.cells[i]
		p := &x.path
		for j := range x.dyn.s.sys.Vars {
			e := float64(h * (float64(e1*k[0][i][j]) + float64(e3*k[2][i][j]) + float64(e4*k[3][i][j]) + float64(e5*k[4][i][j]) + float64(e6*k[5][i][j]) + float64(e7*k[6][i][j])))
			ref := x.dyn.s.sys.Vars[j].Ref
			e = math.Abs(e) / (x.tol[j] + float64(q.rtol*max(math.Abs(x.y[j]-ref), math.Abs(q.z[i][j]-ref))))
			if !(e <= worst) { // not a number is too much
				worst = e
			}
			p.r2[j] = float64(h*k[0][i][j]) - p.r1[j]
			p.r3[j] = p.r1[j] - float64(h*k[6][i][j]) - p.r2[j]
			p.r4[j] = float64(h * (float64(d1*k[0][i][j]) + float64(d3*k[2][i][j]) + float64(d4*k[3][i][j]) + float64(d5*k[4][i][j]) + float64(d6*k[5][i][j]) + float64(d7*k[6][i][j])))
		}
	}
	return worst
}

// stages are the coefficients of the method of Dormand & Prince.
var stages = [5][5]float64{{a21}, {a31, a32}, {a41, a42, a43}, {a51, a52, a53, a54}, {a61, a62, a63, a64, a65}}

func (q *joint) move(s, x float64) {
	for i := range q.cells {
		c := &q.cells[i]
		n := len(c.dyn.s.sys.Vars)
		if c.dyn.s.sys.Summit {
			b := c.path.bernstein(&c.y, 0)
			if x < 1 {
				_, rest := cut(0, &b, x)
				c.goes(rest[1] > rest[0])
			} else {
				c.goes(b[4] > b[3])
			}
		}
		c.y = c.path.at(&c.y, x, n)
	}
}

func (q *joint) potential(i int) float64 { return q.cells[i].y[0] }

// above is the test at an instant; an arrival may end a rise at once.
func (q *joint) above(i int, at event.Time) bool {
	x := &q.cells[i]
	sys := x.dyn.s.sys
	if x.adapts {
		return x.y[0]-x.y[3]-x.y[4] >= sys.Level
	}
	if x.y[0] < sys.Level {
		return false
	}
	if !sys.Summit {
		return true
	}
	if !x.rising || x.topped || at < q.free[i] {
		return false
	}
	current := x.current
	for k := q.g.ptr[i]; k < q.g.ptr[i+1]; k++ {
		current += float64(q.g.g[k] * (q.cells[q.g.peer[k]].y[0] - x.y[0]))
	}
	var dy Vector
	sys.Slopes(&dy, &x.y, current, false)
	return dy[0] <= 0
}

func (q *joint) crossing(i int) (float64, bool) {
	x := &q.cells[i]
	if !x.adapts {
		return x.dyn.find(&x.orbit)
	}
	b, b1, b2 := x.path.bernstein(&x.y, 0), x.path.bernstein(&x.y, 3), x.path.bernstein(&x.y, 4)
	for k := range b {
		b[k] -= b1[k] + b2[k]
	}
	return firstAtLeast(b, x.dyn.s.sys.Level)
}

func (q *joint) fire(i int) {
	x := &q.cells[i]
	x.rising, x.topped = false, true
	if reset := x.dyn.s.sys.Reset; reset != nil {
		reset(&x.y)
		q.next = max(q.next, firstStep)
	}
}

func (q *joint) arrive(i int, port uint8, w float64, held bool) {
	x := &q.cells[i]
	if held && port != PortCurrent && x.dyn.s.sys.Inputs[port].Var == 0 { // a jump of V
		return
	}
	x.dyn.arrive(&x.y, &x.current, &Arrival{Port: port, Weight: w})
}

func (q *joint) look(i int, key string, _, x float64) float64 {
	c := &q.cells[i]
	y := c.path.at(&c.y, x, len(c.dyn.s.sys.Vars))
	sum, some := 0.0, false
	for j, v := range c.dyn.s.sys.Vars {
		if v.Key == key {
			return y[j]
		}
		if v.Key == "I_syn_ex" || v.Key == "I_syn_in" {
			sum += y[j]
			some = true
		}
	}
	if key == "I_syn" && some {
		return sum
	}
	return math.NaN()
}
