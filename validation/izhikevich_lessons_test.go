package validation

import (
	"fmt"
	"testing"

	"hmn/event"
	"hmn/validation/stats"
)

// column is one column of the trials [lo, hi) of a lesson; hi = 0: to the end.
func (x *lesson) column(c, lo, hi int) (y []float64) {
	if hi == 0 || hi > len(x.Trials) {
		hi = len(x.Trials)
	}
	for _, r := range x.Trials[min(lo, hi):hi] {
		y = append(y, r[c])
	}
	return y
}

// checkConditioning runs the other experiments of Izhikevich 2007 as shipped.
func checkConditioning(t *testing.T, m mode) (rows []Check) {
	if m != fullMode {
		return nil
	}
	const seeds = 3
	run := func(model string, d event.Time, set ...string) []lesson {
		out := make([]lesson, seeds)
		probe := probeOf(t, model)
		eachSeed(t, seeds, func(seed int) (float64, error) {
			var err error
			out[seed-1], err = lessonOf(m, storeDir(), probe, model, d, seed, set...)
			return 0, err
		})
		return out
	}
	each := func(runs []lesson, f func(*lesson) float64) (y []float64) {
		for k := range runs {
			y = append(y, f(&runs[k]))
		}
		return y
	}
	add := func(name, unit, why string, y []float64) {
		rows = append(rows, Check{Name: name, Unit: unit, Open: true, Got: stats.Mean(y), Why: why + interval(y, stats.Mean)})
	}
	mean := func(c, lo, hi int) func(*lesson) float64 {
		return func(x *lesson) float64 { return stats.Mean(x.column(c, lo, hi)) }
	}
	last := func(c, n int) func(*lesson) float64 {
		return func(x *lesson) float64 { return stats.Mean(x.column(c, len(x.Trials)-n, 0)) }
	}

	x := run("izhikevich2007-classical", 3600*event.Second)
	add(fmt.Sprintf("izhikevich2007-classical, 3600 s, %d seeds: presentations of S1", seeds), "1", "", each(x, func(x *lesson) float64 { return float64(len(x.Trials)) }))
	add("… response to S1 in the first 5", "1", "spikes of other neurons in 20 ms; ", each(x, mean(0, 0, 5)))
	add("… to other stimuli meanwhile", "1", "", each(x, mean(1, 0, 5)))
	add("… response to S1 in the last 50", "1", "", each(x, last(0, 50)))
	add("… to other stimuli meanwhile", "1", "", each(x, last(1, 50)))
	add("… mean weight of the synapses that leave S1", "pA", "", each(x, last(2, 50)))
	add("… that leave S2", "pA", "", each(x, last(3, 50)))
	add("… rate", "Hz", "", each(x, func(x *lesson) float64 { return x.RateHz }))

	x = run("izhikevich2007-instrumental", 5000*event.Second)
	more := func(a, b, lo, hi int) func(*lesson) float64 {
		return func(x *lesson) float64 {
			p, q := x.column(a, lo, hi), x.column(b, lo, hi)
			n := 0.0
			for k := range p {
				n += btoi(p[k] > q[k]) / float64(len(p))
			}
			return n
		}
	}
	add(fmt.Sprintf("izhikevich2007-instrumental, 499 trials, %d seeds: A above B in the first 50", seeds), "1", "share of trials; A is rewarded; ", each(x, more(0, 1, 0, 50)))
	add("… in trials 101 to 200", "1", "", each(x, more(0, 1, 100, 200)))
	add("… B above A in trials 101 to 200", "1", "", each(x, more(1, 0, 100, 200)))
	add("… B above A in trials 401 to 499", "1", "B has been rewarded since trial 201; ", each(x, more(1, 0, 400, 499)))
	add("… A above B in trials 401 to 499", "1", "", each(x, more(0, 1, 400, 499)))
	add("… spikes of A in trials 101 to 200", "1", "", each(x, mean(0, 100, 200)))
	add("… of B", "1", "", each(x, mean(1, 100, 200)))
	add("… mean weight from S to A then", "pA", "", each(x, mean(3, 100, 200)))
	add("… from S to B then", "pA", "", each(x, mean(4, 100, 200)))

	x = run("izhikevich2007-shift", 6000*event.Second)
	for _, p := range []struct {
		name   string
		lo, hi int
		of     []int
	}{{"US alone", 50, 100, []int{2}}, {"CS1 before US", 250, 300, []int{1, 2}}, {"CS2 before CS1 before US", 549, 599, []int{0, 1, 2}}} {
		for k, c := range p.of {
			name := "… to " + []string{"CS2", "CS1", "US"}[c]
			if k == 0 {
				name = fmt.Sprintf("izhikevich2007-shift, %s, last 50 trials, %d seeds: response to %s", p.name, seeds, []string{"CS2", "CS1", "US"}[c])
			}
			add(name, "1", "spikes of the 50 dopaminergic neurons in 20 ms; ", each(x, mean(c, p.lo, p.hi)))
		}
	}
	return rows
}
