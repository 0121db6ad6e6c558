package stdp_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"syscall"
	"testing"
	"time"

	"hmn/event"
	"hmn/event/quantity"
	"hmn/synapse"
)

// BenchmarkArrive is the kernel alone: rows of 100 synapses onto a block of 1000
// targets, sources and targets at 10 Hz. A plastic event is an arrival at one
// synapse, post spikes included.
func BenchmarkArrive(b *testing.B) {
	for _, c := range []struct {
		name, model string
		v           quantity.Values
	}{
		{"additive", "stdp", quantity.Values{}},
		{"guetig", "stdp", quantity.Values{"mu_plus": num(0.02), "mu_minus": num(0.02)}},
		{"nearest_presynaptic", "stdp", quantity.Values{"pairing": word("nearest_presynaptic")}},
		{"triplet", "stdp_triplet", quantity.Values{}},
		{"vogels", "vogels_sprekeler", quantity.Values{"w_max": num(1)}},
	} {
		for _, n := range []int{1e5, 1e7} {
			b.Run(fmt.Sprintf("%s/synapses=%.0e", c.name, float64(n)), func(b *testing.B) { arrive(b, c.model, c.v, n) })
		}
	}
}

// cpu is the processor time of this process: other programs do not count.
func cpu() time.Duration {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func arrive(b *testing.B, model string, v quantity.Values, n int) {
	const fan, targets, hz = 100, 1000, 10
	rng := rand.New(rand.NewPCG(1, 1))
	r := &synapse.Rows{Ptr: []uint32{0}, MinDelay: ms / 2, MaxDelay: ms / 2}
	for range n / fan {
		row := rng.Perm(targets)[:fan]
		slices.Sort(row)
		for _, j := range row {
			r.Target = append(r.Target, uint16(j))
		}
		r.Ptr = append(r.Ptr, uint32(len(r.Target)))
	}
	w := &synapse.Wiring{Rows: r, Dendritic: ms, Weight: 0.5, Targets: targets}
	l := learner(b, model, v, w)
	const window = ms
	sent := make([]float64, fan)
	sources := n / fan
	// Spikes of 1 ms: a mean of hz/1000 per neuron, in sum over windows.
	due := func(n int, window int) int { return (window+1)*n*hz/1000 - window*n*hz/1000 }
	events, t, k := 0, event.Time(0), 0
	passes := event.Time(1)
	start := cpu()
	for b.Loop() {
		l.Begin(t, t+window)
		n := due(sources, k)
		for i := range n {
			s := uint32(rng.IntN(sources))
			l.Arrive(s, r.Ptr[s], r.Ptr[s+1], t+event.Time(i)*window/event.Time(n), sent)
			events += fan
		}
		for range due(targets, k) {
			l.Post(rng.IntN(targets), t+window/2)
		}
		t += window
		k++
		if t > passes*10*event.Second {
			l.Settle(t, true)
			passes++
		}
	}
	b.ReportMetric(float64((cpu()-start).Nanoseconds())/float64(events), "cpu-ns/event")
	b.ReportMetric(0, "ns/op")
	m, _ := synapse.Lookup(model)
	b.ReportMetric(float64(w.Bytes(m.Learning.Bytes(v, false, false)))/float64(n), "B/synapse")
}
