package random

import (
	"math"
	"math/bits"

	"hmn/event/fmath"
)

// Source reads the blocks of one (key, entity) in turn, the two words of block
// 0, then those of block 1, and so on. It satisfies rand.Source of
// math/rand/v2. A copy continues from where the original stood.
type Source struct {
	key    Key
	entity uint64
	pos    uint64 // words read: the next is word pos&1 of block pos>>1
	spare  uint64 // word 1 of the block, when pos is odd
}

// Source returns a reader of the entity's numbers from the first on.
func (k Key) Source(entity uint64) Source { return Source{key: k, entity: entity} }

// Pos returns how many words were read: with the key and the entity, the whole
// state.
func (s *Source) Pos() uint64 { return s.pos }

// Seek makes the next word the one after the first pos words.
func (s *Source) Seek(pos uint64) {
	s.pos = pos
	if pos&1 != 0 {
		_, s.spare = s.key.At(s.entity, pos>>1)
	}
}

// Uint64 returns the next 64 random bits.
func (s *Source) Uint64() uint64 {
	p := s.pos
	s.pos = p + 1
	if p&1 != 0 {
		return s.spare
	}
	return s.block(p >> 1)
}

func (s *Source) block(c uint64) uint64 {
	a, b := s.key.At(s.entity, c)
	s.spare = b
	return a
}

// Uniform maps 64 random bits to [0, 1), a multiple of 2⁻⁵³.
func Uniform(u uint64) float64 { return float64(float64(u>>11) * 0x1p-53) }

// Float64 returns a uniform number in [0, 1), a multiple of 2⁻⁵³. One word.
func (s *Source) Float64() float64 { return Uniform(s.Uint64()) }

// Open returns a uniform number in (0, 1), an odd multiple of 2⁻⁵³. One word.
func (s *Source) Open() float64 { return float64((float64(s.Uint64()>>12) + 0.5) * 0x1p-52) }

// IntN returns a uniform integer in [0, n), without bias, by Lemire's method
// (2019, doi:10.1145/3230636). It panics for n = 0. One word, seldom more.
func (s *Source) IntN(n uint64) uint64 {
	if n == 0 {
		panic("random: IntN of 0")
	}
	hi, lo := bits.Mul64(s.Uint64(), n)
	if lo < n {
		for t := -n % n; lo < t; {
			hi, lo = bits.Mul64(s.Uint64(), n)
		}
	}
	return hi
}

// Normal returns a standard normal number, NormalOf of the next two words.
func (s *Source) Normal() float64 {
	a := s.Uint64()
	return NormalOf(a, s.Uint64())
}

// NormalOf turns one block into one standard normal number, by a ziggurat of 256
// layers (Marsaglia & Tsang 2000, doi:10.18637/jss.v005.i08) in float64: the
// place within a layer has 54 bits and is not shared with the choice of layer,
// as it is in the original. In 1 of 80 calls the block falls outside the
// rectangles and further ones are derived from it.
func NormalOf(a, b uint64) float64 {
	i := b & 255
	x := float64(float64(int64(a)>>10|1) * 0x1p-53 * zigguratX[i]) // odd: never 0, and symmetric
	if math.Abs(x) < zigguratX[i+1] {
		return x
	}
	return normalEdge(a, b, x)
}

// normalEdge finishes NormalOf for x in the tail or beside a rectangle.
func normalEdge(a, b uint64, x float64) float64 {
	for {
		i := b & 255
		switch {
		case math.Abs(x) < zigguratX[i+1]:
			return x
		case i == 0: // beyond the base: Marsaglia's exponential tail
			r := zigguratX[1]
			for {
				a, b = Key(b).At(a, 0)
				// (a + ½)/2⁶⁴ in (0, 1], with all its digits near 0.
				d := -fmath.Log(float64((float64(a)+0.5)*0x1p-64)) / r
				y := -fmath.Log(float64((float64(b) + 0.5) * 0x1p-64))
				if 2*y > float64(d*d) {
					return math.Copysign(r+d, x)
				}
			}
		default:
			v := float64(b>>8) * 0x1p-56
			if zigguratY[i]+float64(v*(zigguratY[i+1]-zigguratY[i])) < fmath.Exp(-0.5*x*x) {
				return x
			}
		}
		a, b = Key(b).At(a, 0)
		x = float64(float64(int64(a)>>10|1) * 0x1p-53 * zigguratX[b&255])
	}
}

// Exponential returns an exponential number of mean 1, −log(1 − u): in
// [0, 36.8], 0 included. One word.
func (s *Source) Exponential() float64 { return -fmath.Log(1 - s.Float64()) }
