package neuron

import "golang.org/x/sys/cpu"

// byFours says whether the processor has what stepFour needs.
var byFours = cpu.X86.HasAVX2

//go:noescape
func stepFour(v, u, in *float64, bits *uint64, over *uint8, n int, c *gridConstants)
