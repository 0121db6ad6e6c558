// Package network turns a description into a network that runs: who is
// connected to whom with which weight and delay, in which order spikes travel,
// which third factors plastic synapses hear, and what is recorded. It does not know
// file formats or command lines.
//
// A Model is plain data. Build checks all of it, draws every connection from
// keys of the one seed, and gives a Network; Run advances it and hands spikes,
// samples and weight updates to a Recorder. Neurons are numbered through all
// populations.
//
// The engine. Time advances in windows of the lookahead, the least delay of the
// model: within one, neurons interact only through what was sent before it, so
// each block of targets, with all synapses onto it, advances alone (advancer:
// linearBlock, cellBlock, gridBlock, rateBlock, sourceBlock; coupledBlock for
// neurons that gap junctions join), and between windows the blocks exchange their spikes (Network.exchange). Only spikes are kept, in
// each population's history; synaptic events are added up at their targets as
// their window comes and have no entry of their own. A linear block passes
// windows by sweeping all neurons step by step, by sweeping them once in an epoch
// of several windows (advanceEpoch), or event by event; which way it is follows
// from the model (Network.choosePaths). Neurons with a Dynamics of their own are
// advanced one by one, those to which something comes (cellBlock).
//
// Stages. Between the spikes of a population and the weights of a projection may
// stand short-term plasticity and stochastic release (transmission in transmit.go):
// one state per source that follows the history, and one draw per synapse where
// rows are taken up.
//
// Learning. The rule itself belongs to synapse/hmn; here is what surrounds it.
// A block's plastic inputs (learning in plastic.go; rateLearning in rate_plastic.go
// between rate units) take up the arrivals of a window before its neurons are
// advanced, and its spikes afterwards; an arrival whose weight hangs on spikes of
// the same window is tentative, and its target is replayed until the two agree.
// Modulators and the drive that all synapses of a rule share are advanced between
// windows (modulate.go), local attention takes arrivals and post spikes of a target
// in one order of time (attend.go), tasks and meta-learning act at call-backs
// (task.go), recorders follow copies of synapses (plastic_record.go). Synapses are
// visited lazily, so decisions are found out of order: the book (book.go) hands
// them out in order of time after a settle pass. Windows in which nothing happens
// are passed over (idle.go). docs/learning.md says what is computed.
//
// Invariants. The windows are a function of the model and of call-backs (At)
// only: no recorder, split of a run, signal or number of workers moves one.
// Bit for bit, Reset then Run equals a fresh build, Run(a) then Run(b) equals
// Run(a+b), one worker equals many, and recording, of whatever, changes nothing
// else. Spikes leave in order of (time, id), updates in order of (time, synapse);
// intervals are half open.
//
// The package imports event, neuron, synapse and synapse/hmn. Start reading at
// Build, then Network.Run, advanceWindow, linearBlock.advance and exchange; for
// learning at learning.begin and learning.end.
package network
