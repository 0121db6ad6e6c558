package hmn

import (
	"hmn/event/quantity"
	"hmn/synapse"
)

func init() {
	synapse.Register(synapse.Model{Name: "hmn", Doc: "hybrid local–global modulated plasticity", Params: Table(), Learns: true})
}

// Table lists the keys of the rule.
func Table() []quantity.Param { return nil }

// Resolve fills in defaults.
func Resolve(v quantity.Values, rates bool) (Params, error) { return Params{}, nil }
