package random

import "math/bits"

// Stream names what a draw is for, so that no two purposes share numbers.
// Values are written as numbers and never reused.
type Stream uint32

const (
	StreamInit      Stream = 1    // start values of state variables
	StreamPoisson   Stream = 2    // Poisson input
	StreamMother    Stream = 3    // shared mother process of correlated trains
	StreamCopy      Stream = 4    // a child's decision to copy a mother spike
	StreamConnect   Stream = 5    // which synapses exist
	StreamWeight    Stream = 6    // synaptic weights
	StreamDelay     Stream = 7    // synaptic delays
	StreamNoise     Stream = 8    // held noise of rate units and of noise currents
	StreamSubset    Stream = 9    // samples of recorded entities
	StreamDendritic Stream = 10   // dendritic processes
	StreamUpdate    Stream = 11   // Bernoulli trials of weight updates: owner projection, entity target<<32|source, counter k
	StreamPhase     Stream = 12   // phases of plastic synapses
	StreamEmbedding Stream = 13   // embedding vectors of presynaptic neurons: owner population, entity neuron
	StreamMeta      Stream = 14   // perturbations of learning rates: counter period
	StreamTask      Stream = 15   // environments
	StreamRelease   Stream = 20   // quantal release: owner projection, entity target<<32|source, counter spike of the source
	StreamUser      Stream = 1000 // first number free for extensions
)

// Key is the Philox key of one (seed, stream, owner).
type Key uint64

// NewKey returns the key of a stream of an owner, usually the Name of a
// population or projection. For two fixed arguments it is one to one in the
// third, and every argument bit changes about half the bits of the key.
func NewKey(seed uint64, s Stream, owner uint64) Key {
	h := mix(seed + weyl)
	h = mix(h + uint64(s) + weyl)
	return Key(mix(h ^ mix(owner+weyl)))
}

// Name returns a stable 64-bit hash of a name: FNV-1a with a finaliser.
func Name(s string) uint64 {
	h := uint64(14695981039346656037)
	for i := range len(s) {
		h = (h ^ uint64(s[i])) * 1099511628211
	}
	return mix(h)
}

// mix is the finaliser of splitmix64, one to one on 64 bits (Steele, Lea &
// Flood 2014, doi:10.1145/2660193.2660195).
func mix(z uint64) uint64 {
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

const (
	philoxM = 0xd2b74407b1ce6e93 // multiplier of a round
	weyl    = 0x9e3779b97f4a7c15 // golden ratio: what the key grows by
)

// At returns one Philox2x64-10 block, 128 random bits, of an entity: the low
// counter word is counter, the high one entity (Salmon, Moraes, Dror & Shaw
// 2011, doi:10.1145/2063384.2063405).
func (k Key) At(entity, counter uint64) (a, b uint64) {
	// Ten rounds (a, b) ← (hi(M·a) ^ key ^ b, lo(M·a)), written out: the loop
	// costs a quarter of the speed.
	key := uint64(k)
	h, l := bits.Mul64(philoxM, counter)
	a, b = h^(key^entity), l
	key += weyl
	h, l = bits.Mul64(philoxM, a)
	a, b = h^(key^b), l
	key += weyl
	h, l = bits.Mul64(philoxM, a)
	a, b = h^(key^b), l
	key += weyl
	h, l = bits.Mul64(philoxM, a)
	a, b = h^(key^b), l
	key += weyl
	h, l = bits.Mul64(philoxM, a)
	a, b = h^(key^b), l
	key += weyl
	h, l = bits.Mul64(philoxM, a)
	a, b = h^(key^b), l
	key += weyl
	h, l = bits.Mul64(philoxM, a)
	a, b = h^(key^b), l
	key += weyl
	h, l = bits.Mul64(philoxM, a)
	a, b = h^(key^b), l
	key += weyl
	h, l = bits.Mul64(philoxM, a)
	a, b = h^(key^b), l
	key += weyl
	h, l = bits.Mul64(philoxM, a)
	return h ^ (key ^ b), l
}
