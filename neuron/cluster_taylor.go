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
	cells []*Linear
	g     *coupling
	rate  []float64 // g/C of each entry of the coupling, 1/ms
	most  float64   // longest step, ms
	want  float64   // length of the coming step, ms

	v            []float64 // mV
	e, i, de, di []float64 // as in state
	level        []float64 // current from outside, pA

	h     float64     // ms
	terms int         // of the present polynomials
	c     [][]float64 // c[k][i]: coefficient of xᵏ of cell i
	ce    [2][]float64
	cd    [2][]float64
	bend  []float64 // Σ k (k−1) |c_k|, which bounds the second derivative
	top   []float64 // no V in the step is above it
}

// maxTerms is more than any step needs: (1)²⁴/24! < 2⁻⁷⁹.
const maxTerms = 28

func newTaylor(cells []ClusterCell, g *coupling) *taylor {
	n := len(cells)
	t := &taylor{g: g, rate: make([]float64, len(g.g))}
	fastest := 0.0
	for i, x := range cells {
		l := x.Lin
		t.cells = append(t.cells, l)
		sum := 0.0
		for k := g.ptr[i]; k < g.ptr[i+1]; k++ {
			t.rate[k] = float64(g.g[k] * l.invC)
			sum += t.rate[k]
		}
		fastest = max(fastest, l.invM+float64(2*sum), l.invS[0], l.invS[1])
	}
	t.most = 1 / fastest
	t.want = t.most
	lists := []*[]float64{&t.v, &t.e, &t.i, &t.de, &t.di, &t.level, &t.ce[0], &t.ce[1], &t.cd[0], &t.cd[1], &t.bend, &t.top}
	t.c = make([][]float64, maxTerms)
	for k := range t.c {
		lists = append(lists, &t.c[k])
	}
	stagger(n, lists)
	for i, l := range t.cells {
		t.v[i] = l.vRest
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
	clear(t.bend)
	copy(t.top, t.v)
	for k := range terms - 1 {
		f := t.h / float64(k+1)
		now, next := t.c[k], t.c[k+1]
		curve := float64(k * (k + 1))
		for i, l := range t.cells {
			e, in, de, di := t.ce[0][i], t.ce[1][i], t.cd[0][i], t.cd[1][i]
			v, current := now[i], e+in
			d := 0.0
			if !held[i] {
				for j := t.g.ptr[i]; j < t.g.ptr[i+1]; j++ {
					d += float64(t.rate[j] * (now[t.g.peer[j]] - v))
				}
				if k == 0 {
					v -= l.vRest
					current += t.level[i]
				}
				d += float64(current*l.invC) - float64(v*l.invM)
				d = float64(f * d)
			}
			next[i] = d
			if e != 0 || de != 0 {
				t.ce[0][i] = float64(f * (de - float64(e*l.invS[0])))
				t.cd[0][i] = -float64(f * de * l.invS[0])
			}
			if in != 0 || di != 0 {
				t.ce[1][i] = float64(f * (di - float64(in*l.invS[1])))
				t.cd[1][i] = -float64(f * di * l.invS[1])
			}
			if k == 0 {
				t.top[i] += max(d, 0)
				continue
			}
			t.bend[i] += float64(curve * math.Abs(d))
			t.top[i] += math.Abs(d)
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

// slopeAt is its derivative by x.
func (t *taylor) slopeAt(i int, x float64) float64 {
	v := 0.0
	for k := t.terms - 1; k > 0; k-- {
		v = float64(v*x) + float64(float64(k)*t.c[k][i])
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
	for i, l := range t.cells {
		t.v[i] = t.at(i, x)
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

func (t *taylor) above(i int, _ event.Time) bool { return t.v[i] >= t.cells[i].vTh }

func (t *taylor) fire(i int) { t.v[i] = t.cells[i].vTh + t.cells[i].reset }

func (t *taylor) arrive(i int, port uint8, w float64, held bool) {
	l := t.cells[i]
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
	l := t.cells[i]
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
	}
	return math.NaN()
}

// crossing gives up an interval only when the bound of the second derivative
// proves the potential to stay below the threshold, and otherwise halves it,
// left half first, down to a picosecond.
func (t *taylor) crossing(i int) (float64, bool) {
	th := t.cells[i].vTh
	if t.top[i] < th {
		return 0, false
	}
	a, b := t.at(i, 0)-th, t.at(i, 1)-th
	if a >= 0 {
		return 0, true
	}
	return t.cross(i, 0, 1, a, b)
}

func (t *taylor) cross(i int, lo, hi, a, b float64) (float64, bool) {
	m, w := t.bend[i], hi-lo
	if b < 0 {
		if max(a, b)+float64(m*w*w*0.125) < 0 || float64(w*t.h) <= picosecond {
			return 0, false
		}
	} else {
		if t.slopeAt(i, lo)-float64(m*w) > 0 {
			return t.root(i, lo, hi), true
		}
		if float64(w*t.h) <= picosecond {
			return hi, true
		}
	}
	mid := float64(0.5 * (lo + hi))
	c := t.at(i, mid) - t.cells[i].vTh
	if x, ok := t.cross(i, lo, mid, a, c); ok {
		return x, true
	}
	if c >= 0 {
		return mid, true
	}
	return t.cross(i, mid, hi, c, b)
}

// root solves for the threshold in (lo, hi], where V rises all the way.
func (t *taylor) root(i int, lo, hi float64) float64 {
	th, least := t.cells[i].vTh, float64(0.001*picosecond)/t.h
	x := hi
	for range 64 {
		f := t.at(i, x) - th
		if f < 0 {
			lo = x
		} else {
			hi = x
		}
		if f == 0 || hi-lo < least {
			return x
		}
		next := x - f/t.slopeAt(i, x)
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
