package event

// Instant is a real instant: At + Frac picoseconds, 0 ≤ Frac < 1. Edges of the
// windows of a learning rule need not fall on whole picoseconds; events do. An
// event at time t comes before an instant, or with it, exactly when t ≤ At.
type Instant struct {
	At   Time
	Frac float64
}

// From is the time from t to the instant [ms].
func (e Instant) From(t Time) float64 { return float64((float64(e.At-t) + e.Frac) * 1e-9) }

// Since is the time from o to the instant [ms].
func (e Instant) Since(o Instant) float64 {
	return float64((float64(e.At-o.At) + (e.Frac - o.Frac)) * 1e-9)
}

// After says whether the instant lies after o.
func (e Instant) After(o Instant) bool { return e.At > o.At || e.At == o.At && e.Frac > o.Frac }

// Reached says whether the instant lies at or before t.
func (e Instant) Reached(t Time) bool { return e.At < t || e.At == t && e.Frac == 0 }

// Rounded is the nearest picosecond.
func (e Instant) Rounded() Time {
	if e.Frac >= 0.5 {
		return e.At + 1
	}
	return e.At
}
