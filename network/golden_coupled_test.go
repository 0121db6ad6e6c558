package network

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"testing"

	"hmn/event"
	"hmn/event/quantity"
)

// closedModel is the closed-form neurons under noise, currents and each other.
func closedModel() *Model {
	m := &Model{Simulation: Simulation{Seed: 8}, Populations: []Population{
		{Name: "mat", N: 40, Model: "mat2_psc_exp", Params: num("I_e", 420, "alpha_1", 10, "alpha_2", 1)},
		{Name: "two", N: 40, Model: "IntFire2", Params: num("ib", 0.7)},
		{Name: "four", N: 40, Model: "IntFire4"},
		{Name: "one", N: 40, Model: "IntFire1"},
		{Name: "ou", N: 40, Model: "ou_current", Params: num("mean", 50, "sigma", 120, "tau", 7, "hold", 0.9)},
		{Name: "white", N: 40, Model: "noise_current", Params: num("std", 200, "dt", 0.4)},
		{Name: "in", N: 40, Model: "poisson", Params: num("rate", 300)},
	}}
	add := func(source, target string, w Value) {
		m.Projections = append(m.Projections, Projection{Name: source + target, Source: source, Target: target, Rule: PairwiseBernoulli, P: 0.2, Weight: w, Dendritic: between(0.5, 3)})
	}
	for _, s := range []string{"ou", "white"} {
		m.Projections = append(m.Projections, Projection{Name: s, Source: s, Target: "mat", Rule: OneToOne, Weight: fixed(1), Dendritic: fixed(0.5)})
	}
	add("in", "one", between(-0.1, 0.4))
	add("in", "four", between(-0.2, 0.3))
	add("mat", "two", fixed(0.1))
	add("two", "four", fixed(0.2))
	add("four", "mat", fixed(-90))
	add("one", "two", fixed(0.05))
	for _, p := range m.Populations[:4] {
		m.Records = append(m.Records, Record{What: RecordSpikes, Of: p.Name})
	}
	m.Records = append(m.Records, Record{What: RecordVm, Of: "mat", Subset: []int{0, 7}, Every: 700 * event.Microsecond},
		Record{What: "i2", Of: "four", Subset: []int{3}, Every: 1234567}, Record{What: "m", Of: "one", Subset: []int{3}, Every: 500 * event.Microsecond})
	return m
}

// TestGoldenCoupled pins networks of closed-form neurons, noise and gap junctions
// to the last bit: see TestGoldenNetworks.
func TestGoldenCoupled(t *testing.T) {
	gaps := gapModel()
	gaps.Records = []Record{{What: RecordVm, Of: "A", Subset: []int{1, 400}, Every: 700 * event.Microsecond}, {What: RecordVm, Of: "D", Every: event.Millisecond}}
	for _, p := range []string{"A", "B", "C", "D"} {
		gaps.Records = append(gaps.Records, Record{What: RecordSpikes, Of: p})
	}
	squids := &Model{Simulation: Simulation{Seed: 2}, Populations: []Population{{Name: "n", N: 12, Model: "hh_psc_alpha", Params: num("I_e", 650), Init: map[string]Value{"V_m": between(-75, -60)}}},
		Projections: []Projection{{Name: "gap", Source: "n", Target: "n", Rule: FixedTotalNumber, Total: 15, Weight: between(0, 4), Synapse: "gap_junction", SynapseParams: quantity.Values{}}}}
	for _, c := range []struct {
		name  string
		model *Model
		ms    event.Time
		want  string
	}{
		{"closed forms", closedModel(), 300, "59cbe20f16306fde03b4b7b0af152ed6"},
		{"gap junctions", gaps, 30, "86283ddccc0ce3e432b1ce5e4131696f"},
		{"joint integration", squids, 100, "094da1462930b48ce6a044feefe832a0"},
	} {
		n, err := Build(c.model, Options{})
		if err != nil {
			t.Fatal(err)
		}
		d := digest{sha256.New()}
		err = n.Run(context.Background(), c.ms*event.Millisecond, Recorder{Spikes: d, Samples: d})
		spikes := n.Stats().PopSpikes
		n.Close()
		if err != nil {
			t.Fatal(err)
		}
		if got := hex.EncodeToString(d.Sum(nil)[:16]); got != c.want {
			t.Errorf("%s: hash %s, want %s (spikes %v)", c.name, got, c.want, spikes)
		}
	}
}

func TestClosedIdentities(t *testing.T) {
	m := closedModel()
	const span = 120 * event.Millisecond
	want := runFor(t, mustBuild(t, m, 1), span)
	if len(want.rows) == 0 {
		t.Fatal("no samples")
	}
	sameTape(t, "split, 2 workers", runFor(t, mustBuild(t, m, 2), 7*event.Millisecond, 1, 50_123_456_789, span-7*event.Millisecond-50_123_456_790), want)
	bare := *m
	bare.Records = nil
	sameTape(t, "without samples", runFor(t, mustBuild(t, &bare, 1), span), &tape{spikes: want.spikes})
}
