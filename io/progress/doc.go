// Package progress tells a person at a terminal, or a log file, how far a run
// has come.
//
// On a terminal one line is redrawn; anywhere else a plain line is written
// every few seconds, which suits the output files of batch systems. Nothing is
// written for a run that ends before the first line is due.
//
// The real-time factor is wall time per simulated time: below 1 the simulation
// is faster than what it simulates.
//
// The package imports network, for its Progress. Start reading at Printer.Update.
package progress
