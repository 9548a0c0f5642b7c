package runs

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/kring-go/kring/bench"
)

// Run is one result, and where it was found.
type Run struct {
	Path   string // of the JSON file
	Result *bench.Result
}

// Load reads results from files, from folders that kbench run --out wrote, and
// from folders of either. A folder without any is an error. Shards of one run
// become one run.
func Load(paths []string) ([]Run, error) {
	var list []Run
	for _, path := range paths {
		files, err := Files(path)
		if err != nil {
			return nil, err
		}
		for _, file := range files {
			r, err := bench.ReadResult(file)
			if err != nil {
				return nil, err
			}
			list = append(list, Run{file, r})
		}
	}
	return mergeShards(list)
}

// Files names the results that a path stands for: itself, or those of a folder.
func Files(path string) ([]string, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("kbench: %w", err)
	}
	if !info.IsDir() {
		return []string{path}, nil
	}
	own := filepath.Join(path, "result.json")
	if _, err := os.Stat(own); err == nil {
		return []string{own}, nil
	}
	var files []string
	for _, pattern := range []string{"*.json", "*/result.json"} {
		// The only error is a bad pattern, and these are good.
		found, _ := filepath.Glob(filepath.Join(path, pattern))
		files = append(files, found...)
	}
	if len(files) == 0 {
		return nil, fmt.Errorf("kbench: %s holds no result: neither result.json, nor *.json, nor */result.json", path)
	}
	slices.Sort(files)
	return files, nil
}
