package event

import (
	"errors"
	"fmt"

	"github.com/google/btree"
)

// ErrPast reports an event scheduled before the clock.
var ErrPast = errors.New("event: scheduled before the clock")

// Agenda holds everything rare, far away, cancellable or to be walked in order:
// stimulus changes, modulator deliveries, samples, checkpoints, call-backs.
// Spikes never pass through it. It is a B-tree, because that gives deletion by
// key and ordered walks for some 150 ns an entry; it is not safe for
// concurrent use.
type Agenda struct {
	tree *btree.BTreeG[entry]
	now  Time
	seq  uint64
}

// entry is a handler with its place in the total order. The tree keeps one
// item per equal key, so Seq is part of the key: two call-backs of the same
// picosecond and source are two entries.
type entry struct {
	key Key
	do  func(Time) error
}

// NewAgenda returns an empty agenda with the clock at 0.
func NewAgenda() *Agenda {
	return &Agenda{tree: btree.NewG(32, func(a, b entry) bool { return a.key.Compare(b.key) < 0 })}
}

// Schedule enters a handler at k and returns the key to cancel it with, whose
// Seq the agenda has set. Times before the clock give ErrPast.
func (a *Agenda) Schedule(k Key, do func(Time) error) (Key, error) {
	if k.At < a.now {
		return Key{}, fmt.Errorf("%w: at %d ps, clock %d ps, target %d", ErrPast, k.At, a.now, k.Source)
	}
	a.seq++
	k.Seq = a.seq
	a.tree.ReplaceOrInsert(entry{k, do})
	return k, nil
}

// Cancel removes the entry with that key and reports whether it was there.
func (a *Agenda) Cancel(k Key) bool {
	_, ok := a.tree.Delete(entry{key: k})
	return ok
}

// Next is the time of the earliest entry, or MaxTime when there is none.
func (a *Agenda) Next() Time {
	if e, ok := a.tree.Min(); ok {
		return e.key.At
	}
	return MaxTime
}

// Len is the number of entries.
func (a *Agenda) Len() int { return a.tree.Len() }

// RunBefore runs every entry with a time before t in the total order, those
// that handlers schedule meanwhile included, and moves the clock to t. A
// handler's error ends the run and is returned with time and target.
func (a *Agenda) RunBefore(t Time) error {
	for {
		e, ok := a.tree.Min()
		if !ok || e.key.At >= t {
			break
		}
		a.tree.DeleteMin()
		a.now = e.key.At
		if err := e.do(e.key.At); err != nil {
			return fmt.Errorf("event: at %s ms, target %d: %w", e.key.At, e.key.Source, err)
		}
	}
	a.now = max(a.now, t)
	return nil
}

// Clear drops every entry and sets the clock back to 0.
func (a *Agenda) Clear() {
	a.tree.Clear(false)
	a.now = 0
}
