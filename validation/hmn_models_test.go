package validation

import (
	"context"
	"fmt"
	"math"
	"runtime"
	"sync"
	"testing"

	"hmn/event"
	"hmn/io/config"
	"hmn/models"
	_ "hmn/models/task"
	"hmn/network"
	"hmn/validation/stats"
)

// trials keeps what a task reports.
type trials struct {
	model *network.Model
	rows  [][]float64
}

func (x *trials) WriteSamples(record int, _ event.Time, values []float64) error {
	if x.model.Records[record].What == network.RecordTrials {
		x.rows = append(x.rows, append([]float64(nil), values...))
	}
	return nil
}

// runTask runs a shipped model with a task for d and returns the rows of its
// trials.
func runTask(name string, seed int, d event.Time) ([][]float64, error) {
	text, ok := models.Text(name)
	if !ok {
		return nil, fmt.Errorf("no model %q", name)
	}
	m, _, err := config.Parse([]byte(text), config.Options{Name: name + ".toml", Set: []string{fmt.Sprintf("simulation.seed=%d", seed)}})
	if err != nil {
		return nil, err
	}
	n, err := network.Build(m, network.Options{Workers: 1})
	if err != nil {
		return nil, err
	}
	defer n.Close()
	x := &trials{model: m}
	err = n.Run(context.Background(), d, network.Recorder{Samples: x})
	return x.rows, err
}

// eachSeed calls do for seeds 1 to n on all processors.
func eachSeed(t *testing.T, n int, do func(seed int) (float64, error)) []float64 {
	out := make([]float64, n)
	errs := make([]error, n)
	var wg sync.WaitGroup
	gate := make(chan struct{}, runtime.GOMAXPROCS(0))
	for s := range n {
		wg.Go(func() {
			gate <- struct{}{}
			out[s], errs[s] = do(s + 1)
			<-gate
		})
	}
	wg.Wait()
	for _, err := range errs {
		if err != nil {
			t.Fatal(err)
		}
	}
	return out
}

// checkLearners runs the shipped models that learn.
func checkLearners(t *testing.T, m mode) []Check {
	seeds, length := [...]int{4, 32, 32}[m], [...]int{500, 2000, 2000}[m]
	rewards := eachSeed(t, seeds, func(seed int) (float64, error) {
		rows, err := runTask("hmn-bandit", seed, event.Time(length)*2*event.Second)
		if err != nil || len(rows) != length {
			return 0, fmt.Errorf("hmn-bandit, seed %d: %d trials, want %d: %w", seed, len(rows), length, err)
		}
		sum := 0.0
		for _, r := range rows {
			sum += r[len(r)-1]
		}
		return sum / float64(len(rows)), nil
	})
	mean, sd := moments(rewards)
	row := Check{Name: fmt.Sprintf("hmn-bandit: mean reward of %d trials, %d seeds", length, seeds), Unit: "1", Expected: 0.657, Got: mean, Tolerance: 0.02, Spread: sd,
		Why: "an independent program: 0.657 ± 0.007 (95 %) over 24 seeds of 2000 trials; chance 0.35, best arm always 0.80"}
	if m == quickMode {
		// Seeds have a standard deviation of about 0.02 at 2000 trials, twice that
		// at 500, before the good arm moves for the first time.
		row.Tolerance = 0.02 + 4*0.04/math.Sqrt(float64(seeds))
		row.Why += "; 4 standard errors of the seeds besides"
	}
	rows := []Check{row}
	if m != fullMode {
		return rows
	}
	gain := eachSeed(t, 10, func(seed int) (float64, error) {
		rows, err := runTask("hmn-recurrent", seed, 300*event.Second)
		if err != nil || len(rows) == 0 {
			return 0, fmt.Errorf("hmn-recurrent, seed %d: %d trials: %w", seed, len(rows), err)
		}
		last := rows[len(rows)-1]
		return last[len(last)-2] - last[len(last)-1], nil
	})
	ci := stats.Bootstrap(gain, func(x []float64) float64 { m, _ := moments(x); return m }, 0.95, 10_000, 1)
	mean, sd = moments(gain)
	return append(rows,
		Check{Name: "hmn-recurrent: chosen less control synapses after 300 s, 10 seeds", Unit: "pA", Open: true, Got: mean, Spread: sd,
			Why: "mean weights; the control synapses are chosen alike and their coincidences reward nothing"},
		Check{Name: "… lower end of the 95 % interval of the difference is above 0", Unit: "1", Expected: 1, Got: btoi(ci.Lo > 0),
			Why: fmt.Sprintf("bootstrap over seeds: %.3g to %.3g pA", ci.Lo, ci.Hi)})
}

func btoi(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

// moments are the mean and the standard deviation of a sample.
func moments(x []float64) (mean, sd float64) {
	for _, y := range x {
		mean += y / float64(len(x))
	}
	for _, y := range x {
		sd += (y - mean) * (y - mean)
	}
	return mean, math.Sqrt(sd / float64(len(x)-1))
}
