package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"hmn/io/config"
	"hmn/models"
	"hmn/network"
	"hmn/neuron"
	"hmn/synapse"
	rule "hmn/synapse/hmn"
)

func (a *app) modelsCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "models",
		Short: "List the shipped models, or show one",
		Args: func(c *cobra.Command, args []string) error {
			if len(args) == 0 {
				return nil
			}
			return badInput("hmn models: unknown command %q, want nothing or show NAME", args[0])
		},
		RunE: func(*cobra.Command, []string) error {
			t := table{left: 2}
			for _, n := range models.Names() {
				t.row(n, models.Summary(n))
			}
			t.write(a.out)
			fmt.Fprintln(a.out, "\nhmn run NAME runs one, hmn models show NAME > my.toml copies it")
			fmt.Fprintln(a.out, "\npresets of synapse model hmn (hmn models show NAME lists every value):")
			t = table{left: 2}
			for _, p := range rule.Presets() {
				t.row(p.Name, p.Doc)
			}
			t.write(a.out)
			if names := network.TaskNames(); len(names) > 0 {
				fmt.Fprintln(a.out, "\ntasks (hmn doc NAME lists their parameters):")
				t = table{left: 2}
				for _, n := range names {
					task, _ := network.LookupTask(n)
					doc, _, _ := strings.Cut(task.Doc, ": ")
					t.row(n, strings.TrimSuffix(doc, "."))
				}
				t.write(a.out)
			}
			return nil
		},
	}
	c.AddCommand(&cobra.Command{
		Use:   "show NAME",
		Short: "Print the model file of a shipped model, or the values of a preset",
		Long: `Print the model file of a shipped model; or every value of a preset of the synapse
model hmn (hmn-core, hmn-full, hmn-literal, r-stdp; hmn: the defaults) with its unit
and the equation it belongs to.`,
		Args: wantArgs(1, 1, "NAME"),
		ValidArgsFunction: firstArg(func(_ *cobra.Command, _ []string, word string) ([]cobra.Completion, cobra.ShellCompDirective) {
			names := append(models.Names(), rule.PresetNames()...)
			return starting(word, append(names, rule.Name), func(n string) string {
				if p, ok := rule.FindPreset(n); ok {
					return p.Doc
				}
				return models.Summary(n)
			}), cobra.ShellCompDirectiveNoFileComp
		}),
		RunE: func(_ *cobra.Command, args []string) error {
			text, ok := models.Text(args[0])
			if rows, preset := config.PresetRows(args[0]); !ok && preset {
				a.showPreset(args[0], rows)
				return nil
			}
			if !ok {
				return unknownName("hmn models show: no shipped model or preset", args[0], append(models.Names(), rule.PresetNames()...))
			}
			_, err := fmt.Fprint(a.out, text)
			return err
		},
	})
	return c
}

// showPreset prints every value of a preset, or of the rule's defaults.
func (a *app) showPreset(name string, rows []config.PresetRow) {
	doc, cite := "the learning rule with its defaults, which are those of hmn-core", ""
	if p, ok := rule.FindPreset(name); ok {
		doc, cite = p.Doc, p.Cite
	}
	fmt.Fprintf(a.out, "%s: %s\n", name, doc)
	if cite != "" {
		fmt.Fprintln(a.out, cite)
	}
	if name == rule.Name {
		fmt.Fprintf(a.out, "in a model file: synapse = { model = %q, … }\n\n", name)
	} else {
		fmt.Fprintf(a.out, "in a model file: synapse = { preset = %q, … }\n\n", name)
	}
	t := table{left: 5}
	t.row("key", "value", "unit", "equation", "differs from hmn-core")
	for _, r := range rows {
		differs := ""
		if r.Core != "" {
			differs = "there " + r.Core
		}
		t.row(r.Key, r.Value, r.Unit, r.Equation, differs)
	}
	t.write(a.out)
	fmt.Fprintln(a.out, "\n[w]: unit of the weight; [z]: of rates, Hz between spiking populations, 1 between rate units; hmn doc KEY explains a key")
}

