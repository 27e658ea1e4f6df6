package carrel_test

import (
	"bytes"
	"flag"
	"fmt"
	"go/ast"
	"go/doc"
	"go/parser"
	"go/printer"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// TestAPI compares the exported surface of each package with its golden file, so that a review shows every change
// of it. go test . -run TestAPI -update rewrites the files.
func TestAPI(t *testing.T) {
	t.Parallel()
	golden := filepath.Join("testdata", "api")
	var want []string
	for _, p := range listReleased(t) {
		name := below(p.ImportPath)
		if name == "." || strings.Contains(name, "internal") {
			continue
		}
		file := strings.ReplaceAll(name, "/", "_") + ".txt"
		want = append(want, file)
		got := surface(t, name)
		path := filepath.Join(golden, file)
		if *update {
			require.NoError(t, os.MkdirAll(golden, 0o755))
			require.NoError(t, os.WriteFile(path, got, 0o644))
			continue
		}
		old, err := os.ReadFile(path)
		require.NoError(t, err)
		assert.Equal(t, string(old), string(got), "the surface of %s has changed: go test . -run TestAPI -update", name)
	}
	entries, err := os.ReadDir(golden)
	require.NoError(t, err)
	for _, e := range entries {
		assert.Contains(t, want, e.Name(), "a golden file without a package")
	}
}

// listReleased returns the packages of all released modules.
func listReleased(t *testing.T) (pkgs []goPackage) {
	for _, dir := range released {
		pkgs = append(pkgs, list(t, dir)...)
	}
	return pkgs
}

// surface returns the exported declarations of the package in dir, one a line and sorted.
func surface(t *testing.T, dir string) []byte {
	fset := token.NewFileSet()
	names, err := filepath.Glob(filepath.Join(dir, "*.go"))
	require.NoError(t, err)
	var files []*ast.File
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(fset, name, nil, parser.ParseComments)
		require.NoError(t, err)
		files = append(files, f)
	}
	p, err := doc.NewFromFiles(fset, files, module+"/"+dir)
	require.NoError(t, err)
	var lines []string
	add := func(n any) {
		var b bytes.Buffer
		require.NoError(t, printer.Fprint(&b, fset, n))
		lines = append(lines, strings.Join(strings.Fields(b.String()), " "))
	}
	funcs := func(all []*doc.Func) {
		for _, f := range all {
			f.Decl.Doc, f.Decl.Body = nil, nil
			add(f.Decl)
		}
	}
	values := func(all []*doc.Value) {
		for _, v := range all {
			for _, s := range v.Decl.Specs {
				for _, n := range s.(*ast.ValueSpec).Names {
					if n.IsExported() {
						lines = append(lines, fmt.Sprintf("%s %s", v.Decl.Tok, n.Name))
					}
				}
			}
		}
	}
	values(p.Consts)
	values(p.Vars)
	funcs(p.Funcs)
	for _, typ := range p.Types {
		values(typ.Consts)
		values(typ.Vars)
		funcs(typ.Funcs)
		funcs(typ.Methods)
		for _, s := range typ.Decl.Specs {
			lines = append(lines, typeLines(t, fset, s.(*ast.TypeSpec))...)
		}
	}
	slices.Sort(lines)
	return []byte(strings.Join(lines, "\n") + "\n")
}

// typeLines returns a line for the type, and one for each exported field or interface method.
func typeLines(t *testing.T, fset *token.FileSet, s *ast.TypeSpec) []string {
	show := func(n ast.Node) string {
		var b bytes.Buffer
		require.NoError(t, printer.Fprint(&b, fset, n))
		return strings.Join(strings.Fields(b.String()), " ")
	}
	var fields *ast.FieldList
	var kind string
	switch typ := s.Type.(type) {
	case *ast.StructType:
		fields, kind = typ.Fields, "struct"
	case *ast.InterfaceType:
		fields, kind = typ.Methods, "interface"
	default:
		kind = show(s.Type)
	}
	out := []string{"type " + s.Name.Name + " " + kind}
	if fields == nil {
		return out
	}
	for _, f := range fields.List {
		for _, n := range f.Names {
			if n.IsExported() {
				line := fmt.Sprintf("type %s %s, %s %s", s.Name.Name, kind, n.Name, show(f.Type))
				if f.Tag != nil {
					line += " " + f.Tag.Value
				}
				out = append(out, line)
			}
		}
		if len(f.Names) == 0 {
			out = append(out, fmt.Sprintf("type %s %s, embedded %s", s.Name.Name, kind, show(f.Type)))
		}
	}
	return out
}
