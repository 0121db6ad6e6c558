package validation

import (
	"context"
	"fmt"
	"testing"

	"hmn/event"
	"hmn/io/config"
	"hmn/models"
	"hmn/network"
	"hmn/validation/stats"
)

// tenths counts the spikes of each population by tenths of a run.
type tenths struct {
	m      *network.Model
	length event.Time
	counts map[string]*[10]float64
}

func (x *tenths) WriteSpikes(spikes []network.Spike) error {
	for _, s := range spikes {
		id := int(s.ID)
		for i := range x.m.Populations {
			p := &x.m.Populations[i]
			if id < p.N {
				if x.counts[p.Name] == nil {
					x.counts[p.Name] = new([10]float64)
				}
				x.counts[p.Name][min(9, s.At/(x.length/10))]++
				break
			}
			id -= p.N
		}
	}
	return nil
}

// trialRows keeps what a task reports.
type trialRows struct{ rows [][]float64 }

func (x *trialRows) WriteSamples(_ int, _ event.Time, values []float64) error {
	x.rows = append(x.rows, append([]float64(nil), values...))
	return nil
}

// rewarded runs a shipped model for so long.
func rewarded(model string, seed int, length event.Time) (*tenths, *trialRows, error) {
	text, ok := models.Text(model)
	if !ok {
		return nil, nil, fmt.Errorf("no model %q", model)
	}
	m, _, err := config.Parse([]byte(text), config.Options{Name: model + ".toml", Set: []string{
		fmt.Sprintf("simulation.seed=%d", seed), fmt.Sprintf("simulation.duration=%g ms", length.MS())}})
	if err != nil {
		return nil, nil, err
	}
	var kept []network.Record
	for _, r := range m.Records {
		if r.What == network.RecordSpikes || r.What == network.RecordTrials {
			kept = append(kept, r)
		}
	}
	m.Records = kept
	n, err := network.Build(m, network.Options{Workers: 1})
	if err != nil {
		return nil, nil, err
	}
	defer n.Close()
	spikes, rows := &tenths{m, length, map[string]*[10]float64{}}, &trialRows{}
	return spikes, rows, n.Run(context.Background(), length, network.Recorder{Spikes: spikes, Samples: rows})
}

// checkRewards: what neurons learn that are rewarded for their spikes.
func checkRewards(t *testing.T, m mode) []Check {
	return append(checkBiofeedback(t, [...]int{3, 5, 8}[m], [...]event.Time{240, 400, 1200}[m]*event.Second),
		checkXor(t, m)...)
}

// checkBiofeedback: Legenstein, Pecevski & Maass 2008.
func checkBiofeedback(t *testing.T, seeds int, length event.Time) (rows []Check) {
	rises := 0
	var gains, controls []float64
	for seed := 1; seed <= seeds; seed++ {
		x, _, err := rewarded("legenstein2008", seed, length)
		if err != nil {
			t.Fatal(err)
		}
		gain := func(p string) float64 {
			c := x.counts[p]
			return (c[8] + c[9]) / (c[0] + c[1])
		}
		r, c := gain("reinforced"), gain("control")
		gains, controls = append(gains, r), append(controls, c)
		if r > 1.1 && r > c {
			rises++
		}
	}
	what := fmt.Sprintf("legenstein2008, %d seeds of %v s, rate in the last over that in the first fifth", seeds, length.Seconds())
	rows = append(rows, Check{Name: what + ": seeds in which that of the rewarded neuron is above 1.1 and above that of the control", Unit: "1",
		Expected: float64(seeds), Got: float64(rises), Why: "the paper's finding: the rewarded neuron's rate rises, others' do not"})
	for _, arm := range []struct {
		name string
		x    []float64
	}{{"rewarded", gains}, {"control", controls}} {
		i := stats.Bootstrap(arm.x, stats.Mean, 0.95, 10000, 1)
		rows = append(rows, Check{Name: "… " + arm.name, Unit: "1", Got: i.Estimate, Open: true,
			Why: fmt.Sprintf("mean; 95 %% confidence %.3f to %.3f (bootstrap over seeds)", i.Lo, i.Hi)})
	}
	return rows
}

// checkXor: Florian 2007, the exclusive or with inputs coded by rates.
func checkXor(t *testing.T, m mode) (rows []Check) {
	if m == quickMode {
		return nil // learning takes minutes of simulated time
	}
	seeds, length := [...]int{0, 1, 8}[m], [...]event.Time{0, 400, 400}[m]*event.Second
	learned := 0
	for seed := 1; seed <= seeds; seed++ {
		_, trials, err := rewarded("florian2007", seed, length)
		if err != nil {
			t.Fatal(err)
		}
		var spikes, shown [2][2]float64 // by pattern, in the last tenth
		for _, r := range trials.rows[len(trials.rows)*9/10:] {
			a, b := int(r[1]), int(r[2])
			spikes[a][b] += r[3]
			shown[a][b]++
		}
		rate := func(a, b int) float64 { return spikes[a][b] / shown[a][b] }
		if rate(0, 1) > 1.5*rate(1, 1) && rate(1, 0) > 1.5*rate(1, 1) {
			learned++
		}
	}
	return []Check{{Name: fmt.Sprintf("florian2007, %d seeds of %v s: seeds in which both true patterns have more than 1.5 times the rate of {1, 1} in the last tenth", seeds, length.Seconds()),
		Unit: "1", Expected: float64(seeds), Got: float64(learned), Why: "the paper's criterion is a lower rate for {1, 1} than for {0, 1} and {1, 0}"}}
}
