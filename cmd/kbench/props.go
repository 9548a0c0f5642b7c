package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/kring-go/kring"
	"github.com/kring-go/kring/bench"
)

// propsCmd is kbench props.
type propsCmd struct {
	Client string   `default:"kring" help:"Client to ask about; this list is built in for kring."`
	Only   []string `help:"Only properties of this kind: supported, mapped, ignored, refused. Repeatable." placeholder:"KIND"`
	Format string   `enum:"human,json" default:"human" help:"Table, or JSON on standard output."`
	Names  []string `arg:"" optional:"" help:"Only properties whose name contains one of these." placeholder:"NAME"`
}

// Help is the long text of kbench props --help.
func (propsCmd) Help() string {
	return `Which of the Java producer's properties -X takes, and what becomes of them:

  supported  has the effect that it has in Java
  mapped     has a flag, and is told to every client of kbench alike
  ignored    any value is taken, and none has an effect
  refused    an error, unless it has a value that asks for nothing

Examples:

  kbench props
  kbench props linger compression          # those whose name contains either
  kbench props --only refused --format json | jq -r '.[].name'`
}

// The kinds of properties.
const (
	propSupported = "supported"
	propMapped    = "mapped"
	propIgnored   = "ignored"
	propRefused   = "refused"
)

// propRow is one property, as it is printed.
type propRow struct {
	Name    string   `json:"name"`
	Kind    string   `json:"kind"`
	Default *string  `json:"default"` // null: none
	Doc     string   `json:"doc"`
	Flag    string   `json:"flag,omitempty"`    // the flag that means the same
	Accepts []string `json:"accepts,omitempty"` // values that ask for nothing
	Reason  string   `json:"reason,omitempty"`
}

func (c *propsCmd) Run(p *program) error {
	if c.Client != "kring" {
		return bench.SkippedError(fmt.Errorf("skipped: only kring lists its properties; kbench-worker-%s says which it refuses when it runs", c.Client))
	}
	for _, kind := range c.Only {
		if !slices.Contains([]string{propSupported, propMapped, propIgnored, propRefused}, kind) {
			return bench.UsageError(fmt.Errorf("--only %s: want supported, mapped, ignored or refused", kind))
		}
	}
	rows := []propRow{}
	for _, property := range kring.Properties() {
		row := describe(property)
		if len(c.Only) > 0 && !slices.Contains(c.Only, row.Kind) {
			continue
		}
		if len(c.Names) > 0 && !slices.ContainsFunc(c.Names, func(part string) bool { return strings.Contains(row.Name, part) }) {
			continue
		}
		rows = append(rows, row)
	}
	if len(rows) == 0 {
		return bench.UsageError(errors.New("no property is called so: kbench props lists them all"))
	}
	if c.Format == "json" {
		enc := json.NewEncoder(p.stdout)
		enc.SetEscapeHTML(false)
		enc.SetIndent("", " ")
		return enc.Encode(rows)
	}
	return writeProps(p.stdout, rows)
}

// flagOf is the flag that a property has beside -X, or what stands for it.
func flagOf(name string) string {
	return map[string]string{
		"acks": "--acks", "linger.ms": "--linger", "batch.size": "--batch-size", "compression.type": "--compression", "bootstrap.servers": "--brokers",
		"enable.idempotence": "-X", "buffer.memory": "-X", "max.in.flight.requests.per.connection": "-X",
	}[name]
}

// ofModule says more of a property that kring alone refuses, and readJava reads.
func ofModule(name string) string {
	switch name {
	case "ssl.key.password", "ssl.keystore.password", "ssl.truststore.password":
		return ", of a JKS or PKCS12 store"
	case "sasl.kerberos.service.name":
		return ", with sasl.mechanism=GSSAPI"
	}
	return ""
}

// describe sorts a property into its kind.
func describe(p kring.Property) propRow {
	row := propRow{Name: p.Name, Kind: propSupported, Doc: p.Doc, Flag: flagOf(p.Name), Accepts: p.Accepts, Reason: p.WhyNot}
	if p.Default != "" {
		row.Default = &p.Default
	}
	switch {
	case row.Flag != "":
		row.Kind = propMapped
	case ofModule(p.Name) != "":
		row.Doc, row.Accepts, row.Reason = p.Doc+ofModule(p.Name), nil, ""
	case p.Supported:
	case slices.Contains(p.Accepts, "true") && slices.Contains(p.Accepts, "false"):
		// A switch of which both positions are taken does nothing.
		row.Kind, row.Reason = propIgnored, "has no effect here"
	default:
		row.Kind = propRefused
	}
	return row
}

func writeProps(w io.Writer, rows []propRow) error {
	var b strings.Builder
	name := 0
	for _, row := range rows {
		name = max(name, len(row.Name))
	}
	for _, row := range rows {
		value := "(none)"
		if row.Default != nil {
			value = *row.Default
		}
		if strings.HasPrefix(value, "org.apache.kafka.") {
			value = value[strings.LastIndex(value, ".")+1:] // The class without its package.
		}
		fmt.Fprintf(&b, "%-*s  %-9s  %-20s  %s", name, row.Name, row.Kind, value, row.Doc)
		if row.Kind == propMapped && row.Flag != "-X" {
			fmt.Fprintf(&b, " (%s)", row.Flag)
		}
		b.WriteByte('\n')
	}
	_, err := io.WriteString(w, b.String())
	return err
}
