package event

import (
	"errors"
	"math"
	"math/big"
	"math/rand/v2"
	"strings"
	"testing"
)

// nearestPS rounds ms·10⁹ to the nearest integer, halves away from zero, in
// exact arithmetic.
func nearestPS(ms float64) *big.Int {
	r := new(big.Rat).SetFloat64(ms)
	// In FromMS the product itself is a float64; the reference rounds that.
	r.SetFloat64(ms * 1e9)
	neg := r.Sign() < 0
	r.Abs(r)
	r.Add(r, big.NewRat(1, 2))
	n := new(big.Int).Quo(r.Num(), r.Denom())
	if neg {
		n.Neg(n)
	}
	return n
}

func TestFromMS(t *testing.T) {
	for _, c := range []struct {
		ms    float64
		ps    Time
		exact bool
	}{
		{0, 0, true},
		{0.1, 100 * Microsecond, true},
		{1.5, 1500 * Microsecond, true},
		{-2.25, -2250 * Microsecond, true},
		{1e-9, 1, true},
		{1.5e-9, 2, false}, // halves away from zero
		{-1.5e-9, -2, false},
		{0.4e-9, 0, false},
		{1.0 / 3, 333333333, false},
		{9e9, 9e18, true},
	} {
		ps, exact, err := FromMS(c.ms)
		if ps != c.ps || exact != c.exact || err != nil {
			t.Errorf("FromMS(%g) = %d, %v, %v, want %d, %v", c.ms, ps, exact, err, c.ps, c.exact)
		}
	}
	for _, ms := range []float64{math.NaN(), math.Inf(1), math.Inf(-1), 1e10, -1e10, 9.3e9, math.MaxFloat64} {
		if _, _, err := FromMS(ms); !errors.Is(err, ErrRange) {
			t.Errorf("FromMS(%g): error %v, want ErrRange", ms, err)
		}
	}
}

// TestFromMSNearest compares with exact arithmetic at all magnitudes. Beyond
// 2⁵² ps (75 minutes) adding 0.5 before Floor would round odd numbers up.
func TestFromMSNearest(t *testing.T) {
	const seed = 1
	rng := rand.New(rand.NewPCG(seed, 0))
	for range 200_000 {
		ms := math.Ldexp(rng.Float64()*2-1, rng.IntN(66)-32)
		got, _, err := FromMS(ms)
		if err != nil {
			continue
		}
		if want := nearestPS(ms); big.NewInt(int64(got)).Cmp(want) != 0 {
			t.Fatalf("seed %d: FromMS(%v) = %d, want %v", seed, ms, got, want)
		}
	}
}

func TestParseMS(t *testing.T) {
	for _, c := range []struct {
		s     string
		ps    Time
		exact bool
	}{
		{"0", 0, true}, {"-0", 0, true}, {"1.5", 1500 * Microsecond, true}, {" +2 ", 2 * Millisecond, true},
		{".5", 500 * Microsecond, true}, {"5.", 5 * Millisecond, true}, {"-.000000001", -1, true},
		{"0.000000001", 1, true}, {"0.0000000015", 2, false}, {"0.0000000014999", 1, false},
		{"0.0000000010000", 1, true}, {"-0.0000000005", -1, false}, {"1e-3", Microsecond, true},
		{"00001", Millisecond, true}, {"9223372036.854775806", math.MaxInt64 - 1, true},
		{"0.1234567894", 123456789, false}, {"0.999999999999", Millisecond, false},
	} {
		ps, exact, err := ParseMS(c.s)
		if ps != c.ps || exact != c.exact || err != nil {
			t.Errorf("ParseMS(%q) = %d, %v, %v, want %d, %v", c.s, ps, exact, err, c.ps, c.exact)
		}
	}
	for _, s := range []string{"9223372036.854775808", "99999999999", "1e11", "-1e11", "NaN", "Inf", "-inf"} {
		if _, _, err := ParseMS(s); !errors.Is(err, ErrRange) {
			t.Errorf("ParseMS(%q): error %v, want ErrRange", s, err)
		}
	}
	for _, s := range []string{"", " ", ".", "-", "+", "1 2", "1,5", "1.2.3", "ms", "1ms", "--1", "-+1", "+-1", "1e", "٣"} {
		if ps, _, err := ParseMS(s); err == nil {
			t.Errorf("ParseMS(%q) = %d, want an error", s, ps)
		}
	}
}

