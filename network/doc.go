// Package network turns a description into a network that runs: who is
// connected to whom with which weight and delay, in which order spikes travel,
// and what is recorded. It does not know file formats or command lines.
//
// A Model is plain data. Build checks all of it, draws every connection from
// keys of the one seed, and gives a Network; Run advances it and hands spikes
// and samples to a Recorder. Neurons are numbered through all populations.
//
// The engine. Time advances in windows of the lookahead, the least delay of the
// model: within one, neurons interact only through what was sent before it, so
// each block of targets, with all synapses onto it, advances alone (advancer:
// linearBlock, foreignBlock, rateBlock, sourceBlock), and between windows the
// blocks exchange their spikes (Network.exchange). Only spikes are kept, in
// each population's history; synaptic events are added up at their targets as
// their window comes and have no entry of their own. A linear block passes
// windows by sweeping all neurons step by step, by sweeping them once in an epoch
// of several windows (advanceEpoch), or event by event; which way it is follows
// from the model (Network.choosePaths).
//
// Invariants. The windows are a function of the model and of call-backs (At)
// only: no recorder, split of a run, signal or number of workers moves one.
// Bit for bit, Reset then Run equals a fresh build, Run(a) then Run(b) equals
// Run(a+b), one worker equals many, and recording, spikes or samples, changes
// nothing else. Spikes leave in order of (time, id); intervals are half open.
//
// The package imports event, neuron and synapse. Start reading at Build, then
// Network.Run, advanceWindow, linearBlock.advance and exchange.
package network
