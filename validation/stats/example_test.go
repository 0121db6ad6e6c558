package stats_test

import (
	"fmt"
	"math"

	"hmn/validation/stats"
)

func Example() {
	trains := [][]float64{
		{10, 30, 50, 70, 90}, // regular
		{5, 6, 40, 41, 95},   // bursting
		{50},                 // too few spikes for a CV
	}
	cv, n := stats.MeanCV(trains)
	fmt.Printf("%.1f Hz, CV %.2f over %d neurons\n", stats.MeanRate(trains, 0, 100), cv, n)

	// A neuron driven by white noise with its mean at threshold.
	lif := stats.LIF{VTh: 15, VReset: 0, TauM: 10, TRef: 2}
	fmt.Printf("Siegert: %.4f Hz\n", lif.Siegert(15, math.Sqrt(1.5)))
	// Output:
	// 36.7 Hz, CV 0.50 over 2 neurons
	// Siegert: 27.1096 Hz
}
