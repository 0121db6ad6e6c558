package random_test

import (
	"fmt"

	"hmn/event/random"
)

// Weights of the projection E→I for seed 1: synapse 2 has the same weight
// whoever asks, in whatever order.
func Example() {
	weights := random.NewKey(1, random.StreamWeight, random.Name("E→I"))
	for synapse := range uint64(3) {
		fmt.Printf("%.4f pA\n", 20+2*random.NormalOf(weights.At(synapse, 0)))
	}
	// In turn, for one entity: how many of 100 synapses exist, and a delay.
	s := random.NewKey(1, random.StreamConnect, random.Name("E→I")).Source(0)
	fmt.Println(s.Binomial(100, 0.1), s.IntN(15))
	// Output:
	// 18.7684 pA
	// 22.1518 pA
	// 20.9687 pA
	// 7 13
}
