package network

import (
	"errors"
	"fmt"
	"math"

	"hmn/event/random"
	"hmn/neuron"
)

// Start draws the start value of state variable key of neuron i of population
// pop, keyed by seed, population and neuron. given is false when the description
// leaves the variable to the model.
func (m *Model) Start(pop int, key string, i int) (x float64, given bool, err error) {
	p := &m.Populations[pop]
	v, ok := p.Init[key]
	if !ok {
		return 0, false, nil
	}
	k := random.NewKey(m.Simulation.Seed, random.StreamInit, random.Name(p.Name+"."+key))
	x, err = v.draw(k, uint64(i))
	if err == nil && math.IsNaN(x) {
		err = errors.New("not a number")
	}
	if nm, ok := neuron.Lookup(p.Model); ok && err == nil {
		if s, ok := nm.State(key); ok {
			err = s.InRange(x)
		}
	}
	if err != nil {
		return 0, true, fmt.Errorf("init.%s of neuron %d: %w", key, i, err)
	}
	return x, true, nil
}
