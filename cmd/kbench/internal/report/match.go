package report

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
)

// match names the files of a block's patterns, relative to the page. A pattern
// after "!" takes files away from those before it, and one after "?" may match
// nothing: with such ones alone, a block is empty until there are results.
func (m *Markdown) match(kind string, patterns []string) ([]string, error) {
	var paths []string
	for _, pattern := range patterns {
		plain := strings.TrimLeft(pattern, "!?")
		found, err := filepath.Glob(filepath.Join(filepath.Dir(m.Path), plain))
		if err != nil || len(found) == 0 && plain == pattern {
			return nil, fmt.Errorf("kbench: %s: block %s: nothing matches %q", m.Path, kind, pattern)
		}
		if strings.HasPrefix(pattern, "!") {
			paths = slices.DeleteFunc(paths, func(path string) bool { return slices.Contains(found, path) })
			continue
		}
		paths = append(paths, found...)
	}
	slices.Sort(paths)
	return slices.Compact(paths), nil
}
