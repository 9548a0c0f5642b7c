package workload

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

//go:embed builtin/*.yaml
var builtin embed.FS

// Workload is one description of a run.
type Workload struct {
	Name        string
	Description string
	// Flags are values by the flag's name, as text.
	Flags map[string]string
	// Properties are name=value pairs for -X, in the file's order.
	Properties []string
	// Text is the file.
	Text string
}

// propertyKeys are the names under which properties may stand.
func propertyKeys() []string { return []string{"property", "producer-props", "command-property"} }

// Builtins names the workloads that come with kbench, in order.
func Builtins() []string {
	// The folder is part of the program.
	files, _ := fs.Glob(builtin, "builtin/*.yaml")
	var names []string
	for _, f := range files {
		names = append(names, strings.TrimSuffix(strings.TrimPrefix(f, "builtin/"), ".yaml"))
	}
	return names
}

// Load reads a file, or a built-in by its name. A name with a dot or a slash is
// always a file.
func Load(name string) (*Workload, error) {
	if !strings.ContainsAny(name, `./\`) {
		text, err := builtin.ReadFile("builtin/" + name + ".yaml")
		if err != nil {
			return nil, fmt.Errorf("kbench: there is no workload %q: name a file ending in .yaml, or one of %s", name, strings.Join(Builtins(), ", "))
		}
		return Parse(name, text)
	}
	text, err := os.ReadFile(name)
	if err != nil {
		return nil, fmt.Errorf("kbench: %w", err)
	}
	return Parse(name, text)
}

// Parse reads a workload. source names it in errors, which say the line.
func Parse(source string, text []byte) (*Workload, error) {
	var doc yaml.Node
	if err := yaml.Unmarshal(text, &doc); err != nil {
		return nil, fmt.Errorf("kbench: %s: %w", source, err)
	}
	if len(doc.Content) == 0 || doc.Content[0].Kind != yaml.MappingNode {
		return nil, fmt.Errorf("kbench: %s is no workload: want lines such as rate: 20k", source)
	}
	w := &Workload{Flags: map[string]string{}, Text: string(text)}
	var errs []error
	fields := doc.Content[0].Content
	seen := map[string]bool{}
	for i := 0; i+1 < len(fields); i += 2 {
		key, value := fields[i], fields[i+1]
		if seen[key.Value] {
			errs = append(errs, fmt.Errorf("%s:%d: %s stands here for the second time", source, key.Line, key.Value))
		}
		seen[key.Value] = true
		if err := w.set(key.Value, value); err != nil {
			errs = append(errs, fmt.Errorf("%s:%d: %s: %w", source, key.Line, key.Value, err))
		}
	}
	if err := errors.Join(errs...); err != nil {
		return nil, fmt.Errorf("kbench: %w", err)
	}
	return w, nil
}

// set takes one line of the file.
func (w *Workload) set(key string, value *yaml.Node) error {
	if slices.Contains(propertyKeys(), key) {
		return w.properties(value)
	}
	if value.Kind == yaml.AliasNode {
		value = value.Alias
	}
	if key == faultKey && value.Kind == yaml.SequenceNode {
		return w.faults(value)
	}
	if value.Kind != yaml.ScalarNode {
		return errors.New("want a single value")
	}
	switch key {
	case "name":
		w.Name = value.Value
	case "description":
		w.Description = value.Value
	default:
		if value.Tag == "!!null" || value.Value == "" && key == faultKey {
			return errors.New("has no value")
		}
		w.Flags[key] = value.Value
	}
	return nil
}

// faultKey is the one flag that may have a list: each item is the flag once more.
const faultKey = "fault"

// faults takes a list, and joins it as the flag's value may be joined.
func (w *Workload) faults(value *yaml.Node) error {
	var list []string
	for _, v := range value.Content {
		if v.Kind != yaml.ScalarNode {
			return errors.New("want a list of at=30s,for=5s,kind=latency:50ms")
		}
		list = append(list, v.Value)
	}
	if len(list) == 0 {
		return errors.New("has no value")
	}
	w.Flags[faultKey] = strings.Join(list, ";")
	return nil
}

// properties takes a mapping, or a list of name=value.
func (w *Workload) properties(value *yaml.Node) error {
	switch value.Kind {
	case yaml.MappingNode:
		for i := 0; i+1 < len(value.Content); i += 2 {
			name, v := value.Content[i], value.Content[i+1]
			if v.Kind != yaml.ScalarNode {
				return fmt.Errorf("%s: want a single value", name.Value)
			}
			w.Properties = append(w.Properties, name.Value+"="+v.Value)
		}
	case yaml.SequenceNode:
		for _, v := range value.Content {
			if v.Kind != yaml.ScalarNode || !strings.Contains(v.Value, "=") {
				return errors.New("want a list of name=value")
			}
			w.Properties = append(w.Properties, v.Value)
		}
	default:
		return errors.New("want name: value, one a line, or a list of name=value")
	}
	return nil
}
