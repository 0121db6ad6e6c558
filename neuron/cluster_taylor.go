package neuron

import (
	"math"

	"hmn/event"
	"hmn/event/fmath"
)

// taylor is the motion of linear cells. Their potentials and currents together
// obey one linear system, whose Taylor series
//
//	V_i,k+1 = (h/(k+1)) (−(V_i,k − [k=0] V_rest)/τ_m + (I_i,k + [k=0] I_level)/C
//	          + Σ_j (g_ij/C_i)(V_j,k − V_i,k)),    V_i(x h) = Σ_k V_i,k xᵏ,
//
// is summed until the rest is below rounding: with ρ the largest of the rates
// 1/τ_m + 2 Σ_j g_ij/C_i and 1/τ_syn, the terms fall like (ρh)ᵏ/k!, and h is at
// most 1/ρ. So a step of any cluster is as good as a closed form, at a cost of
// one pass over cells and junctions per term, and no matrix has to be factored
// when neurons become refractory. Currents are exponentials and carried as such.
type taylor struct {
	cells []taylorCell
	g     *coupling
	rate  []float64 // g/C of each entry of the coupling, 1/ms
	most  float64   // longest step, ms
	want  float64   // length of the coming step, ms

	v            []float64    // mV
	th           [2][]float64 // adaptive parts of the threshold, mV
	e, i, de, di []float64    // as in state
	level        []float64    // current from outside, pA

	h     float64     // ms
	terms int         // of the present polynomials
	c     [][]float64 // c[k][i]: coefficient of xᵏ of cell i
	ce    [2][]float64
	cd    [2][]float64
	top   []float64 // no V in the step is above it
}

// taylorCell is the constants of one cell: those of a linear model, or of
// mat2_psc_exp, which is not reset and whose threshold is raised and relaxes.
type taylorCell struct {
	psc        PSC
	adapts     bool
	invM, invC float64
	invS       [2]float64
	peak       [2]float64
	rest       float64 // without synaptic currents, mV
	level      float64 // threshold, mV
	reset      float64 // mV, unless adapts
	r, raise   [2]float64
}

func newTaylorCell(x ClusterCell) taylorCell {
	if l := x.lin; l != nil {
		return taylorCell{psc: l.psc, invM: l.invM, invC: l.invC, invS: l.invS, peak: l.peak, rest: l.vRest, level: l.vTh, reset: l.vTh + l.reset}
	}
	m := x.mat
	return taylorCell{psc: Exp, adapts: true, invM: m.k0, invC: m.g[0], invS: [2]float64{m.k1, m.k2}, rest: m.home.rest, level: m.level, r: m.r, raise: m.raise}
}

// maxTerms is more than any step needs: (1)²⁴/24! < 2⁻⁷⁹.
const maxTerms = 28

func newTaylor(cells []ClusterCell, g *coupling) *taylor {
	n := len(cells)
	t := &taylor{g: g, rate: make([]float64, len(g.g))}
	fastest := 0.0
	for i, x := range cells {
		l := newTaylorCell(x)
		t.cells = append(t.cells, l)
		sum := 0.0
		for k := g.ptr[i]; k < g.ptr[i+1]; k++ {
			t.rate[k] = float64(g.g[k] * l.invC)
			sum += t.rate[k]
		}
		fastest = max(fastest, l.invM+float64(2*sum), l.invS[0], l.invS[1], l.r[0], l.r[1])
	}
	t.most = 1 / fastest
	t.want = t.most
	lists := []*[]float64{&t.v, &t.e, &t.i, &t.de, &t.di, &t.level, &t.ce[0], &t.ce[1], &t.cd[0], &t.cd[1], &t.th[0], &t.th[1], &t.top}
	t.c = make([][]float64, maxTerms)
	for k := range t.c {
		lists = append(lists, &t.c[k])
	}
	stagger(n, lists)
	for i, x := range cells {
		if t.v[i] = t.cells[i].rest; x.mat != nil {
			t.v[i] = x.mat.home.u
		}
	}
	return t
}

func (t *taylor) state(i int, key string) *float64 {
	switch key {
	case "V_m":
		return &t.v[i]
	case "I_syn_ex":
		return &t.e[i]
	case "I_syn_in":
		return &t.i[i]
	case "dI_syn_ex":
		return &t.de[i]
	case "dI_syn_in":
		return &t.di[i]
	case "V_th_alpha_1":
		return &t.th[0][i]
	case "V_th_alpha_2":
		return &t.th[1][i]
	}
	return nil
}

