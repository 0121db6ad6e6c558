package network

import (
	"fmt"
	"slices"

	"hmn/event"
)

// Sampled reports whether r says when to sample.
func (r *Record) Sampled() bool { return r.Every > 0 || r.Times != nil }

// Next is the first instant at or after t at which to sample, MaxTime when there is
// none, or none that a run can reach.
func (r *Record) Next(t event.Time) event.Time {
	if r.Every > 0 {
		last := t / r.Every * r.Every // at or before t
		switch {
		case last == t:
			return t
		case last > event.MaxTime-r.Every:
			return event.MaxTime
		}
		return last + r.Every
	}
	if k, _ := slices.BinarySearch(r.Times, t); k < len(r.Times) {
		return r.Times[k]
	}
	return event.MaxTime
}

// atEvents refuses times of samples where there are none.
func (r *Record) atEvents() error {
	switch {
	case r.Every != 0:
		return fmt.Errorf("%s of %q: every %v ms, but it is recorded when it happens", r.What, r.Of, r.Every)
	case r.Times != nil:
		return fmt.Errorf("%s of %q: times are given, but it is recorded when it happens", r.What, r.Of)
	}
	return nil
}

// checkTimes checks when samples are taken.
func (r *Record) checkTimes() error {
	switch {
	case r.Times != nil && r.Every != 0:
		return fmt.Errorf("%s of %q: every and times, want one of them", r.What, r.Of)
	case r.Times == nil && r.Every <= 0:
		return fmt.Errorf("%s of %q: every %v ms, want a positive interval or times", r.What, r.Of, r.Every)
	}
	for k, t := range r.Times {
		if t < 0 || k > 0 && t <= r.Times[k-1] {
			return fmt.Errorf("%s of %q: time %d, %v ms: want times ≥ 0 ms, each later than the one before", r.What, r.Of, k, t)
		}
	}
	return nil
}
