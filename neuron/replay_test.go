package neuron

import (
	"errors"
	"math"
	"slices"
	"testing"

	"hmn/event"
	"hmn/event/quantity"
)

// mv is a neuron at rest 0 mV with threshold 15 mV and reset 0 mV, R = 0.08
// mV/pA, that can be driven by V alone.
func mv(t testing.TB, model string, tRef float64, more ...any) *Linear {
	v := num(append([]any{"C_m", 250, "tau_m", 20, "E_L", 0, "V_th", 15, "V_reset", 0, "t_ref", tRef}, more...)...)
	if model != "iaf_psc_delta" {
		if _, ok := v["tau_syn_ex"]; !ok {
			v["tau_syn_ex"] = quantity.Value{Number: 5}
		}
		if _, ok := v["tau_syn_in"]; !ok {
			v["tau_syn_in"] = quantity.Value{Number: 5}
		}
	}
	return mustLinear(t, model, v)
}

// run replays hits at absolute times in steps of length h until end, and
// returns absolute spike times and looks.
func run(t testing.TB, l *Linear, s *State, h, end event.Time, hits []Hit) (spikes []event.Time, looks []Look) {
	t.Helper()
	for now := event.Time(0); now < end; now += h {
		var in []Hit
		for _, x := range hits {
			if at := event.Time(x.Off); at >= now && at < now+h {
				x.Off -= uint32(now)
				in = append(in, x)
			}
		}
		marks, seen, err := l.Replay(s, 0, now, h, in, 0, nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range marks {
			spikes = append(spikes, now+event.Time(m.Off))
		}
		for _, x := range seen {
			x.Off += uint32(now)
			looks = append(looks, x)
		}
	}
	return spikes, looks
}

// steps to cut the same run into: none, odd ones, single boundaries.
var stepsOfRuns = []event.Time{4e9, 1e9, 1e8, 0.7e9, 123456789}

// TestReplayDelta: jumps, refractoriness of [t, t + t_ref) during which
// arrivals are discarded, and one at exactly t + t_ref that is not.
func TestReplayDelta(t *testing.T) {
	l := mv(t, "iaf_psc_delta", 1)
	ms := uint32(1e9)
	for _, c := range []struct {
		name string
		hits []Hit
		want []event.Time
	}{
		{"fires at the arrival", []Hit{{Off: ms, W: 15}}, []event.Time{1e9}},
		{"just below", []Hit{{Off: ms, W: math.Nextafter(15, 0)}}, nil},
		{"two at one instant", []Hit{{Off: ms, W: 10}, {Off: ms, W: 10, Src: 1}}, []event.Time{1e9}},
		{"all arrivals before the test", []Hit{{Off: ms, W: 20}, {Off: ms, W: -10, Port: PortIn, Src: 1}}, nil},
		{"one spike only", []Hit{{Off: ms, W: 100}}, []event.Time{1e9}},
		{"discarded at the same instant", []Hit{{Off: ms, W: 20}, {Off: ms + 1, W: 20}}, []event.Time{1e9}},
		{"discarded one ps before the end", []Hit{{Off: ms, W: 20}, {Off: 2*ms - 1, W: 20}}, []event.Time{1e9}},
		{"discarded for good", []Hit{{Off: ms, W: 20}, {Off: 2*ms - 1, W: 14}, {Off: 2 * ms, W: 14}}, []event.Time{1e9}},
		{"taken at the end", []Hit{{Off: ms, W: 20}, {Off: 2 * ms, W: 20}}, []event.Time{1e9, 2e9}},
		{"taken at the end, from V_reset", []Hit{{Off: ms, W: 20}, {Off: 2 * ms, W: 15}}, []event.Time{1e9, 2e9}},
		{"inhibition discarded too", []Hit{{Off: ms, W: 20}, {Off: 2*ms - 1, W: -5, Port: PortIn}, {Off: 2 * ms, W: 15}}, []event.Time{1e9, 2e9}},
		{"at the start", []Hit{{Off: 0, W: 15}}, []event.Time{0}},
		{"decays in between", []Hit{{Off: 0, W: 10}, {Off: 3 * ms, W: 15 - 10*math.Exp(-3.0/20) - 1e-12}}, nil},
		{"enough in between", []Hit{{Off: 0, W: 10}, {Off: 3 * ms, W: 15 - 10*math.Exp(-3.0/20) + 1e-12}}, []event.Time{3e9}},
	} {
		for _, h := range stepsOfRuns {
			s := l.NewState(1)
			s.V[0] = 0
			s.Th[0] = 15
			if got, _ := run(t, l, s, h, 4e9, c.hits); !slices.Equal(got, c.want) {
				t.Errorf("%s, steps of %v ms: spikes at %v, want %v ms", c.name, h, got, c.want)
			}
		}
	}
}

// TestReplayCurrents: exponential and alpha currents go on evolving while the
// potential is held, arrivals count, and the potential starts from V_reset at
// t + t_ref with the current that is there then.
func TestReplayCurrents(t *testing.T) {
	for _, model := range []string{"iaf_psc_exp", "iaf_psc_alpha"} {
		l := mv(t, model, 1)
		ms := uint32(1e9)
		for _, h := range stepsOfRuns {
			s := l.NewState(1)
			y := state{v: 14.9999, e: 400}
			put(s, y)
			s.Th[0] = 15
			first, ok := l.crossing(y, 1, 15)
			if !ok {
				t.Fatal("no crossing")
			}
			// The second spike, from the pieces: currents until t+t_ref, with an
			// arrival in between, then the free solution from V_reset.
			at := event.Time(math.Floor(first*1e9 + 0.5))
			hit := Hit{Off: ms / 2, W: 4000}
			z := l.currentsAfter(state{e: y.e}, (event.Time(hit.Off)).MS())
			l.arrive(&z, &hit, true)
			z = l.currentsAfter(z, (at + 1e9 - event.Time(hit.Off)).MS())
			z.v = 0
			next, ok := l.crossing(z, 3, 15)
			if !ok {
				t.Fatalf("%s: no second crossing in %+v", model, z)
			}
			want := []event.Time{at, at + 1e9 + event.Time(math.Floor(next*1e9+0.5))}
			got, looks := run(t, l, s, h, 4e9, []Hit{hit, {Off: ms / 2, Src: ^uint32(0), Port: PortProbe}, {Off: uint32(at) + ms, Src: ^uint32(0), Port: PortProbe}})
			if len(got) < 2 || got[0] != want[0] || max(got[1]-want[1], want[1]-got[1]) > 1 {
				t.Errorf("%s, steps of %v ms: spikes at %v, want %v ms", model, h, got, want)
			}
			if len(looks) != 2 || looks[0].V != 0 || looks[1].V != 0 || math.Abs(looks[1].ISyn-z.e) > 1e-9 {
				t.Errorf("%s: looks %+v, want V_reset and the current %v", model, looks, z.e)
			}
		}
	}
}

// TestReplayRounding: a crossing that rounds onto an instant with arrivals
// comes after them and is not taken back by them; one that rounds onto the end
// of the step is Due, and fires at the start of the next.
func TestReplayRounding(t *testing.T) {
	l := mv(t, "iaf_psc_exp", 1)
	rise := func(cross float64) state { // V crosses 15 mV `cross` ms from now at 1 mV/ms
		return state{v: 15 - cross, e: (1 + 15.0/20) / l.invC}
	}
	const end = 1000 // ps
	for _, c := range []struct {
		cross float64 // ps
		hits  []Hit
		spike int // ps; −1: Due
	}{
		{500.4, nil, 500}, {500.6, nil, 501}, {0.3, nil, 0}, {0.6, nil, 1}, {999.4, nil, 999}, {999.6, nil, -1}, {1000.3, nil, -2}, {1001, nil, -2},
		{499.7, []Hit{{Off: 500, W: -1e6, Port: PortIn}}, 500}, // the arrival comes first, the crossing was before it
		{500.3, []Hit{{Off: 500, W: -1e6, Port: PortIn}}, -2},  // here it is not
		{499.4, []Hit{{Off: 500, W: -1e6, Port: PortIn}}, 499},
		{0.7, []Hit{{Off: 1, W: -1e6, Port: PortIn}}, 1},
	} {
		s := l.NewState(1)
		y := rise(c.cross * 1e-9)
		put(s, y)
		s.Th[0] = 15
		marks, _, err := l.Replay(s, 0, 0, end, c.hits, 7, nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		switch {
		case c.spike >= 0:
			if len(marks) != 1 || marks[0].Off != uint32(c.spike)+7 || s.Due[0] || s.Free[0] != event.Time(c.spike)+1e9 {
				t.Errorf("crossing at %v ps: marks %v, due %v, free %d", c.cross, marks, s.Due[0], s.Free[0])
			}
			if !(s.V[0] < heldBelow) {
				t.Errorf("crossing at %v ps: not held after the spike: V = %v", c.cross, s.V[0])
			}
		default:
			if len(marks) != 0 || s.Due[0] != (c.spike == -1) {
				t.Errorf("crossing at %v ps: marks %v, due %v", c.cross, marks, s.Due[0])
			}
		}
		if c.spike == -1 { // fires at the start whatever arrives there
			marks, _, err = l.Replay(s, 0, end, end, []Hit{{Off: 0, W: -1e7, Port: PortIn}}, 0, nil, nil)
			if err != nil || len(marks) != 1 || marks[0].Off != 0 || s.Due[0] || s.Free[0] != end+1e9 {
				t.Errorf("due: marks %v, due %v, free %d, %v", marks, s.Due[0], s.Free[0], err)
			}
		}
	}
}

// TestReplayNoRefractoriness: t_ref = 0. The interval under a constant current
// is τ_m ln((μ − V_r)/(μ − V_th)), and at most one spike falls on a picosecond.
func TestReplayNoRefractoriness(t *testing.T) {
	for _, h := range stepsOfRuns {
		l := mv(t, "iaf_psc_delta", 0, "I_e", 22.5/0.08)
		s := l.NewState(1)
		if err := l.Set(s, 0, "V_m", 0); err != nil {
			t.Fatal(err)
		}
		got, _ := run(t, l, s, h, 100e9, nil)
		isi := 20 * math.Log(22.5/7.5) * 1e9
		if want := int(100e9 / isi); len(got) != want {
			t.Fatalf("steps of %v ms: %d spikes, want %d", h, len(got), want)
		}
		for k, at := range got {
			// Each spike is rounded once, and the next interval starts there.
			if want := isi * float64(k+1); math.Abs(float64(at)-want) > float64(k+1) {
				t.Errorf("steps of %v ms: spike %d at %d ps, want %.1f", h, k, at, want)
			}
		}
	}
	// Arrivals of one instant give one spike; the next may follow 1 ps later.
	l := mv(t, "iaf_psc_delta", 0)
	s := l.NewState(1)
	s.V[0], s.Th[0] = 0, 15
	got, looks := run(t, l, s, 4e9, 4e9, []Hit{{Off: 5, W: 20}, {Off: 5, W: 20}, {Off: 5, Src: ^uint32(0), Port: PortProbe}, {Off: 6, W: 20}})
	if want := []event.Time{5, 6}; !slices.Equal(got, want) {
		t.Errorf("spikes at %v ps, want %v", got, want)
	}
	if len(looks) != 1 || looks[0].V != 0 {
		t.Errorf("looks %+v after the spike, want V_reset", looks)
	}
}

// TestReplayInterval: 1/(t_ref + τ_m ln(μ/(μ−V_th))) = 77.0053 Hz at μ = 22.5 mV
// over rest.
func TestReplayInterval(t *testing.T) {
	l := mustLinear(t, "iaf_psc_exp", num("C_m", 250, "tau_m", 10, "E_L", 0, "V_th", 15, "V_reset", 0, "t_ref", 2, "I_e", 22.5*25))
	s := l.NewState(1)
	if err := l.Set(s, 0, "V_m", 0); err != nil {
		t.Fatal(err)
	}
	got, _ := run(t, l, s, 1e9, 1000e9, nil)
	if len(got) != 77 {
		t.Fatalf("%d spikes in 1 s, want 77", len(got))
	}
	rate := float64(len(got)-1) / (got[len(got)-1] - got[0]).Seconds()
	if want := 1000 / (2 + 10*math.Log(3)); math.Abs(rate-want) > 1e-6 || math.Abs(want-77.0053) > 5e-5 {
		t.Errorf("%.6f Hz, want %.6f", rate, want)
	}
}

// TestReplayLevels: steps of current, during rest and refractoriness. A step up
// cannot make the potential jump; a constant current from a step gives the
// intervals of the same I_e.
func TestReplayLevels(t *testing.T) {
	const amps = 22.5 / 0.08
	l, ref := mv(t, "iaf_psc_delta", 2), mv(t, "iaf_psc_delta", 2, "I_e", amps)
	for _, h := range []event.Time{4e9, 1e9, 123456789} {
		s, r := l.NewState(1), ref.NewState(1)
		for st, m := range map[*State]*Linear{s: l, r: ref} {
			if err := m.Set(st, 0, "V_m", 0); err != nil {
				t.Fatal(err)
			}
		}
		got, _ := run(t, l, s, h, 3.9e9, []Hit{{Off: 0, W: amps, Port: PortLevel}})
		want, _ := run(t, ref, r, h, 3.9e9, nil)
		if !slices.Equal(got, want) {
			t.Errorf("steps of %v ms: spikes at %v, with I_e %v", h, got, want)
		}
	}
	// On, a spike, off and on again within the refractory period: nothing is
	// left of it.
	s := l.NewState(1)
	s.V[0], s.Th[0] = 0, 15
	hits := []Hit{{Off: 1e9, W: 20}, {Off: 1.5e9, W: amps, Port: PortLevel}, {Off: 2e9, W: -amps, Port: PortLevel}, {Off: 3e9, Src: ^uint32(0), Port: PortProbe}}
	got, looks := run(t, l, s, 4e9, 4e9, hits)
	if !slices.Equal(got, []event.Time{1e9}) || len(looks) != 1 || math.Abs(looks[0].V) > 1e-12 {
		t.Errorf("spikes %v, looks %+v", got, looks)
	}
	if math.Abs(s.Th[0]-15) > 1e-12 {
		t.Errorf("threshold above steady state %v, want 15", s.Th[0])
	}
	// The steady state under a step is V = R I, after many time constants.
	s = l.NewState(1)
	s.V[0], s.Th[0] = 0, 15
	if _, _, err := l.Replay(s, 0, 0, 4e9, []Hit{{Off: 1, W: 100, Port: PortLevel}}, 0, nil, nil); err != nil {
		t.Fatal(err)
	}
	for range 250 {
		l.Replay(s, 0, 0, 4e9, nil, 0, nil, nil)
	}
	_, looks, _ = l.Replay(s, 0, 0, 4e9, []Hit{{Port: PortProbe}}, 0, nil, nil)
	if math.Abs(looks[0].V-8) > 1e-12 {
		t.Errorf("V = %v under 100 pA, want 8 mV", looks[0].V)
	}
}

// TestProbesChangeNothing: a replay with probes in between rounds differently,
// so sampling replays a copy; the copy's looks are the solution.
func TestProbes(t *testing.T) {
	l := mv(t, "iaf_psc_alpha", 1)
	s := l.NewState(2)
	s.V[0], s.Th[0] = 3, 15
	s.E[0], s.I[0], s.DE[0], s.DI[0] = 20, -10, 5, -2
	before := cloneOf(l, s)
	c := l.NewState(1)
	s.Copy(c, 0, 0)
	y := got(s)
	_, looks, err := l.Replay(c, 0, 0, 1e9, []Hit{{Off: 0, Port: PortProbe}, {Off: 3e8, Port: PortProbe}, {Off: 3e8, W: 5}, {Off: 1e9 - 1, Src: 9, Port: PortProbe}}, 0, nil, nil)
	if err != nil || len(looks) != 3 {
		t.Fatal(looks, err)
	}
	z := l.after(y, 0.3)
	l.arrive(&z, &Hit{W: 5}, false)
	for k, want := range []state{y, z, l.after(z, 0.7-1e-9)} {
		if math.Abs(looks[k].V-want.v) > 1e-13 || math.Abs(looks[k].ISyn-want.e-want.i) > 1e-12 {
			t.Errorf("look %d: %+v, want V %v, I %v", k, looks[k], want.v, want.e+want.i)
		}
	}
	for i := range 2 {
		var a, b state
		s.get(&a, i)
		before.get(&b, i)
		if a != b || s.Th[i] != before.Th[i] || s.Free[i] != before.Free[i] {
			t.Errorf("the original was changed")
		}
	}
}

func TestReplayErrors(t *testing.T) {
	nan := math.NaN()
	for k, y := range []state{{v: nan}, {e: nan}, {i: nan}, {de: nan}, {di: nan}, {e: math.Inf(1), i: math.Inf(-1)}} {
		l := mv(t, "iaf_psc_alpha", 1)
		s := l.NewState(1)
		put(s, y)
		var err error
		for range 3 {
			if _, _, err = l.Replay(s, 0, 0, 1e9, nil, 0, nil, nil); err != nil {
				break
			}
		}
		if !errors.Is(err, ErrNaN) {
			t.Errorf("case %d: error %v, want ErrNaN", k, err)
		}
	}
	l := mv(t, "iaf_psc_delta", 0, "I_e", 1e9, "C_m", 1e-3, "tau_m", 1)
	s := l.NewState(1)
	if _, _, err := l.Replay(s, 0, 0, 4e9, nil, 0, nil, nil); !errors.Is(err, ErrRunaway) {
		t.Errorf("error %v, want ErrRunaway", err)
	}
}

func TestSet(t *testing.T) {
	l := mv(t, "iaf_psc_exp", 1, "I_e", 100)
	s := l.NewState(2)
	for _, x := range []float64{15, 16, math.Inf(1), nanValue} {
		if l.Set(s, 0, "V_m", x) == nil {
			t.Errorf("V_m = %v at t = 0 was taken", x)
		}
	}
	if l.Set(s, 0, "V", 1) == nil {
		t.Error("an unknown variable was taken")
	}
	for key, x := range map[string]float64{"V_m": 14, "I_syn_ex": 3, "I_syn_in": -2} {
		if err := l.Set(s, 1, key, x); err != nil {
			t.Error(err)
		}
	}
	_, looks, err := l.Replay(s, 1, 0, 1, []Hit{{Port: PortProbe}}, 0, nil, nil)
	if err != nil || math.Abs(looks[0].V-14) > 1e-14 || looks[0].ISyn != 1 {
		t.Errorf("%+v, %v", looks, err)
	}
	if l.Rest(-70) != -70 || l.Rest(15) != 0 {
		t.Errorf("Rest: %v, %v", l.Rest(-70), l.Rest(15))
	}
}

var nanValue = math.NaN()
