package fmath_test

import (
	"fmt"

	"hmn/event/fmath"
)

// The decay of a membrane over 0.1 ms with a time constant of 20 ms. Expm1
// keeps the digits that 1 − exp(−h/τ) loses.
func Example() {
	const h, tau = 0.1, 20.0 // ms
	fmt.Println(fmath.Exp(-h / tau))
	fmt.Println(-fmath.Expm1(-h / tau))
	fmt.Println(1 - fmath.Exp(-h/tau))
	// Output:
	// 0.9950124791926823
	// 0.004987520807317687
	// 0.00498752080731768
}
