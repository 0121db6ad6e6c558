package main

import (
	"bufio"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"hmn/io/export"
)

func (a *app) exportCommand() *cobra.Command {
	var format, what, out string
	c := &cobra.Command{
		Use:   "export DIR --format csv|npz|nest",
		Short: "Write a run's spikes, signals and weight updates for other programs",
		Long: `Write the record of a run in a format that other programs read:

  csv   files with exact decimal times, a file each of
          spikes      time_ms,neuron_id,population,index
          candidates  projection,source,target,k,open_ms,close_ms,candidate,P,u,applied,dw
          updates     time_ms,projection,source,target,k,dw
          signals     time_ms and a column per neuron, synapse or name
          weight      time_ms,projection,source,target,weight: a row per sample
          eligibility time_ms,projection,source,target,eligibility
          modulator   time_ms,modulator,value
  npz   NumPy arrays of all that, for numpy.load
  nest  spikes as NEST's recording backend "ascii" writes them

Without --what, csv writes a file of each that the run recorded, beside
spikes.csv; with --out it writes one, the spikes. neuron_id is global, from 0, in
the order of the model's populations; the manifest lists the first of each.
source and target are local to the populations of the projection.`,
		Example:           "  hmn export runs/cuba --format csv\n  hmn export runs/replay --format csv --what candidates --out -",
		Args:              wantArgs(1, 1, "DIR"),
		ValidArgsFunction: firstArg(completeDir),
		RunE: func(_ *cobra.Command, args []string) error {
			return a.export(args[0], export.Request{Format: format, What: what, Out: out})
		},
	}
	c.Flags().StringVar(&format, "format", "", "`FORMAT`: csv, npz or nest")
	c.Flags().StringVar(&what, "what", "", "`WHAT` to write as csv: "+strings.Join(export.Whats(), ", "))
	c.Flags().StringVar(&out, "out", "", "the `FILE`, - for standard output (default: spikes.csv and others, spikes.npz\nor spikes.dat in DIR)")
	c.RegisterFlagCompletionFunc("format", func(_ *cobra.Command, _ []string, word string) ([]cobra.Completion, cobra.ShellCompDirective) {
		return starting(word, export.Formats(), func(string) string { return "" }), cobra.ShellCompDirectiveNoFileComp
	})
	c.RegisterFlagCompletionFunc("what", func(_ *cobra.Command, _ []string, word string) ([]cobra.Completion, cobra.ShellCompDirective) {
		return starting(word, export.Whats(), func(string) string { return "" }), cobra.ShellCompDirectiveNoFileComp
	})
	return c
}

func (a *app) export(dir string, q export.Request) error {
	want := strings.Join(export.Formats(), ", ")
	if q.Format == "" {
		return badInput("hmn export: --format is missing, want one of %s", want)
	}
	if !slices.Contains(export.Formats(), q.Format) {
		return badInput("hmn export: --format %q: want one of %s", q.Format, want)
	}
	if q.What != "" && !slices.Contains(export.Whats(), q.What) {
		return badInput("hmn export: --what %q: want one of %s", q.What, strings.Join(export.Whats(), ", "))
	}
	v, err := openRun(dir)
	if err != nil {
		return err
	}
	defer v.close()
	warning, torn := v.torn()
	if q.Out == "-" {
		b := bufio.NewWriterSize(a.out, 1<<16)
		err = export.To(b, v.reader, q)
		if err == nil {
			err = b.Flush()
		}
	} else {
		var files []export.Result
		files, err = export.Run(dir, q)
		for _, f := range files {
			rows := f.What
			if rows != export.Spikes && rows != export.Candidates && rows != export.Updates {
				rows = "samples of " + f.What
			}
			fmt.Fprintf(a.out, "%s: %s %s\n", f.Path, count(f.Rows), rows)
		}
	}
	if errors.Is(err, export.ErrWhat) {
		return badInput("hmn export: %w", err)
	}
	if err != nil {
		return err
	}
	if warning != "" {
		fmt.Fprintln(a.err, "hmn: warning:", warning)
	}
	return torn
}
