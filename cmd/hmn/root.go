package main

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"runtime/pprof"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"hmn/models"
)

// root is the tree of commands.
func (a *app) root() *cobra.Command {
	cobra.EnableCommandSorting = false
	root := &cobra.Command{
		Use:   "hmn",
		Short: "Simulate spiking and rate networks, exactly and event by event",
		Long: `hmn runs networks of spiking neurons and rate units from a model file, event by
event and without a time grid, records them and looks at what was recorded.

  hmn run cuba                 run a shipped model: record, table and raster
  hmn new && hmn run model.toml  start a model of your own`,
		SuggestionsMinimumDistance: 2,

		SilenceErrors: true,
		SilenceUsage:  true,
		Args: func(c *cobra.Command, args []string) error {
			if len(args) == 0 {
				return nil
			}
			hint := "; hmn --help lists the commands"
			if s := c.SuggestionsFor(args[0]); len(s) > 0 {
				hint = fmt.Sprintf(", did you mean %q?", s[0])
			}
			return badInput("hmn: unknown command %q%s", args[0], hint)
		},
		RunE: func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	root.SetIn(a.in)
	root.SetOut(a.out)
	root.SetErr(a.err)
	root.SetFlagErrorFunc(flagError)
	root.AddCommand(a.runCommand(), a.checkCommand(), a.infoCommand(), a.plotCommand(), a.exportCommand(),
		a.modelsCommand(), a.newCommand(), a.docCommand(), a.benchCommand(), a.versionCommand())
	return root
}

// flagError says what is wrong with a flag in one line.
func flagError(c *cobra.Command, err error) error {
	if errors.Is(err, pflag.ErrHelp) {
		return err
	}
	var unknown *pflag.NotExistError
	var invalid *pflag.InvalidValueError
	switch {
	case errors.As(err, &unknown):
		var names []string
		c.Flags().VisitAll(func(f *pflag.Flag) { names = append(names, f.Name) })
		name, dashes := unknown.GetSpecifiedName(), "--"
		if unknown.GetSpecifiedShortnames() != "" {
			dashes = "-"
		}
		if near := nearest(name, names); near != "" && dashes == "--" {
			return badInput("%s: unknown flag --%s, did you mean --%s?", c.CommandPath(), name, near)
		}
		return badInput("%s: unknown flag %s%s; %[1]s --help lists the flags", c.CommandPath(), dashes, name)
	case errors.As(err, &invalid):
		f := invalid.GetFlag()
		return badInput("%s: --%s %q: want %s", c.CommandPath(), f.Name, invalid.GetValue(), wantFlag(f.Value.Type()))
	}
	return badInput("%s: %w", c.CommandPath(), err)
}

func wantFlag(kind string) string {
	switch kind {
	case "int":
		return "a whole number"
	case "uint64":
		return "a whole number, not negative"
	case "bool":
		return "true or false"
	}
	return "a " + kind
}

// wantArgs checks the number of arguments; names describes them.
func wantArgs(least, most int, names string) cobra.PositionalArgs {
	return func(c *cobra.Command, args []string) error {
		if len(args) >= least && len(args) <= most {
			return nil
		}
		if len(args) < least {
			return badInput("%s: %s is missing: %s", c.CommandPath(), names, c.UseLine())
		}
		return badInput("%s: %d arguments, want %s", c.CommandPath(), len(args), c.UseLine())
	}
}

// Completion of arguments: nothing after the first.
type complete = cobra.CompletionFunc

func firstArg(do complete) complete {
	return func(c *cobra.Command, args []string, word string) ([]cobra.Completion, cobra.ShellCompDirective) {
		if len(args) > 0 {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		return do(c, args, word)
	}
}

// completeModel offers the shipped models, and files.
func completeModel(_ *cobra.Command, _ []string, word string) ([]cobra.Completion, cobra.ShellCompDirective) {
	return starting(word, models.Names(), models.Summary), cobra.ShellCompDirectiveDefault
}

func completeDir(*cobra.Command, []string, string) ([]cobra.Completion, cobra.ShellCompDirective) {
	return nil, cobra.ShellCompDirectiveFilterDirs
}

// starting lists the names that begin with word, each with its description.
func starting(word string, names []string, describe func(string) string) (list []cobra.Completion) {
	for _, n := range names {
		if strings.HasPrefix(n, word) {
			list = append(list, cobra.CompletionWithDesc(n, describe(n)))
		}
	}
	return list
}

// profiles are the flags --cpuprofile and --memprofile.
type profiles struct{ cpu, mem string }

func (p *profiles) flags(c *cobra.Command) {
	c.Flags().StringVar(&p.cpu, "cpuprofile", "", "write a CPU profile to `FILE` (go tool pprof)")
	c.Flags().StringVar(&p.mem, "memprofile", "", "write a heap profile to `FILE` at the end")
}

// around calls do while profiling.
func (p *profiles) around(do func() error) (err error) {
	if p.cpu != "" {
		f, err := os.Create(p.cpu)
		if err != nil {
			return badInput("hmn: --cpuprofile: %w", err)
		}
		if err := pprof.StartCPUProfile(f); err != nil {
			return errors.Join(fmt.Errorf("hmn: --cpuprofile: %w", err), f.Close())
		}
		defer func() {
			pprof.StopCPUProfile()
			err = errors.Join(err, f.Close())
		}()
	}
	err = do()
	if p.mem != "" {
		runtime.GC()
		f, merr := os.Create(p.mem)
		if merr == nil {
			merr = errors.Join(pprof.WriteHeapProfile(f), f.Close())
		}
		if merr != nil {
			err = errors.Join(err, fmt.Errorf("hmn: --memprofile: %w", merr))
		}
	}
	return err
}
