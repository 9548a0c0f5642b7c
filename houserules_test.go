package kring_test

import (
	"go/ast"
	"go/token"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const (
	maxFileLines     = 300
	maxTestFileLines = 500
	maxFunctionLines = 70
)

// TestSizes keeps files and functions short enough to be read at one sitting.
func TestSizes(t *testing.T) {
	for _, f := range sources(t) {
		limit := maxFileLines
		if f.isTest() {
			limit = maxTestFileLines
		}
		if n := f.set.File(f.syntax.FileStart).LineCount() - 1; n > limit {
			t.Errorf("%s has %d lines, want at most %d", f.path, n, limit)
		}
		if f.isTest() {
			continue
		}
		for _, decl := range f.syntax.Decls {
			fn, ok := decl.(*ast.FuncDecl)
			if !ok {
				continue
			}
			if n := f.line(fn.End()) - f.line(fn.Pos()) + 1; n > maxFunctionLines {
				t.Errorf("%s: function %s has %d lines, want at most %d", f.at(fn.Pos()), fn.Name.Name, n, maxFunctionLines)
			}
		}
	}
}

func (f *sourceFile) line(pos token.Pos) int { return f.set.Position(pos).Line }

// TestNoGlobalState: what a program can not see it can not reason about. Two
// producers of one process share nothing, and importing the package does
// nothing.
func TestNoGlobalState(t *testing.T) {
	for _, f := range sources(t) {
		if f.isTest() || f.nested() {
			continue
		}
		for _, decl := range f.syntax.Decls {
			switch d := decl.(type) {
			case *ast.FuncDecl:
				if d.Recv == nil && d.Name.Name == "init" {
					t.Errorf("%s: init runs behind the reader's back; make it a constructor", f.at(d.Pos()))
				}
			case *ast.GenDecl:
				if d.Tok != token.VAR {
					continue
				}
				for _, spec := range d.Specs {
					checkVariable(t, f, spec.(*ast.ValueSpec))
				}
			}
		}
	}
}

// checkVariable allows compile-time assertions and sentinel errors.
func checkVariable(t *testing.T, f *sourceFile, v *ast.ValueSpec) {
	t.Helper()
	for i, name := range v.Names {
		if name.Name == "_" || i < len(v.Values) && isErrorsNew(v.Values[i]) {
			continue
		}
		t.Errorf("%s: %s is package-level state; make it a field or a function", f.at(name.Pos()), name.Name)
	}
}

func isErrorsNew(e ast.Expr) bool {
	call, ok := e.(*ast.CallExpr)
	return ok && selects(call.Fun, "errors", "New")
}

// selects reports whether e is pkg.name.
func selects(e ast.Expr, pkg, name string) bool {
	s, ok := e.(*ast.SelectorExpr)
	if !ok || s.Sel.Name != name {
		return false
	}
	x, ok := s.X.(*ast.Ident)
	return ok && x.Name == pkg
}

// TestBans names what must not be used, where, and what to use instead.
func TestBans(t *testing.T) {
	lockFree := []string{"ring", "slab", "wire", "accum", "netio"}
	for _, f := range sources(t) {
		if f.nested() {
			continue
		}
		for _, group := range f.syntax.Comments {
			for _, c := range group.List {
				if strings.HasPrefix(c.Text, "//go:linkname") {
					t.Errorf("%s: go:linkname breaks with any release of Go", f.at(c.Pos()))
				}
			}
		}
		ast.Inspect(f.syntax, func(n ast.Node) bool {
			e, ok := n.(ast.Expr)
			if !ok {
				return true
			}
			for _, typ := range []string{"Int32", "Int64", "Uint32", "Uint64", "Uintptr", "Pointer"} {
				for _, verb := range []string{"Add", "Load", "Store", "Swap", "CompareAndSwap", "And", "Or"} {
					if selects(e, "atomic", verb+typ) {
						t.Errorf("%s: atomic.%s%s on a plain word; use atomic.%s, which can not be read without", f.at(n.Pos()), verb, typ, typ)
					}
				}
			}
			if !f.isTest() && selects(e, "sync", "Pool") && slices.Contains(lockFree, f.folder()) {
				t.Errorf("%s: sync.Pool bounds nothing and forgets at every collection; use the slab or a field", f.at(n.Pos()))
			}
			return true
		})
	}
}

// TestEveryPackageExplainsItself: a room says what it is for at its door.
func TestEveryPackageExplainsItself(t *testing.T) {
	docs := map[string]string{}
	for _, f := range sources(t) {
		if f.isTest() || f.nested() {
			continue
		}
		if doc := f.syntax.Doc; doc != nil {
			if before, again := docs[f.folder()]; again {
				t.Errorf("package %q is documented in %s and in %s", f.folder(), before, f.path)
			}
			docs[f.folder()] = f.path
		}
	}
	for _, r := range house() {
		name := "doc.go"
		if r.path != "" {
			name = r.path + "/doc.go"
		}
		if docs[r.path] != name {
			t.Errorf("package %s has no documentation in %s, but in %s", strconv.Quote(r.path), name, strconv.Quote(docs[r.path]))
		}
	}
}

// TestNoDeferOnARecordsWay: a defer that the compiler can not open-code asks the
// runtime at every return what to run, also where nothing was deferred. It was
// 3 % of a record's time (ADR 0010).
func TestNoDeferOnARecordsWay(t *testing.T) {
	way := map[string][]string{
		"writer.go":       {"ProduceRecord", "strand"},
		"topic.go":        {"produce", "accept", "admit", "place", "append", "appendSticky"},
		"reservation.go":  {"append", "appendOpen"},
		"accum/append.go": {"Append", "AppendOpen", "tryAppend"},
		"accum/finish.go": {"deliver"},
	}
	for _, f := range sources(t) {
		names := way[f.path]
		for _, decl := range f.syntax.Decls {
			fn, ok := decl.(*ast.FuncDecl)
			if !ok || !slices.Contains(names, fn.Name.Name) {
				continue
			}
			names = slices.DeleteFunc(slices.Clone(names), func(name string) bool { return name == fn.Name.Name })
			ast.Inspect(fn.Body, func(n ast.Node) bool {
				if d, ok := n.(*ast.DeferStmt); ok {
					t.Errorf("%s: defer in %s, which every record passes; put it into a function that only those call who need it", f.at(d.Pos()), fn.Name.Name)
				}
				return true
			})
		}
		if len(names) > 0 {
			t.Errorf("%s has no function %v: name those that a record passes now", f.path, names)
		}
	}
}
