package report

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/kring-go/kring/cmd/kbench/internal/compare"
)

// curveFile is what kbench compare --rates leaves in its folder.
const curveFile = "curve.json"

// Curves parts the names of a command: comparisons at rates, or folders of them,
// are read; the others are returned.
func Curves(paths []string) (others []string, list []*compare.Report, err error) {
	for _, path := range paths {
		name := path
		if inside := filepath.Join(path, curveFile); exists(inside) {
			name = inside
		}
		if filepath.Base(name) != curveFile {
			others = append(others, path)
			continue
		}
		r, err := compare.Load(name)
		if err != nil {
			return nil, nil, err
		}
		if !r.IsCurve() {
			return nil, nil, fmt.Errorf("kbench: %s has no rates: it is not of kbench compare --rates", name)
		}
		list = append(list, r)
	}
	return others, list, nil
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}