// TestStringRoundTrip: what String writes ParseMS reads back unchanged, for
// every Time.
func TestStringRoundTrip(t *testing.T) {
	const seed = 2
	rng := rand.New(rand.NewPCG(seed, 0))
	check := func(x Time) {
		t.Helper()
		s := x.String()
		got, exact, err := ParseMS(s)
		if got != x || !exact || err != nil {
			t.Errorf("seed %d: ParseMS(%q) = %d, %v, %v, want %d", seed, s, got, exact, err, x)
		}
		if strings.Contains(s, ".") && strings.HasSuffix(s, "0") {
			t.Errorf("%q ends in a needless 0", s)
		}
	}
	for range 50_000 {
		check(Time(rng.Uint64() >> rng.IntN(64)))
		check(-Time(rng.Uint64() >> (1 + rng.IntN(63))))
	}
	for _, x := range []Time{0, 1, -1, Millisecond, Second, MaxTime - 1, MaxTime} {
		check(x)
	}
	if s := MaxTime.String(); s != "9223372036.854775807" {
		t.Errorf("MaxTime is %q", s)
	}
	if s := Time(math.MinInt64).String(); s != "-9223372036.854775808" {
		t.Errorf("the least Time is %q", s)
	}
}

func TestMS(t *testing.T) {
	if x := (1500 * Microsecond).MS(); math.Abs(x-1.5) > 1e-15 {
		t.Errorf("MS = %v, want 1.5", x)
	}
	if x := (2500 * Millisecond).Seconds(); math.Abs(x-2.5) > 1e-15 {
		t.Errorf("Seconds = %v, want 2.5", x)
	}
	// MS then FromMS is the identity while float64 holds the digits.
	const seed = 3
	rng := rand.New(rand.NewPCG(seed, 0))
	for range 100_000 {
		x := Time(rng.Int64N(1 << 50))
		if y, _, _ := FromMS(x.MS()); y != x {
			t.Fatalf("seed %d: FromMS(%d ps) = %d", seed, x, y)
		}
	}
}

func FuzzParseMS(f *testing.F) {
	for _, s := range []string{"0", "1.5", "-.000000001", "9223372036.854775807", "1e400", "0x1p-2", "-+1", "1_0", "0.0000000005"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		x, exact, err := ParseMS(s)
		if err != nil {
			if x != 0 || exact {
				t.Fatalf("ParseMS(%q) = %d, %v with error %v", s, x, exact, err)
			}
			return
		}
		y, again, err := ParseMS(x.String())
		if y != x || !again || err != nil {
			t.Fatalf("ParseMS(%q) = %d, but %q is read as %d, %v, %v", s, x, x, y, again, err)
		}
		// A plain decimal is rounded from its exact value.
		r, ok := new(big.Rat).SetString(strings.TrimSpace(s))
		if !ok || strings.ContainsAny(s, "eExXpP_/") {
			return
		}
		r.Mul(r, big.NewRat(1e9, 1))
		d := new(big.Rat).Sub(r, new(big.Rat).SetInt64(int64(x)))
		if d.Abs(d).Cmp(big.NewRat(1, 2)) > 0 {
			t.Fatalf("ParseMS(%q) = %d ps, off by more than a half", s, x)
		}
		if exact != (d.Sign() == 0) {
			t.Fatalf("ParseMS(%q): exact = %v, the difference is %v", s, exact, d)
		}
	})
}