func (t *taylor) span(_, limit event.Time, held []bool) (event.Time, error) {
	h := min(max(1, event.Time(min(t.want*1e9, 1e15))), limit)
	t.h = h.MS()
	t.expand(t.h/t.most, held)
	return h, nil
}

// expand makes the coefficients for a step in which the terms fall like x^k/k!.
func (t *taylor) expand(x float64, held []bool) {
	// Currents act through at most two integrations, hence three terms more.
	terms, left := 4, 1.0
	for left > 0x1p-56 && terms < maxTerms {
		terms++
		left *= x / float64(terms-4)
	}
	t.terms = terms
	copy(t.c[0], t.v)
	copy(t.ce[0], t.e)
	copy(t.ce[1], t.i)
	copy(t.cd[0], t.de)
	copy(t.cd[1], t.di)
	copy(t.top, t.v)
	n := len(t.cells)
	ce0, ce1, cd0, cd1, top := t.ce[0][:n], t.ce[1][:n], t.cd[0][:n], t.cd[1][:n], t.top[:n]
	held = held[:n]
	for k := range terms - 1 {
		f := t.h / float64(k+1)
		now, next := t.c[k][:n], t.c[k+1][:n]
		for i := range t.cells {
			l := &t.cells[i]
			e, in, de, di := ce0[i], ce1[i], cd0[i], cd1[i]
			v, current := now[i], e+in
			d := 0.0
			if !held[i] {
				lo, hi := t.g.ptr[i], t.g.ptr[i+1]
				rate := t.rate[lo:hi]
				for j, peer := range t.g.peer[lo:hi][:len(rate)] {
					d += float64(rate[j] * (now[peer] - v))
				}
				if k == 0 {
					v -= l.rest
					current += t.level[i]
				}
				d += float64(current*l.invC) - float64(v*l.invM)
				d = float64(f * d)
			}
			next[i] = d
			if e != 0 || de != 0 {
				ce0[i] = float64(f * (de - float64(e*l.invS[0])))
				cd0[i] = -float64(f * de * l.invS[0])
			}
			if in != 0 || di != 0 {
				ce1[i] = float64(f * (di - float64(in*l.invS[1])))
				cd1[i] = -float64(f * di * l.invS[1])
			}
			if k == 0 {
				d = max(d, 0)
			}
			top[i] += math.Abs(d)
		}
	}
}

// at is the potential of cell i at x.
func (t *taylor) at(i int, x float64) float64 {
	v := 0.0
	for k := t.terms - 1; k >= 0; k-- {
		v = float64(v*x) + t.c[k][i]
	}
	return v
}

func (t *taylor) move(s, x float64) {
	// Where events cut steps short, shorter ones with fewer terms do.
	t.want = max(float64(2*s), t.most/16)
	if x == 1 {
		t.want = float64(4 * t.h)
	}
	t.want = min(t.want, t.most)
	for i := range t.cells {
		l := &t.cells[i]
		t.v[i] = t.at(i, x)
		if l.adapts {
			t.th[0][i], t.th[1][i] = t.threshold(i, 0, s), t.threshold(i, 1, s)
		}
		if t.e[i] != 0 || t.de[i] != 0 {
			t.e[i], t.de[i] = decayed(t.e[i], t.de[i], s, l.invS[0])
		}
		if t.i[i] != 0 || t.di[i] != 0 {
			t.i[i], t.di[i] = decayed(t.i[i], t.di[i], s, l.invS[1])
		}
	}
}

// decayed is a current and its slope variable s ms later; what has decayed to
// nothing is nothing.
func decayed(i, d, s, rate float64) (float64, float64) {
	es := fmath.Exp(-s * rate)
	i = float64((i + float64(d*s)) * es)
	d = float64(d * es)
	if math.Abs(i) < tiny && math.Abs(d) < tiny {
		return 0, 0
	}
	return i, d
}

func (t *taylor) potential(i int) float64 { return t.v[i] }

// threshold is part q of the adaptive threshold s ms later.
func (t *taylor) threshold(i, q int, s float64) float64 {
	th := t.th[q][i]
	if th == 0 {
		return 0
	}
	return float64(th * fmath.Exp(-t.cells[i].r[q]*s))
}

func (t *taylor) above(i int, _ event.Time) bool {
	return t.v[i] >= t.cells[i].level+t.th[0][i]+t.th[1][i]
}

func (t *taylor) fire(i int) {
	l := &t.cells[i]
	if !l.adapts {
		t.v[i] = l.reset
		return
	}
	t.th[0][i] += l.raise[0]
	t.th[1][i] += l.raise[1]
}

