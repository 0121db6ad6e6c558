// Package stdp owns the rules of spike-timing-dependent plasticity: what an arrival
// and a post spike do to a weight, by pairs and triplets of spikes, and the
// homeostatic rules and that of the target's potential beside them.
// docs/plasticity.md has the equations, which delay acts on which side, and the
// order at equal times.
//
// Dopamine is the rule that listens to modulators (dopamine*.go). A Rule stands on the synapses of one projection onto one block of targets
// (synapse.Wiring) and is told what happens, as any synapse.Learner. Its law says
// what a spike does to a weight, so that one store and one order of events serve
// all rules of this kind.
//
// What is where:
//
//   - scaling.go: homeostatic scaling, which needs the spikes of the target only;
//   - clopath.go: voltage-based plasticity, which needs the potential of the target;
//   - pair.go, triplet.go, vogels.go: the keys of the models with ranges, defaults and
//     sources, and the laws that follow from them;
//   - law.go: changes, bounds, how spikes are paired;
//   - posts.go, trains.go: the history of targets and of sources with their filters;
//     exponentials as products of a factor per spike and one per arrival;
//   - rule.go: arrivals (Rule); settle.go: forgetting, weights at a given time;
//   - follower.go: one synapse for recorders.
//
// Invariants. Spike times are exact. A post spike and an arrival that meet at a
// synapse at one instant do not see each other. A weight changes at the synapse's own
// events, one after the other, and is cut at its bounds after each; a silent
// synapse costs nothing. Reads work on copies. No method is safe for concurrent
// use.
//
// The package imports event and its subpackages, neuron and synapse. Start reading at
// law, then Rule.Arrive and Rule.raised.
package stdp
