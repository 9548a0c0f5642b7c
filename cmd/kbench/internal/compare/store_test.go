package compare

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// TestReplace: an earlier comparison of ten rounds leaves nothing in the folder
// of one of two, and what is not kbench's stays.
func TestReplace(t *testing.T) {
	dir := t.TempDir()
	if err := Replace(filepath.Join(dir, "none")); err != nil {
		t.Error(err)
	}
	for _, name := range []string{"01.json", "10.json", "100.json", "001-20000.json", "1.json", "notes.json", "01.json.txt"} {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := Replace(dir); err != nil {
		t.Fatal(err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	if want := []string{"01.json.txt", "1.json", "notes.json"}; !slices.Equal(names, want) {
		t.Errorf("got %v, want %v", names, want)
	}
}

func TestWritable(t *testing.T) {
	dir := t.TempDir()
	if err := Writable(filepath.Join(dir, "a", "b")); err != nil {
		t.Error(err)
	}
	if left, err := os.ReadDir(filepath.Join(dir, "a", "b")); err != nil || len(left) > 0 {
		t.Errorf("%v is left behind, %v", left, err)
	}
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if Writable(filepath.Join(file, "sub")) == nil {
		t.Error("a folder in a file")
	}
}
