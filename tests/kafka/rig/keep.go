package rig

import (
	"fmt"
	"os"
	"path/filepath"
)

// Keep copies the segments that topics have on every node, and the nodes' own
// logs, into a folder beside theirs, and returns it: evidence that outlives the
// topics and the next Up. Read it with kafka-dump-log, for __transaction_state with
// --transaction-log-decoder.
func (r *Rig) Keep(name string, topics ...string) (folder string, err error) {
	folder = filepath.Join(r.dir, "kept", name)
	for node := 1; node <= r.Nodes(); node++ {
		own := filepath.Join(folder, fmt.Sprintf("node%d", node))
		files := []string{r.logFile(node)}
		for _, topic := range topics {
			files = append(files, r.segments(node, topic)...)
		}
		for _, file := range files {
			in, err := filepath.Rel(r.nodeDir(node), file)
			if err != nil {
				return "", err
			}
			if err := copyFile(filepath.Join(own, in), file); err != nil {
				return "", err
			}
		}
	}
	return folder, nil
}

func copyFile(to, from string) error {
	content, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return err
	}
	return os.WriteFile(to, content, 0o644)
}
