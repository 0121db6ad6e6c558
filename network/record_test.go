package network

import (
	"slices"
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

// Samples at given times are those of the same times among regular ones.
func TestRecordTimes(t *testing.T) {
	const span = 40 * event.Millisecond
	times := []event.Time{0, 3 * event.Millisecond, 17 * event.Millisecond, 39 * event.Millisecond}
	rows := func(change func(*Record)) []tapeRow {
		m := dopamineModel("exact", fixed(0.5), fixed(1))
		for _, r := range []Record{{What: RecordVm, Of: "E", Subset: []int{3, 700}}, {What: RecordWeight, Of: "EE", Subset: []int{5, 77}},
			{What: RecordEligibility, Of: "EE", Subset: []int{5}}, {What: RecordModulator, Of: "released"}} {
			change(&r)
			m.Records = append(m.Records, r)
		}
		return runFor(t, mustBuild(t, m, 1), span).rows
	}
	all := rows(func(r *Record) { r.Every = event.Millisecond })
	some := rows(func(r *Record) { r.Times = append(times[:len(times):len(times)], span) })
	var want []tapeRow
	for _, x := range all {
		if slices.Contains(times, x.at) {
			want = append(want, x)
		}
	}
	if len(some) != 4*len(times) || !slices.Equal(some, want) {
		t.Errorf("%d samples at given times differ from those of the same times:\n%v\n%v", len(some), some, want)
	}
}
