// Package neuron owns the dynamics of single neurons: their parameters, the
// solution of their equations between events, their threshold, and the trains
// of the sources that drive them. It does not know who is connected to whom.
//
// Models stand in one table (Register, Lookup): name, equation, parameters with
// unit and range, receptor ports. The built-in ones are advanced by kernels that
// the engine knows, for a whole block at a time:
//
//   - Linear is a leaky integrate-and-fire population with delta, exponential
//     or alpha currents. Between arrivals its potential is a sum of decaying
//     exponentials, so it is never integrated in steps. SweepDelta, SweepExp
//     and SweepAlpha carry all neurons over a step whose arrivals are known and
//     flag those that cannot be proved to stay below threshold; Replay does
//     these exactly, arrival by arrival. SweepFree carries them over a longer
//     step before its arrivals are known; AddPositive and AddNegative add those
//     as they come, and Rejoin carries a replayed neuron on to the step's end.
//   - RateUnits and RateNet are piecewise-constant rate units, without and with
//     connections of no delay.
//   - Train (Poisson, correlated, listed) and Levels (steps of current or rate,
//     noise) are sources; what they send is a function of time alone.
//   - System is a neuron whose equations have no closed solution, and Cells are
//     neurons of it: integrated adaptively in their own time, from event to event.
//     condExpCells do the same for iaf_cond_exp with less.
//   - Trace is what Cells remember of their potential for a rule of plasticity that
//     watches it (Watch).
//   - Cluster is neurons that gap junctions join, advanced together.
//
// Cells, and models from outside, implement Dynamics, with Lazy and Copier as they
// can; models that are defined on a grid of time implement Grid.
//
// Invariants. No crossing is missed, and one is rounded once, to the nearest
// picosecond. At one instant all arrivals come before the threshold test, and
// that before the spike. Parameters (Linear) are shared by workers and never
// change; state (State) belongs to one worker. A result never depends on how
// time is cut into steps, beyond rounding, and the same calls give the same
// bits on every machine: products are rounded before they are added, and
// elementary functions come from fmath.
//
// The package imports event and its subpackages; synapse and network import it. Start
// reading at Linear, then Replay, then SweepExp.
package neuron
