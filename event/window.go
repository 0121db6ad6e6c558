package event

// Window is one step of a run, the half-open interval [Start, End).
type Window struct{ Start, End Time }

// Len is the window's length.
func (w Window) Len() Time { return w.End - w.Start }

// MaxWindow is the longest window: an offset inside it fits 32 bits of
// picoseconds.
const MaxWindow Time = 1<<32 - 1

// Grid is the sequence of windows of a built model: whole multiples of the
// lookahead from t = 0, cut additionally only by model events. Samples,
// checkpoints, signals and the end of a run do not appear in it, so they can
// move no spike.
type Grid struct{ Step Time }

// Next is the window that starts at t when the next model event is at cut
// (MaxTime for none). Step must be positive and at most MaxWindow.
func (g Grid) Next(t, cut Time) Window {
	end := t - t%g.Step
	if end > MaxTime-g.Step {
		end = MaxTime
	} else {
		end += g.Step
	}
	if cut > t && cut < end {
		end = cut
	}
	return Window{t, end}
}
