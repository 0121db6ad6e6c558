package validation

import (
	"context"
	"fmt"
	"math"
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

// loneSynapse is a projection of one synapse under stdp_dopamine between two spike
// trains, with one modulator.
const loneSynapse = `
[simulation]
duration = "%g ms"
[[population]]
name = "pre"
n = 1
model = "spike_train"
times = [%s]
[[population]]
name = "post"
n = 1
model = "spike_train"
times = [%s]
[[projection]]
name = "plastic"
source = "pre"
target = "post"
rule = "all_to_all"
weight = 1.0
axonal_delay = "1 ms"
synapse = { model = "stdp_dopamine", A_plus = 1.0, tau_plus = "%g ms", tau_minus = "%g ms", tau_c = "1000 ms", eta = 0.1, w_max = 1000.0 }
[[modulator]]
name = "dopamine"
tau = "200 ms"
events = [%s]
[[record]]
what = "weight"
of = "plastic"
times = [%g]
`

// checkLoneSynapses: cases by hand, through a model file and a sample at a given time.
func checkLoneSynapses(t *testing.T, _ mode) (rows []Check) {
	kappa := 1./1000 + 1./200
	for _, c := range []struct {
		name            string
		pre, post, jump string
		tau, at, want   float64
		why             string
	}{
		{"pre 1500 and 2400 ms, post 1504 ms, dopamine 1 at 1601 ms, tau_plus 10 ms: Δw at 2400 ms", "[1499, 2399]", "[1504]", "[1601, 1]", 10, 2400,
			0.1 * math.Exp(-4./10) * math.Exp(-97./1000) * (1 - math.Exp(-799*kappa)) / kappa,
			"0.1 e^(−4/10) e^(−97/1000) (1 − e^(−799κ))/κ = 10.0552710, κ = 1/1000 + 1/200"},
		{"a pair 7 ms apart, dopamine 0.5 one second later: Δw in the end", "[0]", "[8]", "[1008, 0.5]", 20, 30000,
			0.1 * 0.5 * math.Exp(-7./20) * math.Exp(-1) / kappa, "0.1 · 0.5 e^(−7/20) e^(−1)/κ = 2.160336"},
	} {
		text := fmt.Sprintf(loneSynapse, c.at+100, c.pre, c.post, c.tau, c.tau, c.jump, c.at)
		m, _, err := config.Parse([]byte(text), config.Options{Name: "synapse.toml"})
		if err != nil {
			t.Fatal(err)
		}
		n, err := network.Build(m, network.Options{Workers: 1})
		if err != nil {
			t.Fatal(err)
		}
		defer n.Close()
		samples := &trialRows{}
		if err := n.Run(context.Background(), m.Simulation.Duration, network.Recorder{Samples: samples}); err != nil {
			t.Fatal(err)
		}
		if len(samples.rows) != 1 {
			t.Fatalf("%d samples", len(samples.rows))
		}
		rows = append(rows, Check{Name: c.name, Unit: "[w]", Expected: c.want, Got: samples.rows[0][0] - 1, Tolerance: 1e-12 * c.want,
			Why: c.why + "; 1e-12 of what is added, as in the table of rules"})
	}
	return rows
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
