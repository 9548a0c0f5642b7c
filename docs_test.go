package kring_test

import (
	"go/ast"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestDocsNameCodeThatExists: every `file:function` of the documentation is
// there. A method may be written Type.Method where its name alone is not clear.
func TestDocsNameCodeThatExists(t *testing.T) {
	functions := map[string]bool{}
	for _, f := range sources(t) {
		for _, decl := range f.syntax.Decls {
			fn, ok := decl.(*ast.FuncDecl)
			if !ok {
				continue
			}
			functions[f.path+":"+fn.Name.Name] = true
			if typ := receiver(fn); typ != "" {
				functions[f.path+":"+typ+"."+fn.Name.Name] = true
			}
		}
	}
	reference := regexp.MustCompile("`([a-zA-Z0-9_/]+\\.go):([A-Za-z0-9_.]+)`")
	found := 0
	for _, page := range pages(t) {
		for _, m := range reference.FindAllStringSubmatch(page.text, -1) {
			found++
			if !functions[m[1]+":"+m[2]] {
				t.Errorf("%s names %s:%s, which does not exist", page.path, m[1], m[2])
			}
		}
	}
	if found < 40 {
		t.Errorf("found %d references to code, want at least 40: has their form changed?", found)
	}
}

func receiver(fn *ast.FuncDecl) string {
	if fn.Recv == nil {
		return ""
	}
	typ := fn.Recv.List[0].Type
	if star, ok := typ.(*ast.StarExpr); ok {
		typ = star.X
	}
	if generic, ok := typ.(*ast.IndexExpr); ok {
		typ = generic.X
	}
	if name, ok := typ.(*ast.Ident); ok {
		return name.Name
	}
	return ""
}

// page is one file of the documentation.
type page struct{ path, text string }

func pages(t *testing.T) []page {
	t.Helper()
	var list []page
	for _, pattern := range []string{"*.md", "docs/*.md", "docs/adr/*.md", "docs/guides/*.md"} {
		paths, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range paths {
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			list = append(list, page{filepath.ToSlash(path), string(text)})
		}
	}
	return list
}

// TestDocsLinksLead: every relative link leads to a file of the repository.
func TestDocsLinksLead(t *testing.T) {
	link := regexp.MustCompile(`\]\(([^)#:]+)\)`)
	for _, page := range pages(t) {
		for _, m := range link.FindAllStringSubmatch(page.text, -1) {
			if _, err := os.Stat(filepath.Join(filepath.Dir(page.path), m[1])); err != nil {
				t.Errorf("%s links to %s: %v", page.path, m[1], err)
			}
		}
	}
}

// TestReadmeCodeRuns: the Go code of the README stands in the examples, line by
// line, and those are compiled and run.
func TestReadmeCodeRuns(t *testing.T) {
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	examples, err := os.ReadFile("example_test.go")
	if err != nil {
		t.Fatal(err)
	}
	_, code, ok := strings.Cut(string(readme), "```go\n")
	if !ok {
		t.Fatal("the README has no Go code")
	}
	code, _, _ = strings.Cut(code, "```")
	for line := range strings.Lines(code) {
		if line = strings.TrimSpace(line); line != "" && !strings.Contains(string(examples), line) {
			t.Errorf("example_test.go does not have this line of the README: %s", line)
		}
	}
}

// TestReadmeCommandsExist: every make target that a page names is in the Makefile.
func TestReadmeCommandsExist(t *testing.T) {
	makefile, err := os.ReadFile("Makefile")
	if err != nil {
		t.Fatal(err)
	}
	targets := map[string]bool{}
	for _, m := range regexp.MustCompile(`(?m)^([a-z-]+):`).FindAllStringSubmatch(string(makefile), -1) {
		targets[m[1]] = true
	}
	command := regexp.MustCompile("(?m)(?:^|`)make ([a-z-]+)")
	for _, page := range pages(t) {
		for _, m := range command.FindAllStringSubmatch(page.text, -1) {
			if !targets[m[1]] {
				t.Errorf("%s names make %s, which the Makefile does not have", page.path, m[1])
			}
		}
	}
}
