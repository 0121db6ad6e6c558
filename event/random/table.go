package random

import (
	"fmt"
	"math"

	"hmn/event/fmath"
)

// MaxTableMean is the largest mean of a PoissonTable.
const MaxTableMean = 32

// PoissonTable turns 64 random bits into a Poisson number of a fixed small
// mean. It is meant for the one draw each neuron makes each cell, where
// Poisson's exponential would be made anew every time. A table is some 3 kB;
// keep it and call it through its address.
type PoissonTable struct {
	last  [256]uint64 // last[k] is the largest u that gives a count ≤ k
	guide [1024]uint8 // guide[u>>54] is the smallest count of that stretch of u
}

// NewPoissonTable returns the table of a mean, 0 ≤ mean ≤ MaxTableMean; it
// panics otherwise. Each probability is right to 1e-14 relative and 2⁻⁶⁴
// absolute; what rounding leaves is given to the most likely count.
func NewPoissonTable(mean float64) PoissonTable {
	if !(mean >= 0 && mean <= MaxTableMean) {
		panic(fmt.Sprintf("random: PoissonTable mean %g, want 0 to %d", mean, MaxTableMean))
	}
	// share[k] of the 2⁶⁴ values of u give k; Σ share = 2⁶⁴ ≡ 0.
	var share [256]uint64
	mode := int(math.Floor(mean))
	rest := uint64(0)
	p := fmath.Exp(-mean)
	for k := range share {
		if k != mode {
			share[k] = uint64(math.Floor(float64(p*0x1p64) + 0.5))
			rest -= share[k]
		}
		p = float64(p * (mean / float64(k+1)))
	}
	share[mode] = rest // for mean 0 all of them, which is 0 modulo 2⁶⁴
	var t PoissonTable
	end := uint64(0)
	for k := range share {
		end += share[k]
		t.last[k] = end - 1
		if k >= mode && end == 0 { // the rest of the table is never read
			for k++; k < len(share); k++ {
				t.last[k] = math.MaxUint64
			}
			break
		}
	}
	k := 0
	for i := range t.guide {
		for uint64(i)<<54 > t.last[k] {
			k++
		}
		t.guide[i] = uint8(k)
	}
	return t
}

// Count returns the count of the random bits u, rising with u.
func (t *PoissonTable) Count(u uint64) int {
	k := t.guide[u>>54]
	for u > t.last[k] {
		k++
	}
	return int(k)
}
