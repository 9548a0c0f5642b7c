package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/kring-go/kring/bench"
	"github.com/kring-go/kring/cmd/kbench/internal/schema"
)

// schemaCmd is kbench schema.
type schemaCmd struct {
	Files []string `arg:"" optional:"" help:"Results to check against the schema. Without: print it." placeholder:"FILE"`
}

// Help is the long text of kbench schema --help.
func (schemaCmd) Help() string {
	return `The schema of kbench.result/v1, which kbench run --format json prints, is a JSON
Schema of draft 2020-12. Fields may be added to v1; none is renamed or removed.

Examples:

  kbench schema > kbench.result.v1.schema.json
  kbench schema kb-out                           # exit code 1 and what is wrong, if anything`
}

func (c *schemaCmd) Run(p *program) error {
	if len(c.Files) == 0 {
		_, err := fmt.Fprint(p.stdout, schema.Text())
		return err
	}
	for _, name := range c.Files {
		if info, err := os.Stat(name); err == nil && info.IsDir() {
			name = filepath.Join(name, "result.json") // As kbench run -o wrote it.
		}
		f, err := os.Open(name)
		if err != nil {
			return bench.UsageError(err)
		}
		err = schema.Validate(f)
		_ = f.Close() // It was only read.
		if err != nil {
			return fmt.Errorf("%s is no %s: %s", name, bench.SchemaName, strings.TrimSpace(err.Error()))
		}
		if _, err := fmt.Fprintf(p.stdout, "%s: ok\n", name); err != nil {
			return err
		}
	}
	return nil
}
