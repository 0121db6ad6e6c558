package neuron

import (
	"testing"

	"hmn/event"
)

// TestFlush: a neuron left alone for a minute ends at exactly zero and not in
// subnormal numbers, and flushing moves nothing that could matter.
func TestFlush(t *testing.T) {
	l, err := NewLinear("iaf_psc_exp", nil, event.Millisecond)
	if err != nil {
		t.Fatal(err)
	}
	s, st := l.NewState(2), l.Step(event.Millisecond)
	pos, neg := make([][2]float64, 2), make([][2]float64, 2)
	s.V[0], s.E[0], s.I[0] = -3, 40, -50
	s.V[1], s.E[1] = sentinel, 1e-149
	before := s.V[1]
	s.Flush()
	if s.V[0] != -3 || s.E[0] != 40 || s.I[0] != -50 || s.V[1] != before || s.E[1] != 1e-149 {
		t.Error("flushing changed a number of size")
	}
	for k := range 60_000 {
		if k%16 == 0 {
			s.Flush()
		}
		l.SweepExp(s, &st, pos, neg, nil)
		for _, x := range []float64{s.V[0], s.E[0], s.I[0], s.E[1]} {
			if x != 0 && x > -1e-300 && x < 1e-300 {
				t.Fatalf("window %d: %g", k, x)
			}
		}
	}
	if s.V[0] != 0 || s.E[0] != 0 || s.I[0] != 0 || s.E[1] != 0 {
		t.Errorf("%g %g %g %g after a minute, want 0", s.V[0], s.E[0], s.I[0], s.E[1])
	}
}
