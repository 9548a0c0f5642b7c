package main

import (
	"fmt"
	"strings"

	"github.com/alecthomas/kong"
)

// completionCmd is kbench completion.
type completionCmd struct {
	Shell string `arg:"" enum:"bash,zsh,fish" help:"bash, zsh or fish."`
}

// Help is the long text of kbench completion --help.
func (completionCmd) Help() string {
	return `Prints a script that completes commands and flags.

Examples:

  source <(kbench completion bash)
  source <(kbench completion zsh)
  kbench completion fish > ~/.config/fish/completions/kbench.fish`
}

func (c *completionCmd) Run(p *program, k *kong.Kong) error {
	var script strings.Builder
	commands := visible(k.Model.Children)
	if c.Shell == "fish" {
		for _, node := range commands {
			fmt.Fprintf(&script, "complete -c kbench -n __fish_use_subcommand -f -a %s -d %s\n", node.Name, fishQuoted(node.Help))
			for _, f := range flagsOf(node) {
				fmt.Fprintf(&script, "complete -c kbench -n '__fish_seen_subcommand_from %s' -l %s -d %s\n", node.Name, f.Name, fishQuoted(f.Help))
			}
		}
	} else {
		writeBash(&script, commands, c.Shell)
	}
	_, err := fmt.Fprint(p.stdout, script.String())
	return err
}

// writeBash makes one function of a case per command; zsh runs it as well.
func writeBash(b *strings.Builder, commands []*kong.Node, shell string) {
	if shell == "zsh" {
		b.WriteString("autoload -Uz bashcompinit && bashcompinit\n")
	}
	var names []string
	for _, node := range commands {
		names = append(names, node.Name)
	}
	b.WriteString("_kbench() {\n  local words\n  case \"${COMP_WORDS[1]}\" in\n")
	for _, node := range commands {
		var words []string
		for _, child := range visible(node.Children) {
			words = append(words, child.Name)
		}
		for _, f := range flagsOf(node) {
			words = append(words, "--"+f.Name)
		}
		fmt.Fprintf(b, "  %s) words=\"%s\" ;;\n", node.Name, strings.Join(words, " "))
	}
	b.WriteString("  esac\n")
	fmt.Fprintf(b, "  [ \"$COMP_CWORD\" = 1 ] && words=\"%s --help\"\n", strings.Join(names, " "))
	b.WriteString("  COMPREPLY=($(compgen -W \"$words\" -- \"${COMP_WORDS[COMP_CWORD]}\"))\n}\n")
	b.WriteString("complete -o default -F _kbench kbench\n")
}

func visible(nodes []*kong.Node) []*kong.Node {
	var list []*kong.Node
	for _, n := range nodes {
		if !n.Hidden {
			list = append(list, n)
		}
	}
	return list
}

// flagsOf are those of a command and of the commands below it, each once.
func flagsOf(n *kong.Node) []*kong.Flag {
	seen := map[string]bool{}
	var list []*kong.Flag
	for _, node := range append([]*kong.Node{n}, n.Children...) {
		for _, f := range node.Flags {
			if !f.Hidden && !seen[f.Name] {
				seen[f.Name] = true
				list = append(list, f)
			}
		}
	}
	return list
}

func fishQuoted(s string) string { return "'" + strings.ReplaceAll(s, "'", `\'`) + "'" }
