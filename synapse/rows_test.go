package synapse

import (
	"math"
	"math/rand/v2"
	"testing"

	"hmn/event"
	"hmn/event/quantity"
)

// randomRows draws rows of ns sources onto nt targets, with multapses and empty
// rows. kind: 0 one weight, 1 float32, 2 float64.
func randomRows(rng *rand.Rand, ns, nt, kind int) *Rows {
	r := &Rows{Ptr: []uint32{0}, Const: rng.NormFloat64(), MinDelay: event.Millisecond}
	for range ns {
		for range rng.IntN(2 * nt) {
			r.Target = append(r.Target, uint16(rng.IntN(nt)))
			switch kind {
			case 1:
				r.Weight = append(r.Weight, float32(rng.NormFloat64()))
			case 2:
				r.Weight64 = append(r.Weight64, rng.NormFloat64())
			}
		}
		r.Ptr = append(r.Ptr, uint32(len(r.Target)))
	}
	return r
}

// TestDeliver: the kernels add weight × factor to each target, in row order,
// bit for bit what the plain loop gives, and touch nothing else.
func TestDeliver(t *testing.T) {
	for seed := range uint64(30) {
		rng := rand.New(rand.NewPCG(seed, 0))
		const nt = 9
		r := randomRows(rng, 5, nt, int(seed%3))
		var a1, w1 [nt]float64
		var a2, w2 [nt][2]float64
		var a3, w3 [nt][3]float64
		for s := range 5 {
			lo, hi := r.Ptr[s], r.Ptr[s+1]
			if rng.IntN(2) == 0 && hi > lo { // part of a row
				lo += uint32(rng.IntN(int(hi - lo)))
			}
			f, g, h := rng.NormFloat64(), rng.NormFloat64(), rng.NormFloat64()
			r.AddJump(a1[:], lo, hi, f)
			r.AddPair(a2[:], lo, hi, f, g)
			r.AddTriple(a3[:], lo, hi, f, g, h)
			for k := lo; k < hi; k++ {
				i, w := r.Target[k], r.WeightAt(int(k))
				w1[i] += float64(f * w)
				w2[i][0] += float64(f * w)
				w2[i][1] += float64(g * w)
				w3[i][0] += float64(f * w)
				w3[i][1] += float64(g * w)
				w3[i][2] += float64(h * w)
			}
		}
		if a1 != w1 || a2 != w2 || a3 != w3 {
			t.Errorf("seed %d: sums differ from the plain loop", seed)
		}
	}
}

func TestDeliverAllocs(t *testing.T) {
	r := randomRows(rand.New(rand.NewPCG(1, 0)), 4, 9, 1)
	acc := make([][2]float64, 9)
	if n := testing.AllocsPerRun(20, func() { r.AddPair(acc, 0, uint32(r.Len()), 1, 2) }); n > 0 {
		t.Errorf("%v allocations per row", n)
	}
}

func TestRowsAccess(t *testing.T) {
	r := &Rows{Ptr: []uint32{0, 2, 3}, Target: []uint16{0, 1, 0}, Const: 2, MinDelay: 5, MaxDelay: 5}
	if r.Len() != 3 || r.WeightAt(1) != 2 || r.DelayAt(2) != 5 || r.Bytes() != 3*4+3*2 {
		t.Errorf("one weight, one delay: %d, %v, %v, %d bytes", r.Len(), r.WeightAt(1), r.DelayAt(2), r.Bytes())
	}
	r.Weight = []float32{1, 2, 3}
	r.Delay = []uint32{0, 7, math.MaxUint32}
	if r.WeightAt(2) != 3 || r.DelayAt(1) != 12 || r.DelayAt(2) != 5+math.MaxUint32 || r.Bytes() != 3*4+3*2+3*4+3*4 {
		t.Errorf("weights and delays: %v, %v, %v, %d bytes", r.WeightAt(2), r.DelayAt(1), r.DelayAt(2), r.Bytes())
	}
	r.Weight, r.Weight64 = nil, []float64{0.1, 0.2, 0.3}
	if r.WeightAt(0) != 0.1 || r.Bytes() != 3*4+3*2+3*8+3*4 {
		t.Errorf("float64 weights: %v, %d bytes", r.WeightAt(0), r.Bytes())
	}
}

func TestModels(t *testing.T) {
	m, ok := Lookup("static")
	if !ok || m.New != nil {
		t.Fatal("static is no static synapse")
	}
	if _, ok := Lookup("none"); ok {
		t.Error("found a model that is not there")
	}
	build := func(quantity.Values, *Rows) (Rule, error) { return nil, nil }
	for what, m := range map[string]Model{
		"taken name": {Name: "static", New: build}, "without a name": {New: build}, "without a rule": {Name: "x"},
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: no panic", what)
				}
			}()
			Register(m)
		}()
	}
	names := Names()
	for _, n := range names {
		if m, ok := Lookup(n); !ok || m.Name != n {
			t.Errorf("name %q", n)
		}
	}
}

// TestRise: as AddPair, and each target whose room is used up is named once.
func TestRise(t *testing.T) {
	for seed := range uint64(30) {
		rng := rand.New(rand.NewPCG(seed, 1))
		const nt = 9
		r := randomRows(rng, 6, nt, int(seed%3))
		r.Const = math.Abs(r.Const)
		for k := range r.Weight {
			r.Weight[k] = float32(math.Abs(float64(r.Weight[k])))
		}
		for k := range r.Weight64 {
			r.Weight64[k] = math.Abs(r.Weight64[k])
		}
		var v, i, room, start, fv, fi [nt]float64
		for k := range room {
			start[k] = rng.NormFloat64() * 3
			room[k] = start[k]
		}
		var pairs [nt][2]float64
		var flagged []int32
		for s := range 6 {
			f, g := rng.Float64(), rng.Float64()
			flagged = r.AddRise(v[:], i[:], room[:], r.Ptr[s], r.Ptr[s+1], f, g, flagged)
			r.AddFall(fv[:], fi[:], r.Ptr[s], r.Ptr[s+1], f, g)
			r.AddPair(pairs[:], r.Ptr[s], r.Ptr[s+1], f, g)
		}
		named := map[int32]int{}
		for _, k := range flagged {
			named[k]++
		}
		for k := range nt {
			want := 0
			if start[k] > 0 && !(room[k] > 0) {
				want = 1
			}
			if pairs[k] != [2]float64{v[k], i[k]} || v[k] != fv[k] || i[k] != fi[k] || named[int32(k)] != want {
				t.Errorf("seed %d, target %d: %v, %v, room %v of %v, named %d times", seed, k, v[k], pairs[k], room[k], start[k], named[int32(k)])
			}
			if d := math.Abs(start[k] - v[k] - room[k]); d > 1e-12 {
				t.Errorf("seed %d, target %d: room %v + %v, at first %v", seed, k, room[k], v[k], start[k])
			}
		}
	}
}
