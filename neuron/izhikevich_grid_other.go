//go:build !amd64

package neuron

const byFours = false

func stepFour(v, u, in *float64, bits *uint64, over *uint8, n int, c *gridConstants) {
	panic("neuron: stepFour without AVX2")
}
