package event

import (
	"math/rand/v2"
	"slices"
	"testing"
)

// TestKindOrder: the order of kinds at one time is modulator jumps → arrivals → threshold tests →
// spikes → phase windows close → open → samples → checkpoint; stimuli see
// spikes before t and act from t on, so they come first.
func TestKindOrder(t *testing.T) {
	want := []Kind{KindStimulus, KindModulator, KindArrival, KindThreshold, KindSpike, KindPhaseClose, KindPhaseOpen, KindSample, KindCheckpoint}
	for k, kind := range want {
		if int(kind) != k {
			t.Errorf("kind %d has the number %d", k, kind)
		}
	}
	// Time goes before kind, kind before source, source before synapse,
	// synapse before sequence: each step changes one part up and all later
	// parts down.
	up := []Key{
		{1, KindCheckpoint, 9, 9, 9}, {2, KindStimulus, 9, 9, 9}, {2, KindArrival, 0, 9, 9},
		{2, KindArrival, 1, 0, 9}, {2, KindArrival, 1, 1, 0}, {2, KindArrival, 1, 1, 1},
	}
	if !slices.IsSortedFunc(up, Key.Compare) {
		t.Error("keys out of order")
	}
}

// TestCompare: a strict total order, by exhaustion over small keys.
func TestCompare(t *testing.T) {
	const seed = 1
	rng := rand.New(rand.NewPCG(seed, 0))
	var keys []Key
	for range 120 {
		keys = append(keys, Key{Time(rng.IntN(3) - 1), Kind(rng.IntN(3)), uint64(rng.IntN(2)) << 63, uint64(rng.IntN(2)), uint64(rng.IntN(2))})
	}
	for _, a := range keys {
		for _, b := range keys {
			ab := a.Compare(b)
			if ab != -b.Compare(a) || (ab == 0) != (a == b) {
				t.Fatalf("%+v and %+v: %d and %d", a, b, ab, b.Compare(a))
			}
			if ab >= 0 {
				continue
			}
			for _, c := range keys {
				if b.Compare(c) < 0 && a.Compare(c) >= 0 {
					t.Fatalf("%+v < %+v < %+v, but not the first and the last", a, b, c)
				}
			}
		}
	}
}

func TestGrid(t *testing.T) {
	g := Grid{Step: 7}
	for _, c := range []struct{ from, cut, end Time }{
		{0, MaxTime, 7}, {7, MaxTime, 14}, {9, MaxTime, 14}, {0, 3, 3}, {3, MaxTime, 7}, {3, 3, 7},
		{3, 2, 7}, {7, 14, 14}, {7, 15, 14}, {13, 14, 14}, {0, 7, 7},
	} {
		w := g.Next(c.from, c.cut)
		if w != (Window{c.from, c.end}) || w.Len() != c.end-c.from {
			t.Errorf("Next(%d, %d) = %v, want end %d", c.from, c.cut, w, c.end)
		}
	}
	// Whatever cuts, windows touch, are not empty, no longer than Step, and
	// every multiple of Step is a boundary.
	const seed = 2
	rng := rand.New(rand.NewPCG(seed, 0))
	for range 200 {
		g := Grid{Step: 1 + Time(rng.IntN(50))}
		for now := Time(0); now < 1000; {
			w := g.Next(now, now+Time(rng.IntN(80))-5)
			if w.Start != now || w.Len() <= 0 || w.Len() > g.Step || (w.End-1)/g.Step != now/g.Step {
				t.Fatalf("seed %d: step %d, from %d: %v", seed, g.Step, now, w)
			}
			now = w.End
		}
	}
	// At the end of time.
	for _, g := range []Grid{{1}, {7}, {MaxWindow}, {Millisecond}} {
		now := MaxTime - 3*g.Step
		for range 6 {
			w := g.Next(now, MaxTime)
			if now == MaxTime {
				break
			}
			if w.Start != now || w.Len() <= 0 || w.Len() > g.Step {
				t.Fatalf("step %d from %d: %v", g.Step, now, w)
			}
			now = w.End
		}
		if now != MaxTime {
			t.Errorf("step %d: reached %d, not MaxTime", g.Step, now)
		}
	}
	if int64(MaxWindow) != int64(^uint32(0)) {
		t.Errorf("MaxWindow = %d, want what 32 bits hold", MaxWindow)
	}
}
