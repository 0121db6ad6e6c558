package event

import (
	"errors"
	"fmt"
	"runtime"
	"runtime/debug"
	"sync"
	"sync/atomic"
)

// Pool advances the blocks of one window on several workers. Blocks share no
// writable memory within a window (see Grid), so which worker takes which
// block cannot show in any result.
//
// Happens-before. Do publishes its work by adding to epoch, an atomic; a worker
// that sees the new epoch therefore sees everything the caller wrote before Do.
// Each worker's last act is an atomic decrement of left; Do returns after
// having seen left reach zero, so the caller sees everything the workers wrote.
// One barrier per window, no lock on the way when the workers are awake.
//
// Workers spin briefly and then sleep: spinning on against a peer that the
// operating system has set aside costs ten times what waking up does.
type Pool struct {
	workers int
	epoch   atomic.Uint32
	next    atomic.Int64 // next block to hand out
	left    atomic.Int32 // workers still busy
	n       int
	do      func(worker, block int) error
	errs    []error
	errAt   []int
	mu      sync.Mutex
	wake    *sync.Cond
	asleep  atomic.Int32
	closed  atomic.Bool
	done    sync.WaitGroup
}

const spins = 4000 // a few microseconds

// NewPool starts workers−1 goroutines; the caller of Do is worker 0. Fewer than
// one worker counts as one.
func NewPool(workers int) *Pool {
	workers = max(workers, 1)
	p := &Pool{workers: workers, errs: make([]error, workers), errAt: make([]int, workers)}
	p.wake = sync.NewCond(&p.mu)
	for w := 1; w < workers; w++ {
		p.done.Add(1)
		go p.serve(w)
	}
	return p
}

// Workers is the number of workers.
func (p *Pool) Workers() int { return p.workers }

// Do calls do(worker, block) for every block in [0, n), on all workers when
// parallel is set and on the calling goroutine otherwise, and returns when all
// have ended. Of several errors it returns that of the lowest block that
// failed.
func (p *Pool) Do(n int, parallel bool, do func(worker, block int) error) error {
	if !parallel || p.workers == 1 || n < 2 {
		for b := range n {
			if err := guarded(do, 0, b); err != nil {
				return err
			}
		}
		return nil
	}
	p.n, p.do = n, do
	p.next.Store(0)
	p.left.Store(int32(p.workers))
	p.epoch.Add(1)
	if p.asleep.Load() > 0 {
		p.mu.Lock()
		p.wake.Broadcast()
		p.mu.Unlock()
	}
	p.work(0)
	for i := 0; p.left.Load() > 0; i++ {
		if i > spins {
			runtime.Gosched()
		}
	}
	var err error
	at := n
	for w, e := range p.errs {
		if e != nil && p.errAt[w] < at {
			err, at = e, p.errAt[w]
		}
		p.errs[w] = nil
	}
	return err
}

// work takes blocks until there are none. After an error the worker still
// takes part in the count but does no more, and the others finish their share,
// so that the error of the lowest block is always among those seen.
func (p *Pool) work(w int) {
	for {
		b := int(p.next.Add(1) - 1)
		if b >= p.n {
			break
		}
		if err := guarded(p.do, w, b); err != nil {
			if p.errs[w] == nil || b < p.errAt[w] {
				p.errs[w], p.errAt[w] = err, b
			}
		}
	}
	p.left.Add(-1)
}

// ErrPanic reports a panic inside a block: a bug of this program, turned into
// an error so that the caller can close its files before it ends.
var ErrPanic = errors.New("event: internal error")

func guarded(do func(worker, block int) error, w, b int) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("%w in block %d: %v\n%s", ErrPanic, b, r, debug.Stack())
		}
	}()
	return do(w, b)
}

func (p *Pool) serve(w int) {
	defer p.done.Done()
	seen := uint32(0)
	for {
		for i := 0; p.epoch.Load() == seen; i++ {
			if i < spins {
				continue
			}
			p.mu.Lock()
			p.asleep.Add(1)
			for p.epoch.Load() == seen {
				p.wake.Wait()
			}
			p.asleep.Add(-1)
			p.mu.Unlock()
		}
		seen = p.epoch.Load()
		if p.closed.Load() {
			return
		}
		p.work(w)
	}
}

// Close ends the workers. The pool must not be used afterwards.
func (p *Pool) Close() {
	p.closed.Store(true)
	p.epoch.Add(1)
	p.mu.Lock()
	p.wake.Broadcast()
	p.mu.Unlock()
	p.done.Wait()
}
