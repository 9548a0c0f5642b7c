package rig

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// Truncate cuts the logs of a topic down to their first batches, as a disk does
// that had not written the rest when its machine went down. The node must not run.
// What the broker derives from a log goes as well; it makes it anew.
func (r *Rig) Truncate(node int, topic string, batches int) error {
	if _, alive := r.pid(node); alive {
		return fmt.Errorf("kafka: node %d runs, its files are its own", node)
	}
	files := r.segments(node, topic)
	if len(files) == 0 {
		return fmt.Errorf("kafka: node %d has no log of topic %s", node, topic)
	}
	for _, file := range files {
		if err := truncate(file, batches); err != nil {
			return err
		}
	}
	return nil
}

// truncate keeps the first batches of a segment.
func truncate(file string, batches int) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	// A batch begins with its offset, 8 bytes, and the length of what follows, 4.
	const header = 12
	end := 0
	for range batches {
		if len(text) < end+header {
			return fmt.Errorf("kafka: %s has fewer than %d batches", file, batches)
		}
		end += header + int(binary.BigEndian.Uint32(text[end+8:]))
	}
	if end >= len(text) {
		return fmt.Errorf("kafka: %s has %d batches only: nothing would be lost", file, batches)
	}
	if err := os.Truncate(file, int64(end)); err != nil {
		return err
	}
	for _, derived := range []string{"*.snapshot", "*.index", "*.timeindex"} {
		found, err := filepath.Glob(filepath.Join(filepath.Dir(file), derived))
		for _, f := range found {
			err = errors.Join(err, os.Remove(f))
		}
		if err != nil {
			return err
		}
	}
	return nil
}
