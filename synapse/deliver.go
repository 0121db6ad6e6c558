package synapse

// The delivery kernels add one row, or part of one, to the accumulators of a
// block: acc[target] += weight × factor, in row order. They are the innermost
// loops of the simulator; factors belong to the spike and are computed by the
// caller. lo and hi are positions in Target, as in Ptr.

// AddJump adds weight·f to one accumulator per target.
func (r *Rows) AddJump(acc []float64, lo, hi uint32, f float64) {
	targets := r.Target[lo:hi]
	switch {
	case r.Weight != nil:
		w := r.Weight[lo:hi][:len(targets)]
		for k, t := range targets {
			acc[t] += float64(f * float64(w[k]))
		}
	case r.Weight64 != nil:
		w := r.Weight64[lo:hi][:len(targets)]
		for k, t := range targets {
			acc[t] += float64(f * w[k])
		}
	default:
		c := float64(f * r.Const)
		for _, t := range targets {
			acc[t] += c
		}
	}
}

// AddPair adds weight·(f, g) to two accumulators per target.
func (r *Rows) AddPair(acc [][2]float64, lo, hi uint32, f, g float64) {
	targets := r.Target[lo:hi]
	switch {
	case r.Weight != nil:
		w := r.Weight[lo:hi][:len(targets)]
		for k, t := range targets {
			x, a := float64(w[k]), &acc[t]
			a[0] += float64(f * x)
			a[1] += float64(g * x)
		}
	case r.Weight64 != nil:
		w := r.Weight64[lo:hi][:len(targets)]
		for k, t := range targets {
			x, a := w[k], &acc[t]
			a[0] += float64(f * x)
			a[1] += float64(g * x)
		}
	default:
		c, d := float64(f*r.Const), float64(g*r.Const)
		for _, t := range targets {
			a := &acc[t]
			a[0] += c
			a[1] += d
		}
	}
}

// AddRise is AddPair into two slices, for positive weights: it also takes what
// it adds to v from room, and appends the targets whose room that uses up to
// flagged.
func (r *Rows) AddRise(v, i, room []float64, lo, hi uint32, f, g float64, flagged []int32) []int32 {
	targets := r.Target[lo:hi]
	i, room = i[:len(v)], room[:len(v)]
	if r.Weight == nil && r.Weight64 == nil {
		up, c := float64(f*r.Const), float64(g*r.Const)
		for _, t := range targets {
			left := room[t]
			v[t] += up
			i[t] += c
			room[t] = left - up
			if left >= 0 && !(left-up >= 0) {
				flagged = append(flagged, int32(t))
			}
		}
		return flagged
	}
	for k, t := range targets {
		w := r.WeightAt(int(lo) + k)
		up, left := float64(f*w), room[t]
		v[t] += up
		i[t] += float64(g * w)
		room[t] = left - up
		if left >= 0 && !(left-up >= 0) {
			flagged = append(flagged, int32(t))
		}
	}
	return flagged
}

// AddFall is AddPair into two slices.
func (r *Rows) AddFall(v, i []float64, lo, hi uint32, f, g float64) {
	targets := r.Target[lo:hi]
	i = i[:len(v)]
	if r.Weight == nil && r.Weight64 == nil {
		down, c := float64(f*r.Const), float64(g*r.Const)
		for _, t := range targets {
			v[t] += down
			i[t] += c
		}
		return
	}
	for k, t := range targets {
		w := r.WeightAt(int(lo) + k)
		v[t] += float64(f * w)
		i[t] += float64(g * w)
	}
}

// AddTriple adds weight·(f, g, h) to three accumulators per target.
func (r *Rows) AddTriple(acc [][3]float64, lo, hi uint32, f, g, h float64) {
	for k := lo; k < hi; k++ {
		w, a := r.WeightAt(int(k)), &acc[r.Target[k]]
		a[0] += float64(f * w)
		a[1] += float64(g * w)
		a[2] += float64(h * w)
	}
}
