package event

import (
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"testing"
	"time"
)

// TestPoolBlocks: every block once in every epoch, with any number of workers,
// and what the workers wrote is seen without further synchronisation. Plain
// memory on purpose: the race detector judges the happens-before claim.
func TestPoolBlocks(t *testing.T) {
	for _, workers := range []int{-1, 1, 2, 3, 8} {
		p := NewPool(workers)
		if p.Workers() != max(workers, 1) {
			t.Errorf("%d workers, want %d", p.Workers(), workers)
		}
		count := make([]int, 37)
		sum := 0
		for epoch := range 300 {
			n := epoch % 38
			if err := p.Do(n, epoch%5 != 0, func(w, b int) error {
				if w < 0 || w >= p.Workers() {
					return fmt.Errorf("worker %d", w)
				}
				count[b] += sum + 1 // reads what the caller wrote
				return nil
			}); err != nil {
				t.Fatal(err)
			}
			for b, c := range count {
				want := 0
				if b < n {
					want = sum + 1
				}
				if c != want {
					t.Fatalf("%d workers, epoch %d: block %d ran %d times", workers, epoch, b, c)
				}
				count[b] = 0
			}
			sum = epoch % 3
		}
		p.Close()
	}
}

// TestPoolSleep: workers that went to sleep come back.
func TestPoolSleep(t *testing.T) {
	p := NewPool(3)
	defer p.Close()
	var n atomic.Int32
	for range 20 {
		time.Sleep(time.Millisecond)
		p.Do(5, true, func(_, _ int) error { n.Add(1); return nil })
	}
	if n.Load() != 100 {
		t.Errorf("%d blocks, want 100", n.Load())
	}
}

// TestPoolAll: all workers take part when the blocks wait for one another.
func TestPoolAll(t *testing.T) {
	const workers = 4
	p := NewPool(workers)
	defer p.Close()
	for range 50 {
		var in atomic.Int32
		seen := make([]bool, workers)
		err := p.Do(workers, true, func(w, _ int) error {
			in.Add(1)
			for start := time.Now(); in.Load() < workers; time.Sleep(time.Microsecond) {
				if time.Since(start) > 10*time.Second {
					return errors.New("a worker is missing")
				}
			}
			seen[w] = true
			return nil
		})
		if err != nil || slices.Contains(seen, false) {
			t.Fatalf("%v, workers seen: %v", err, seen)
		}
	}
}

// TestPoolError: of several errors that of the lowest block, on one worker and
// on many, and the next epoch starts clean.
func TestPoolError(t *testing.T) {
	for _, workers := range []int{1, 2, 5} {
		p := NewPool(workers)
		for first := range 30 {
			for _, parallel := range []bool{true, false} {
				err := p.Do(30, parallel, func(_, b int) error {
					if b >= first && (b-first)%3 == 0 {
						return fmt.Errorf("block %d", b)
					}
					return nil
				})
				if want := fmt.Sprintf("block %d", first); err == nil || err.Error() != want {
					t.Fatalf("%d workers: error %v, want %s", workers, err, want)
				}
				if err := p.Do(30, parallel, func(_, _ int) error { return nil }); err != nil {
					t.Fatalf("%d workers: the error stayed: %v", workers, err)
				}
			}
		}
		p.Close()
	}
}

func TestPoolAllocs(t *testing.T) {
	p := NewPool(2)
	defer p.Close()
	do := func(_, _ int) error { return nil }
	if n := testing.AllocsPerRun(100, func() { p.Do(8, true, do) }); n > 0 {
		t.Errorf("%v allocations per epoch", n)
	}
}
