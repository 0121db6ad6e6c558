package event

import (
	"errors"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// TestAgendaOrder: against a sorted slice, with keys equal up to Seq, cancelled
// entries, and handlers that schedule more.
func TestAgendaOrder(t *testing.T) {
	for seed := range uint64(30) {
		rng := rand.New(rand.NewPCG(seed, 0))
		a := NewAgenda()
		var want, got []Key
		var schedule func(at Time, deep int)
		schedule = func(at Time, deep int) {
			k := Key{At: at, Kind: Kind(rng.IntN(4)), Source: uint64(rng.IntN(3)), Synapse: uint64(rng.IntN(2))}
			var full Key
			full, err := a.Schedule(k, func(now Time) error {
				if now != at {
					t.Errorf("seed %d: handler of %d called at %d", seed, at, now)
				}
				got = append(got, full)
				if deep > 0 && rng.IntN(4) == 0 {
					schedule(at+1+Time(rng.IntN(5)), deep-1)
				}
				return nil
			})
			if err != nil {
				t.Fatalf("seed %d: %v", seed, err)
			}
			k.Seq = full.Seq
			if k != full {
				t.Fatalf("seed %d: scheduled %+v, got %+v", seed, k, full)
			}
			want = append(want, full)
		}
		for range 200 {
			schedule(Time(rng.IntN(40)), 2)
		}
		for range 40 { // cancel some, twice
			k := rng.IntN(len(want))
			if !a.Cancel(want[k]) || a.Cancel(want[k]) {
				t.Fatalf("seed %d: Cancel", seed)
			}
			want = slices.Delete(want, k, k+1)
		}
		if a.Len() != len(want) {
			t.Fatalf("seed %d: Len %d, want %d", seed, a.Len(), len(want))
		}
		for a.Len() > 0 {
			to := a.Next() + Time(rng.IntN(6))
			if err := a.RunBefore(to); err != nil {
				t.Fatal(err)
			}
			for _, k := range got {
				if k.At >= max(to, 1) {
					t.Fatalf("seed %d: RunBefore(%d) ran %+v", seed, to, k)
				}
			}
			if a.Next() < to {
				t.Fatalf("seed %d: RunBefore(%d) left an entry at %d", seed, to, a.Next())
			}
		}
		slices.SortFunc(want, Key.Compare)
		if !slices.Equal(got, want) {
			t.Fatalf("seed %d: ran in another order than that of the keys", seed)
		}
		if a.Next() != MaxTime {
			t.Errorf("an empty agenda has a next entry at %d", a.Next())
		}
	}
}

// TestAgendaSame: a handler may schedule at its own instant; the entry still
// runs, after those that come before it in the order.
func TestAgendaSame(t *testing.T) {
	a := NewAgenda()
	var got []string
	note := func(s string) func(Time) error {
		return func(Time) error { got = append(got, s); return nil }
	}
	a.Schedule(Key{At: 5, Kind: KindSample}, note("sample"))
	a.Schedule(Key{At: 5, Kind: KindModulator}, func(now Time) error {
		got = append(got, "modulator")
		_, err := a.Schedule(Key{At: now, Kind: KindArrival}, note("arrival"))
		return err
	})
	if err := a.RunBefore(5); err != nil || len(got) != 0 {
		t.Fatalf("RunBefore(5) ran %v, %v", got, err)
	}
	if err := a.RunBefore(6); err != nil {
		t.Fatal(err)
	}
	if want := []string{"modulator", "arrival", "sample"}; !slices.Equal(got, want) {
		t.Errorf("ran %v, want %v", got, want)
	}
}

func TestAgendaErrors(t *testing.T) {
	a := NewAgenda()
	broken := errors.New("broken")
	ran := 0
	a.Schedule(Key{At: 1500 * Microsecond, Source: 42}, func(Time) error { return broken })
	a.Schedule(Key{At: 1600 * Microsecond}, func(Time) error { ran++; return nil })
	err := a.RunBefore(Second)
	if !errors.Is(err, broken) || !strings.Contains(err.Error(), "1.5 ms") || !strings.Contains(err.Error(), "42") {
		t.Errorf("error %q, want time and target", err)
	}
	if ran != 0 || a.Len() != 1 {
		t.Errorf("the run went on after the error")
	}
	// The clock stands where the error happened.
	if _, err := a.Schedule(Key{At: 1500*Microsecond - 1}, nil); !errors.Is(err, ErrPast) {
		t.Errorf("error %v, want ErrPast", err)
	}
	if err := a.RunBefore(2 * Millisecond); err != nil || ran != 1 {
		t.Errorf("after the error: %v, ran %d", err, ran)
	}
	k, err := a.Schedule(Key{At: 2*Millisecond - 1, Source: 7}, nil)
	if !errors.Is(err, ErrPast) || k != (Key{}) || a.Len() != 0 {
		t.Errorf("Schedule before the clock: %v, %v", k, err)
	}
	if want := "event: scheduled before the clock: at 1999999999 ps, clock 2000000000 ps, target 7"; err.Error() != want {
		t.Errorf("error %q, want %q", err, want)
	}
	if _, err := a.Schedule(Key{At: 2 * Millisecond}, nil); err != nil {
		t.Errorf("Schedule at the clock: %v", err)
	}
	// RunBefore never moves the clock back; Clear does.
	if err := a.RunBefore(0); err != nil {
		t.Fatal(err)
	}
	if _, err := a.Schedule(Key{At: 0}, nil); !errors.Is(err, ErrPast) {
		t.Errorf("error %v, want ErrPast", err)
	}
	a.Clear()
	if _, err := a.Schedule(Key{At: 0}, func(Time) error { return nil }); err != nil || a.Len() != 1 {
		t.Errorf("after Clear: %v, %d entries", err, a.Len())
	}
}