func (t *taylor) arrive(i int, port uint8, w float64, held bool) {
	l := &t.cells[i]
	switch {
	case port == PortCurrent:
		t.level[i] += w
	case l.psc == Delta:
		if !held {
			t.v[i] += w
		}
	case l.psc == Exp && port == PortEx:
		t.e[i] += w
	case l.psc == Exp:
		t.i[i] += w
	case port == PortEx:
		t.de[i] += float64(w * l.peak[0])
	default:
		t.di[i] += float64(w * l.peak[1])
	}
}

func (t *taylor) look(i int, key string, s, x float64) float64 {
	l := &t.cells[i]
	e, de := decayed(t.e[i], t.de[i], s, l.invS[0])
	in, di := decayed(t.i[i], t.di[i], s, l.invS[1])
	switch key {
	case "V_m":
		return t.at(i, x)
	case "I_syn":
		return e + in
	case "I_syn_ex":
		return e
	case "I_syn_in":
		return in
	case "dI_syn_ex":
		return de
	case "dI_syn_in":
		return di
	case "V_th_alpha_1":
		return t.threshold(i, 0, s)
	case "V_th_alpha_2":
		return t.threshold(i, 1, s)
	}
	return math.NaN()
}

// crossing looks for the threshold on the polynomial of V, less that of the
// threshold where it adapts.
func (t *taylor) crossing(i int) (float64, bool) {
	l := &t.cells[i]
	least := l.level // of the threshold in the step
	if l.adapts {
		for q := range l.r {
			least += min(t.th[q][i], t.threshold(i, q, t.h))
		}
	}
	if t.top[i] < least {
		return 0, false
	}
	p := polynomial{n: t.terms, h: t.h}
	for k := range t.terms {
		p.c[k] = t.c[k][i]
	}
	p.c[0] -= l.level
	for q, r := range l.r {
		for k, th := 0, t.th[q][i]; th != 0 && k < t.terms; k++ {
			p.c[k] -= th
			th *= -float64(r*t.h) / float64(k+1)
		}
	}
	for k := 2; k < p.n; k++ {
		p.bend += float64(float64(k*(k-1)) * math.Abs(p.c[k]))
	}
	if p.c[0] >= 0 {
		return 0, true
	}
	return p.cross(0, 1, p.c[0], p.at(1))
}

// polynomial is Σ c_k xᵏ for x in [0, 1], n terms, over h ms; bend bounds its
// second derivative.
type polynomial struct {
	c       [maxTerms]float64
	n       int
	h, bend float64
}

func (p *polynomial) at(x float64) float64 {
	v := 0.0
	for k := p.n - 1; k >= 0; k-- {
		v = float64(v*x) + p.c[k]
	}
	return v
}

func (p *polynomial) slope(x float64) float64 {
	v := 0.0
	for k := p.n - 1; k > 0; k-- {
		v = float64(v*x) + float64(float64(k)*p.c[k])
	}
	return v
}

// cross finds the first zero in (lo, hi], where the values at the ends are a < 0
// and b. It gives up an interval only when the bound of the second derivative
// proves the polynomial to stay below 0, and otherwise halves it, left half
// first, down to a picosecond.
func (p *polynomial) cross(lo, hi, a, b float64) (float64, bool) {
	w := hi - lo
	if b < 0 {
		if max(a, b)+float64(p.bend*w*w*0.125) < 0 || float64(w*p.h) <= picosecond {
			return 0, false
		}
	} else {
		if p.slope(lo)-float64(p.bend*w) > 0 {
			return p.root(lo, hi), true
		}
		if float64(w*p.h) <= picosecond {
			return hi, true
		}
	}
	mid := float64(0.5 * (lo + hi))
	c := p.at(mid)
	if x, ok := p.cross(lo, mid, a, c); ok {
		return x, true
	}
	if c >= 0 {
		return mid, true
	}
	return p.cross(mid, hi, c, b)
}

// root solves for the zero in (lo, hi], where the polynomial rises all the way:
// Newton's method inside a shrinking bracket.
func (p *polynomial) root(lo, hi float64) float64 {
	least := float64(0.001*picosecond) / p.h
	x := hi
	for range 64 {
		f := p.at(x)
		if f < 0 {
			lo = x
		} else {
			hi = x
		}
		if f == 0 || hi-lo < least {
			return x
		}
		next := x - f/p.slope(x)
		if !(next > lo && next < hi) {
			next = float64(0.5 * (lo + hi))
		}
		if math.Abs(next-x) < least {
			return next
		}
		x = next
	}
	return x
}
