package network

import (
	"testing"

	"hmn/event"
)

// The multiple of an interval that comes after the longest run is no time.
func TestRecordNext(t *testing.T) {
	const day = 86400 * event.Second
	for _, c := range []struct{ every, from, want event.Time }{
		{1, 0, 0}, {1, 1, 1}, {7, 0, 0}, {7, 1, 7}, {7, 7, 7}, {7, 8, 14},
		{60 * day, 1, 60 * day}, {60 * day, 60 * day, 60 * day}, {60 * day, 60*day + 1, event.MaxTime},
		{event.MaxTime - 1, 1, event.MaxTime - 1}, {event.MaxTime - 1, event.MaxTime - 1, event.MaxTime - 1}, {3, event.MaxTime, event.MaxTime},
	} {
		if got := (&Record{Every: c.every}).Next(c.from); got != c.want {
			t.Errorf("every %d ps, from %d: %d, want %d", c.every, c.from, got, c.want)
		}
	}
}
