package neuron

import (
	"errors"
	"math"

	"hmn/event"
)

// What can go wrong with a neuron; the network adds its population and index.
var (
	ErrNaN     = errors.New("the membrane potential is not a number")
	ErrRunaway = errors.New("more than 100000 spikes of one neuron within one step")
)

const (
	maxPerStep = 100_000
	heldBelow  = -1e50 // sentinel·exp(−500) is still far below
)

// Hit is one arrival at a neuron that is replayed.
type Hit struct {
	Off  uint32  // ps from the start of the step
	Src  uint32  // global id of the source: the order among equal times
	W    float64 // weight; PortLevel: change of the current [pA]; PortProbe: ignored
	Slot uint16  // which of the replayed neurons
	Port uint8
	Ref  uint32 // the caller's own; 0: nothing
}

// Mark is a spike inside a window.
type Mark struct {
	Off uint32 // ps from the start of the window
	I   uint32 // neuron, local to the block
}

// Look is what a probe saw.
type Look struct {
	Off  uint32  // ps from the start of the step
	V    float64 // membrane potential [mV]
	ISyn float64 // synaptic current, both ports [pA]
}

// Replay carries neuron i exactly over one step of length h that starts at
// start, hit by hit. hits are sorted by (Off, Src). Spikes are appended to
// spikes with base added to their offsets. At one instant all arrivals come
// first, then the threshold test, then the spike, then probes, whose findings
// are appended to looks.
//
// A crossing is solved in float64 and rounded once, to the nearest picosecond.
// If that is the instant of the next arrivals they come first; if it is the end
// of the step, the neuron is Due at the start of the next.
//
// Replay changes s; to look without changing anything, replay a copy.
func (l *Linear) Replay(s *State, i int, start, h event.Time, hits []Hit, base uint32, spikes []Mark, looks []Look) ([]Mark, []Look, error) {
	var y, end state
	s.get(&y, i)
	th := s.Th[i]
	free := s.Free[i] - start
	held := y.v < heldBelow
	due := s.Due[i]
	fired := 0
	for now, k := event.Time(0), 0; ; {
		if held && free <= now {
			y.v, held = th+l.reset, false
		}
		probes := 0
		for ; k < len(hits) && event.Time(hits[k].Off) == now; k++ {
			switch hit := &hits[k]; hit.Port {
			case PortLevel:
				d := float64(l.r * hit.W)
				y.v -= d
				th -= d
			case PortProbe:
				probes++
			default:
				l.arrive(&y, hit, held)
			}
		}
		if !held && (due || !(y.v < th)) {
			if math.IsNaN(y.v+y.e+y.i) || math.IsNaN(th) {
				return spikes, looks, ErrNaN
			}
			if fired++; fired > maxPerStep {
				return spikes, looks, ErrRunaway
			}
			spikes = append(spikes, Mark{Off: base + uint32(now), I: uint32(i)})
			due = false
			free = now + l.tRef
			if held = l.tRef > 0; held {
				y.v = sentinel
			} else {
				y.v = th + l.reset
			}
		}
		for range probes {
			v := l.vTh + (y.v - th)
			if held {
				v = l.vTh + l.reset
			}
			looks = append(looks, Look{Off: uint32(now), V: v, ISyn: y.e + y.i})
		}
		next := h
		if k < len(hits) {
			next = event.Time(hits[k].Off)
		}
		if held && free < next {
			next = free
		}
		L := (next - now).MS()
		if held {
			l.decay(&y, L)
			now = next
		} else {
			l.advance(&end, &y, L)
			if at, ok := l.firstCrossing(&y, &end, L, th); ok {
				due = true
				d := event.Time(math.Floor(float64(at*1e9) + 0.5))
				if d == 0 && fired > 0 && l.tRef == 0 {
					d = 1 // one spike per picosecond at most
				}
				if now+d < next { // the spike sets the potential
					l.decay(&y, d.MS())
					now += d
					continue
				}
			}
			y.v, y.e, y.i, y.de, y.di = end.v, end.e, end.i, end.de, end.di
			now = next
		}
		if now == h {
			break
		}
	}
	s.put(i, &y)
	s.Th[i], s.Free[i], s.Due[i] = th, start+free, due
	return spikes, looks, nil
}

// arrive adds one synaptic arrival to the state. Delta arrivals at a
// refractory neuron are discarded; currents evolve through refractoriness.
func (l *Linear) arrive(y *state, hit *Hit, held bool) {
	switch {
	case l.psc == Delta:
		if !held {
			y.v += hit.W
		}
	case l.psc == Exp && hit.Port == PortEx:
		y.e += hit.W
	case l.psc == Exp:
		y.i += hit.W
	case hit.Port == PortEx:
		y.de += float64(hit.W * l.peak[0])
	default:
		y.di += float64(hit.W * l.peak[1])
	}
}
