package synapse

import "hmn/event/quantity"

// GapJunction is the name of the electrical synapse.
const GapJunction = "gap_junction"

func init() {
	Register(Model{
		Name: GapJunction, Electrical: true,
		Doc: "Gap junction: a current g (V_j − V_i) into neuron i and its opposite into j, without delay; the weight is the conductance g [nS], not negative. One connection acts both ways. " +
			"Between any neurons with a membrane potential and a capacitance; a neuron held at V_reset holds its end of the junction there. Several connections of one pair add up.",
		Cite: "Furshpan & Potter 1959, doi:10.1113/jphysiol.1959.sp006143",
		Params: []quantity.Param{{Key: "symmetric", Form: quantity.Bool,
			Doc: "the connections name each junction in both directions: the conductance of a pair is the mean of what its two directions sum up to, or the one that is there"}},
	})
}
