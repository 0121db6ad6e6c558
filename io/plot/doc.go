// Package plot draws what a run recorded as one PNG or SVG: a raster of its
// spikes, the rates of its populations, the variability of its interspike
// intervals, and sampled signals, over one common time axis.
//
// A second page shows what a network learned: weights, eligibility, phase gates,
// modulators, learning rates and the learning curve, see Learning.
//
// A Figure is plain data and Write a function of it and the spikes: the same
// input gives the same bytes. Text is Liberation Sans, which the module gonum
// carries along, so a PNG looks the same everywhere; an SVG names it with Arial
// and Helvetica, which have the same widths, to fall back on. Colours are those
// of Okabe and Ito, which stay apart in all common forms of colour blindness.
//
// Below 5000 spikes each is drawn as a mark of its own; above, the raster is
// painted into a bitmap whose darkness follows the density of the spikes, so
// that a million of them cost a fraction of a second and a vector file stays
// small.
//
// The package imports event and network, and of gonum/plot the canvases and
// fonts. Start reading at Figure.Write in figure.go; page.go places the panels and
// panels.go fills them, raster.go paints the spikes, measure.go counts them;
// learning.go is the other page.
package plot
