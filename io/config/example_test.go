package config_test

import (
	"fmt"

	"hmn/io/config"
)

// A model file is text; what is wrong in it is said with its place.
func Example() {
	text := []byte(`[simulation]
duration = "200 ms"
[[population]]
name = "E"
n = 100
model = "iaf_psc_exp"
params = { tau_m = "0.02 s", I_e = "400 pA" }
`)
	m, _, err := config.Parse(text, config.Options{Name: "e.toml", Set: []string{"population.E.n=3"}})
	if err != nil {
		fmt.Println(err)
		return
	}
	e := m.Populations[0]
	fmt.Println(e.Name, e.N, "neurons, tau_m", e.Params["tau_m"].Number, "ms, for", m.Simulation.Duration, "ms")

	_, _, err = config.Parse(text, config.Options{Name: "e.toml", Set: []string{"population.E.params.tau_n=3"}})
	fmt.Println(err)
	// Output:
	// E 3 neurons, tau_m 20 ms, for 200 ms
	// --set population.E.params.tau_n=3: population "E": params: unknown key "tau_n", did you mean "tau_m"?
}
