package network

import (
	"math/bits"
	"slices"

	"hmn/synapse"
)

// sortRows sorts each row by delay; synapses of one delay keep their order,
// which is by target and multapse number.
func sortRows(r *synapse.Rows) {
	var keys, spare []uint64 // delay<<32 | place in the row
	var places []uint32
	var targets []uint16
	var w32 []float32
	var w64 []float64
	var numbers []uint32
	for s := 0; s+1 < len(r.Ptr); s++ {
		lo, hi := r.Ptr[s], r.Ptr[s+1]
		delay := r.Delay[lo:hi]
		if slices.IsSorted(delay) {
			continue
		}
		keys = keys[:0]
		for i, d := range delay {
			keys = append(keys, uint64(d)<<32|uint64(i))
		}
		keys, spare, places = sortKeys(keys, spare, places)
		target := r.Target[lo:hi]
		targets = append(targets[:0], target...)
		for i, k := range keys {
			delay[i] = uint32(k >> 32)
			target[i] = targets[uint32(k)]
		}
		if r.Weight != nil {
			w := r.Weight[lo:hi]
			w32 = append(w32[:0], w...)
			for i, k := range keys {
				w[i] = w32[uint32(k)]
			}
		}
		if r.Multapse != nil {
			m := r.Multapse[lo:hi]
			numbers = append(numbers[:0], m...)
			for i, k := range keys {
				m[i] = numbers[uint32(k)]
			}
		}
		if r.Weight64 != nil {
			w := r.Weight64[lo:hi]
			w64 = append(w64[:0], w...)
			for i, k := range keys {
				w[i] = w64[uint32(k)]
			}
		}
	}
}

// sortKeys sorts keys: it deals them into about as many buckets as there are
// keys, by their upper bits within the range they span, and sorts the rest of
// the way by insertion, so that evenly spread delays cost a constant each;
// crowded buckets are sorted by comparison. It returns the sorted keys and the
// buffers, which swap places.
func sortKeys(keys, spare []uint64, places []uint32) (sorted, other []uint64, buckets []uint32) {
	n := len(keys)
	if n <= 24 {
		insertionSort(keys)
		return keys, spare, places
	}
	lo, hi := keys[0], keys[0]
	for _, k := range keys {
		lo, hi = min(lo, k), max(hi, k)
	}
	shift := max(0, bits.Len64(hi-lo)-bits.Len64(uint64(n)))
	count := int((hi-lo)>>shift) + 2
	places = slices.Grow(places[:0], count)[:count]
	clear(places)
	for _, k := range keys {
		places[(k-lo)>>shift+1]++
	}
	crowded := false
	for i := 1; i < count; i++ {
		crowded = crowded || places[i] > 16
		places[i] += places[i-1]
	}
	spare = slices.Grow(spare[:0], n)[:n]
	for _, k := range keys {
		b := (k - lo) >> shift
		spare[places[b]] = k
		places[b]++
	}
	if crowded {
		slices.Sort(spare)
	} else {
		insertionSort(spare)
	}
	return spare, keys, places
}

func insertionSort(k []uint64) {
	for i := 1; i < len(k); i++ {
		x := k[i]
		j := i
		for ; j > 0 && k[j-1] > x; j-- {
			k[j] = k[j-1]
		}
		k[j] = x
	}
}