// unknownName refuses a name that is none of names.
func unknownName(what, name string, names []string) error {
	hint := ", want one of " + strings.Join(names, ", ")
	if near := nearest(name, names); near != "" {
		hint = fmt.Sprintf(", did you mean %q?", near)
	}
	return badInput("%s is called %q%s", what, name, hint)
}

func (a *app) newCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "new [FILE]",
		Short: "Write a commented starter model (default model.toml)",
		Long:  "Write a commented starter model to FILE, by default model.toml; - prints it. A file that exists is not touched.",
		Args:  wantArgs(0, 1, "FILE"),
		RunE: func(_ *cobra.Command, args []string) error {
			name := append(args, "model.toml")[0]
			if name == "-" {
				_, err := fmt.Fprint(a.out, config.Starter())
				return err
			}
			f, err := os.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o644)
			if errors.Is(err, fs.ErrExist) {
				return badInput("hmn new: %s exists already and was not touched; hmn new OTHER.toml writes another", name)
			} else if err != nil {
				return badInput("hmn new: %w", err)
			}
			_, err = f.WriteString(config.Starter())
			if err = errors.Join(err, f.Close()); err != nil {
				os.Remove(name)
				return fmt.Errorf("hmn new: %w", err)
			}
			q := quoteArg(name)
			fmt.Fprintf(a.out, "%s written; next: hmn check %s, hmn run %s, hmn doc KEY\n", name, q, q)
			return nil
		},
	}
}

func (a *app) docCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "doc [KEY]",
		Short: "Explain a key of the model file, or list all keys",
		Long: `Explain a key of the model file, a parameter, a model or a connection rule: unit,
default, range and equation. Without KEY all keys and models are listed.`,
		Example: "  hmn doc tau_m\n  hmn doc population.expected_rate_hz\n  hmn doc iaf_psc_exp",
		Args:    wantArgs(0, 1, "KEY"),
		ValidArgsFunction: firstArg(func(_ *cobra.Command, _ []string, word string) ([]cobra.Completion, cobra.ShellCompDirective) {
			var names []string
			for _, k := range config.Keys {
				names = append(names, k.Path)
			}
			names = append(names, neuron.Names()...)
			names = append(names, synapse.Names()...)
			names = append(names, rule.PresetNames()...)
			names = append(names, network.TaskNames()...)
			return starting(word, names, func(string) string { return "" }), cobra.ShellCompDirectiveNoFileComp
		}),
		RunE: func(_ *cobra.Command, args []string) error {
			if len(args) == 1 {
				text, err := config.Doc(args[0])
				if err != nil {
					return err
				}
				_, err = fmt.Fprint(a.out, strings.TrimRight(text, "\n")+"\n")
				return err
			}
			t := table{left: 3}
			for _, k := range config.Keys {
				kind := string(k.Type)
				if k.Unit != "" && k.Unit != "1" {
					kind += " [" + k.Unit + "]"
				}
				t.row(k.Path, kind, k.Doc)
			}
			t.write(a.out)
			fmt.Fprintln(a.out, "\nmodels (hmn doc NAME lists their params and init):")
			t = table{left: 2}
			for _, n := range neuron.Names() {
				m, _ := neuron.Lookup(n)
				doc, _, _ := strings.Cut(m.Doc, ": ")
				t.row(n, strings.TrimSuffix(doc, "."))
			}
			t.write(a.out)
			fmt.Fprintln(a.out, "\nsynapse models and presets (hmn doc NAME lists their parameters):")
			t = table{left: 2}
			for _, n := range synapse.Names() {
				m, _ := synapse.Lookup(n)
				doc, _, _ := strings.Cut(m.Doc, ": ")
				t.row(n, doc)
			}
			for _, p := range rule.Presets() {
				doc, _, _ := strings.Cut(p.Doc, ": ")
				t.row(p.Name, doc)
			}
			t.write(a.out)
			return nil
		},
	}
}
