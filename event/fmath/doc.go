// Package fmath owns the elementary functions that stand on a path to a result:
// exp, expm1, log, log1p, sin, cos, tanh, pow, erf, erfc, erfcx, the logistic
// function, softplus and log n!.
//
// Package math may answer in assembly or fuse x*y+z into one rounding, and
// differs between architectures and between GOAMD64=v1 and v3. Here every
// function gives the same bits everywhere, because
//
//   - every product that is added to something is rounded by an explicit
//     float64(x*y), which the Go specification forbids to fuse;
//   - of package math only Sqrt, Floor, Abs and the bit conversions are used;
//   - tables and coefficients are literals (tables.go), recomputed in 400 bits
//     by the tests.
//
// Each doc comment states the largest error, in units in the last place (ulp)
// of the true result, seen against math/big on dense samples and rounded up.
// Special values follow package math. All functions are pure, allocate nothing
// and are safe for concurrent use.
//
// The package imports math and math/bits only. Start with Exp in exp.go: the
// others are variations of its table and short polynomial.
package fmath
