package network

import (
	"math"
	"strings"
	"testing"

	"hmn/event/random"
)

// TestDrawKeyed: a draw depends on key and entity only, and a truncated one is
// the first of the entity's draws that fits.
func TestDrawKeyed(t *testing.T) {
	key := random.NewKey(1, random.StreamInit, random.Name("E"))
	v := Value{Form: Normal, A: -58, B: 5}
	cut := v
	cut.Max, cut.HasMax = -60, true
	redrawn := 0
	for i := range uint64(1000) {
		free, err := v.draw(key, i)
		if err != nil {
			t.Fatal(err)
		}
		if again, _ := v.draw(key, i); again != free {
			t.Fatalf("entity %d: %g, then %g", i, free, again)
		}
		x, err := cut.draw(key, i)
		if err != nil {
			t.Fatal(err)
		}
		src := key.Source(i)
		want := v.A + float64(v.B*src.Normal())
		for want > -60 {
			want = v.A + float64(v.B*src.Normal())
			redrawn++
		}
		if x != want {
			t.Fatalf("entity %d: truncated draw %g, want %g", i, x, want)
		}
	}
	if redrawn == 0 {
		t.Error("no draw was repeated")
	}
	column := Value{Form: Column, Column: []float64{3, 4}}
	if x, err := column.draw(key, 1); x != 4 || err != nil {
		t.Errorf("column: %g, %v", x, err)
	}
	hopeless := Value{Form: Normal, A: 0, B: 1, Min: 30, HasMin: true}
	if _, err := hopeless.draw(key, 0); err == nil || !strings.Contains(err.Error(), "1000000 tries") {
		t.Errorf("hopeless limits: %v", err)
	}
}

// TestUniformLimits: rounding cannot lift a draw above the upper limit.
func TestUniformLimits(t *testing.T) {
	key := random.NewKey(2, random.StreamInit, 0)
	v := Value{Form: Uniform, A: 0.1, B: math.Nextafter(0.1, 1)}
	for i := range uint64(1000) {
		if x, _ := v.draw(key, i); x < v.A || x > v.B {
			t.Fatalf("drawn %g outside [%g, %g]", x, v.A, v.B)
		}
	}
}

func TestDrawAllocs(t *testing.T) {
	key := random.NewKey(3, random.StreamInit, 0)
	v := Value{Form: Normal, A: 1, B: 1, Min: 0, HasMin: true}
	i := uint64(0)
	if n := testing.AllocsPerRun(1000, func() {
		if _, err := v.draw(key, i); err != nil {
			t.Error(err)
		}
		i++
	}); n != 0 {
		t.Errorf("%g allocations per draw", n)
	}
}
