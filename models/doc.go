// Package models holds the networks that ship with hmn, as model files: texts
// to read, run, copy and change. It owns no code that runs them; io/config reads
// the texts, network builds them.
//
// Each file begins with what it is, the paper it comes from and the numbers to
// expect; validation/ compares those with what the engine gives. The networks
// of `hmn bench` stand in bench/: the same networks with nothing recorded.
//
// The package imports the standard library only. Start reading at any .toml.
package models
