// Package task holds environments: they act on a network while it runs, give it
// rewards and report its trials. Importing the package registers them, and model
// files name them in their table task.
//
//   - bandit: a contextual bandit whose good arms move, for a rate network that
//     chooses by its largest output.
//   - distal_reward: synapses of a spiking network whose coincidences are
//     rewarded seconds later, beside control synapses that see the same rewards.
//   - xor: the four patterns of the exclusive or, for a spiking network whose
//     output spikes are rewarded or punished.
//   - classical_conditioning, instrumental_conditioning, dopamine_shift: groups of
//     neurons are stimulated, and dopamine comes after one of many stimuli, after
//     the stronger of two responses, or as dopaminergic neurons answer.
//
// Their random numbers are functions of the seed and of the trial alone, from
// streams of their own: two networks that learn by different rules, or not at
// all, meet the same contexts and the same luck.
//
// A task holds no parameters of the network: populations, weights and learning
// rules belong to the model file. What a task needs of the network is checked
// when it is made.
//
// The package imports event, neuron, synapse and network. Start reading at bandit.start.
package task
