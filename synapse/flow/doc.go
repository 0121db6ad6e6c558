// Package flow owns the rules of plasticity between rate units whose weights move
// all the time: hebb, oja and bcm. Inputs x and outputs z are piecewise constant;
// between their changes every weight is moved in closed form, its bounds met
// exactly at the instant where it reaches or leaves them.
//
// What a rule computes becomes the weight of the target at the ends of intervals
// `hold` only: the output of a rate unit follows its weights at once, so that a
// weight that moved there as well would leave nothing piecewise constant. The error
// of that is the change of a weight within one interval; the rule itself runs on
// without it.
//
// The package imports event, event/fmath, event/quantity and synapse. Start reading
// at Flow, then law.
package flow
