package kring_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// room is one package of the house.
type room struct {
	path  string // below the module; "" is the root package
	floor int
	// foreign is what it may import from other modules, and nothing else.
	foreign []string
}

// house is the policy: a package imports only from lower floors, and packages
// on one floor never import each other. If a build fails here, the import is
// wrong and not this table: a package that needs its neighbour belongs on
// another floor, or the neighbour's interface belongs to its user.
func house() []room {
	const (
		kmsg = "github.com/twmb/franz-go/pkg/kmsg"
		unix = "golang.org/x/sys/unix"
		hdr  = "github.com/HdrHistogram/hdrhistogram-go"

		scram = "github.com/xdg-go/scram"

		gzip = "github.com/klauspost/compress/gzip"
		s2   = "github.com/klauspost/compress/s2"
		zstd = "github.com/klauspost/compress/zstd"
		lz4  = "github.com/pierrec/lz4/v4"
		pool = "github.com/valyala/bytebufferpool"
	)
	return []room{
		{path: "internal/depth", floor: 0},
		{path: "internal/goroutine", floor: 0},
		{path: "internal/invariant", floor: 0},
		{path: "internal/latency", floor: 0},
		{path: "internal/otlp", floor: 0},

		{path: "ring", floor: 1},
		{path: "slab", floor: 1},
		{path: "wire", floor: 1},
		{path: "sasl", floor: 1, foreign: []string{scram}},
		{path: "sasl/oidc", floor: 2},
		{path: "compress", floor: 1, foreign: []string{gzip, s2, zstd, lz4}},

		{path: "internal/expand", floor: 1, foreign: []string{gzip, s2, zstd, lz4}},

		{path: "accum", floor: 2, foreign: []string{pool}},
		{path: "netio", floor: 2, foreign: []string{unix}},
		{path: "cluster", floor: 2, foreign: []string{kmsg}},

		{path: "", floor: 3},
		// The embedded broker is the other end: it must not know the producer.
		{path: "bench/broker", floor: 3, foreign: []string{kmsg}},
		// What disturbs a network knows nobody on it.
		{path: "bench/fault", floor: 3},

		{path: "kringtest", floor: 4},
		{path: "bench", floor: 4, foreign: []string{kmsg, unix, hdr}},
	}
}

const module = "github.com/kring-go/kring"

// sourceFile is one Go file of the repository, whatever its build constraints.
type sourceFile struct {
	path   string // slash-separated, from the root of the repository
	syntax *ast.File
	set    *token.FileSet
}

func (f *sourceFile) isTest() bool { return strings.HasSuffix(f.path, "_test.go") }

func (f *sourceFile) at(pos token.Pos) string {
	return f.path + ":" + strconv.Itoa(f.set.Position(pos).Line)
}

// folder is the file's package as house names it.
func (f *sourceFile) folder() string {
	if i := strings.LastIndexByte(f.path, '/'); i >= 0 {
		return f.path[:i]
	}
	return ""
}

// nested reports whether the file belongs to a module inside the repository:
// those are tests, tools and other people's clients, with floors of their own.
func (f *sourceFile) nested() bool {
	for _, dir := range []string{"tests/", "bench/peers/", "internal/devtools/", "cmd/kbench/", "plugin/", "examples/"} {
		if strings.HasPrefix(f.path, dir) {
			return true
		}
	}
	return false
}

// sources is every Go file of the repository.
func sources(t *testing.T) []*sourceFile {
	t.Helper()
	files, err := parseOnce()
	if err != nil {
		t.Fatal(err)
	}
	if len(files) < 50 {
		t.Fatalf("found %d Go files: the test does not run at the root of the repository", len(files))
	}
	return files
}

var parseOnce = sync.OnceValues(parseRepository)

func parseRepository() ([]*sourceFile, error) {
	var files []*sourceFile
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && path != "." && (strings.HasPrefix(d.Name(), ".") || d.Name() == "testdata"):
			return fs.SkipDir
		case d.IsDir() || filepath.Ext(path) != ".go":
			return nil
		}
		f := &sourceFile{path: filepath.ToSlash(path), set: token.NewFileSet()}
		f.syntax, err = parser.ParseFile(f.set, path, nil, parser.ParseComments|parser.SkipObjectResolution)
		files = append(files, f)
		return err
	})
	return files, err
}

// TestLayering holds every import of the module to the floors of house.
func TestLayering(t *testing.T) {
	rooms := map[string]room{}
	for _, r := range house() {
		rooms[r.path] = r
	}
	seen := map[string]bool{}
	for _, f := range sources(t) {
		if f.isTest() || f.nested() {
			continue
		}
		from, ok := rooms[f.folder()]
		if !ok {
			t.Errorf("%s: package %q has no floor; give it one in house()", f.path, f.folder())
			continue
		}
		seen[from.path] = true
		for _, spec := range f.syntax.Imports {
			path, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				t.Fatal(err)
			}
			if why := forbidden(from, path, rooms); why != "" {
				t.Errorf("%s: %s", f.at(spec.Pos()), why)
			}
		}
	}
	for path := range rooms {
		if !seen[path] {
			t.Errorf("house() has a room %q, and the repository does not", path)
		}
	}
}

// forbidden says why a package of room from must not import path; empty: it may.
func forbidden(from room, path string, rooms map[string]room) string {
	if path == module || strings.HasPrefix(path, module+"/") {
		to, ok := rooms[strings.TrimPrefix(strings.TrimPrefix(path, module), "/")]
		switch {
		case !ok:
			return "imports " + path + ", which has no floor"
		case to.floor > from.floor:
			return "imports " + path + " from floor " + strconv.Itoa(to.floor) + ", upwards from " + strconv.Itoa(from.floor)
		case to.floor == from.floor:
			return "imports its neighbour " + path + " on floor " + strconv.Itoa(to.floor)
		}
		return ""
	}
	first, _, _ := strings.Cut(path, "/")
	if strings.Contains(first, ".") && !slices.Contains(from.foreign, path) {
		return "imports " + path + ", which is not on this package's list of other modules"
	}
	return ""
}

// TestForbiddenImports shows that the rule can fail.
func TestForbiddenImports(t *testing.T) {
	rooms := map[string]room{}
	for _, r := range house() {
		rooms[r.path] = r
	}
	for _, tc := range []struct {
		name, from, path string
		want             bool
	}{
		{"standard library", "ring", "sync/atomic", false},
		{"down one floor", "accum", module + "/ring", false},
		{"down to the ground", "netio", module + "/internal/invariant", false},
		{"root from bench", "bench", module, false},
		{"listed module", "netio", "golang.org/x/sys/unix", false},
		{"up", "ring", module + "/accum", true},
		{"neighbour", "slab", module + "/ring", true},
		{"neighbours above", "netio", module + "/accum", true},
		{"producer from the broker", "bench/broker", module, true},
		{"unknown package", "", module + "/tests", true},
		{"unlisted module", "wire", "github.com/twmb/franz-go/pkg/kmsg", true},
		{"module beside a listed one", "cluster", "github.com/twmb/franz-go/pkg/kgo", true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			why := forbidden(rooms[tc.from], tc.path, rooms)
			if got := why != ""; got != tc.want {
				t.Errorf("%q importing %q is forbidden: %t (%s), want %t", tc.from, tc.path, got, why, tc.want)
			}
		})
	}
}
