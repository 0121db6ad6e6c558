package network

import (
	"sort"

	"hmn/neuron"
)

// blockRange is the neurons [Lo, Hi) of one population: what one block owns,
// together with all synapses onto them.
type blockRange struct{ Pop, Lo, Hi int }

// maxBlock keeps a block's accumulators, 32 B per neuron, within half of a
// 1 MiB cache. It is below 65 536, so that a local target fits in 16 bits.
const maxBlock = 16384

// minBlocks is how many blocks a network of at least manyNeurons has, so that
// several workers find something to do.
const (
	minBlocks   = 8
	manyNeurons = 2000
)

// partition cuts the populations into blocks, in their order. It is a function
// of the description only, never of the number of workers. Blocks do not span
// populations, and those of one population differ by at most one neuron.
// Populations of sources are cut as well but do not count toward minBlocks.
func partition(m *Model) []blockRange {
	total := 0
	for i := range m.Populations {
		if m.receives(i) {
			total += m.Populations[i].N
		}
	}
	size := maxBlock
	if total >= manyNeurons {
		// The largest size that gives enough blocks: each block costs something
		// per window and spike.
		size = sort.Search(maxBlock, func(s int) bool { return m.blocksOf(s+1) < minBlocks })
	}
	var blocks []blockRange
	for i := range m.Populations {
		n := m.Populations[i].N
		k := (n + size - 1) / size
		for j := range k {
			blocks = append(blocks, blockRange{i, n * j / k, n * (j + 1) / k})
		}
	}
	return blocks
}

// blocksOf is the number of blocks of at most size neurons, sources left out.
func (m *Model) blocksOf(size int) int {
	blocks := 0
	for i := range m.Populations {
		if m.receives(i) {
			blocks += (m.Populations[i].N + size - 1) / size
		}
	}
	return blocks
}

// kind is the kind of a population's model; 0 when there is no such model.
func (m *Model) kind(pop int) neuron.Kind {
	if nm, ok := neuron.Lookup(m.Populations[pop].Model); ok {
		return nm.Kind
	}
	return 0
}

// receives tells neurons and rate units from sources.
func (m *Model) receives(pop int) bool {
	k := m.kind(pop)
	return k == neuron.Spiking || k == neuron.Rate
}

// findPopulation is the index of a population, or −1.
func (m *Model) findPopulation(name string) int {
	for i := range m.Populations {
		if m.Populations[i].Name == name {
			return i
		}
	}
	return -1
}
