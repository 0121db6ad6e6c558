package validation

import (
	"math"
	"testing"
)

func TestTmpClocked(t *testing.T) {
	for _, rates := range []bool{false, true} {
		w, end := p2World(rates, 8)
		w.adopt(t, w.model(false))
		list := w.candidates(end)
		for _, mid := range []bool{false, true} {
			for _, dt := range []float64{1, 0.5, 0.25, 0.1} {
				got, _ := w.clockedRun(t, ms(dt), mid, end, nil)
				type id struct {
					e uint32
					k int64
				}
				have := map[id]float64{}
				for _, c := range got.candidates {
					have[id{c.Synapse.Source, c.K}] = c.Value
				}
				s, q := 0.0, 0.0
				for _, c := range list {
					x, ok := have[id{uint32(c.edge), c.k}]
					if !ok {
						t.Error("missing")
					}
					s += (x - c.value) * (x - c.value)
					q += c.value * c.value
				}
				t.Log(rates, mid, dt, len(list), len(got.candidates), math.Sqrt(s/q))
			}
		}
	}
	for _, c := range checkLiteral(t) {
		t.Log(c.OK(), c.Name, c.Got, c.Tolerance)
	}
}
