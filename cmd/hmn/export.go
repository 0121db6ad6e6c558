package main

import (
	"bufio"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"hmn/io/export"
	"hmn/io/spikelog"
)

func (a *app) exportCommand() *cobra.Command {
	var format, out string
	c := &cobra.Command{
		Use:   "export DIR --format csv|npz|nest",
		Short: "Write a run's spikes (and signals) for other programs",
		Long: `Write the record of a run in a format that other programs read:

  csv   time_ms,neuron_id,population,index with exact decimal times
  npz   NumPy arrays of spikes and signals, for numpy.load
  nest  spikes as NEST's recording backend "ascii" writes them

neuron_id is global, from 0, in the order of the model's populations; the
manifest lists the first of each.`,
		Args:              wantArgs(1, 1, "DIR"),
		ValidArgsFunction: firstArg(completeDir),
		RunE:              func(_ *cobra.Command, args []string) error { return a.export(args[0], format, out) },
	}
	c.Flags().StringVar(&format, "format", "", "`FORMAT`: csv, npz or nest")
	c.Flags().StringVar(&out, "out", "", "the `FILE`, - for standard output (default: spikes.csv, .npz or .dat in DIR)")
	c.RegisterFlagCompletionFunc("format", func(_ *cobra.Command, _ []string, word string) ([]cobra.Completion, cobra.ShellCompDirective) {
		return starting(word, export.Formats(), func(string) string { return "" }), cobra.ShellCompDirectiveNoFileComp
	})
	return c
}

var exporters = map[string]func(io.Writer, *spikelog.Reader) error{"csv": export.CSV, "npz": export.NPZ, "nest": export.NEST}

func (a *app) export(dir, format, out string) error {
	want := strings.Join(export.Formats(), ", ")
	if format == "" {
		return badInput("hmn export: --format is missing, want one of %s", want)
	}
	if !slices.Contains(export.Formats(), format) {
		return badInput("hmn export: --format %q: want one of %s", format, want)
	}
	v, err := openRun(dir)
	if err != nil {
		return err
	}
	defer v.close()
	warning, torn := v.torn()
	if out == "-" {
		b := bufio.NewWriterSize(a.out, 1<<16)
		if err := exporters[format](b, v.reader); err != nil {
			return err
		}
		if err := b.Flush(); err != nil {
			return err
		}
	} else {
		res, err := export.File(dir, format, out)
		if err != nil {
			return err
		}
		fmt.Fprintf(a.out, "%s: %s spikes\n", res.Path, count(res.Spikes))
	}
	if warning != "" {
		fmt.Fprintln(a.err, "hmn: warning:", warning)
	}
	return torn
}
