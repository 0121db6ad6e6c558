package network

import (
	"fmt"
	"testing"
)

// BenchmarkConnect builds one block or, where the network has more, all of them
// one after the other, on one goroutine.
func BenchmarkConnect(b *testing.B) {
	normal := Value{Form: Normal, A: 20.25, B: 1, HasMin: true}
	delays := Value{Form: Uniform, A: 0.5, B: 3}
	tail := Value{Form: Normal, A: 1.5, B: 0.75, Min: 0.1, HasMin: true}
	one := Value{A: 1}
	for _, c := range []struct {
		name string
		n    int
		p    Projection
	}{
		{"pairwise_bernoulli/n=4000/p=0.02", 4000, Projection{Rule: PairwiseBernoulli, P: 0.02, Weight: one}},
		{"pairwise_bernoulli/n=4000/p=0.02/weights", 4000, Projection{Rule: PairwiseBernoulli, P: 0.02, Weight: normal}},
		{"pairwise_bernoulli/n=4000/p=0.02/delays", 4000, Projection{Rule: PairwiseBernoulli, P: 0.02, Weight: one, Dendritic: delays}},
		{"fixed_indegree/n=12500/k=1250", 12500, Projection{Rule: FixedInDegree, Degree: 1250, Weight: one}},
		{"fixed_indegree/n=12500/k=1250/multapses", 12500, Projection{Rule: FixedInDegree, Degree: 1250, Multapses: true, Weight: one}},
		{"fixed_outdegree/n=12500/k=1250", 12500, Projection{Rule: FixedOutDegree, Degree: 1250, Weight: one}},
		{"fixed_outdegree/n=12500/k=1250/multapses", 12500, Projection{Rule: FixedOutDegree, Degree: 1250, Multapses: true, Weight: one}},
		{"fixed_total_number/n=12500", 12500, Projection{Rule: FixedTotalNumber, Total: 12500 * 1250, Weight: one}},
		{"fixed_total_number/n=12500/multapses", 12500, Projection{Rule: FixedTotalNumber, Total: 12500 * 1250, Multapses: true, Weight: one}},
		{"fixed_total_number/n=12500/multapses/weights/delays", 12500, Projection{Rule: FixedTotalNumber, Total: 12500 * 300, Multapses: true, Weight: normal, Dendritic: tail}},
		{"all_to_all/n=4000", 4000, Projection{Rule: AllToAll, Weight: one}},
		{"distance/n=4000", 4000, Projection{Rule: Distance, P: 0.1, Weight: one, Profile: Profile{Shape: "gaussian", Sigma: 20, Extent: [3]float64{64, 64}}}},
	} {
		b.Run(c.name, func(b *testing.B) {
			m := pairModel(c.n, 0, c.p)
			m.Populations[0].Positions, m.Populations[0].Dim = lattice(c.n), 2
			blocks := partition(m)
			n := 0
			b.ReportAllocs()
			for b.Loop() {
				for _, r := range blocks {
					rows, err := connect(m, 0, r.Lo, r.Hi)
					if err != nil {
						b.Fatal(err)
					}
					for _, x := range rows {
						n += x.Len()
					}
				}
			}
			b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "synapses/s")
			b.ReportMetric(float64(len(blocks)), "blocks")
		})
	}
}

func BenchmarkSortRows(b *testing.B) {
	for _, n := range []int{16, 80, 300, 3000} {
		b.Run(fmt.Sprintf("row=%d", n), func(b *testing.B) {
			state := uint64(1)
			base := make([]uint64, n)
			for i := range base {
				state = state*6364136223846793005 + 1442695040888963407
				base[i] = state>>32<<32 | uint64(i)
			}
			keys, spare, places := make([]uint64, n), []uint64(nil), []uint32(nil)
			for b.Loop() {
				keys = append(keys[:0], base...)
				keys, spare, places = sortKeys(keys, spare, places)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*n), "ns/key")
		})
	}
}
