package carrel_test

import (
	"archive/zip"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// released lists the modules of the library, by directory. They are tagged together, and so is program. Examples are not
// released.
var released = []string{".", "presign/presigntest", "tools/mcp"}

const (
	program        = "quickstart"
	releaseVersion = "v0.0.1-test"
)

// TestRelease builds programs outside the repository against the released modules, as the go command would fetch them:
// from a module proxy that holds a zip file for each module, without the workspace and without replace directives. It
// unpacks and compiles all modules, so it runs only if CARREL_RELEASE=1 is set, as in .ci/run.
func TestRelease(t *testing.T) {
	t.Parallel()
	if os.Getenv("CARREL_RELEASE") != "1" {
		t.Skip("unpacks and compiles the released modules: set CARREL_RELEASE=1")
	}
	proxy := t.TempDir()
	for _, dir := range append(released, program) {
		writeModule(t, proxy, dir)
	}
	importer := t.TempDir()
	write := func(name, text string) {
		require.NoError(t, os.WriteFile(filepath.Join(importer, name), []byte(text), 0o600))
	}
	write("go.mod", "module example.com/importer\n\ngo 1.26.0\n")
	write("main.go", `package main

import (
	"context"
	"fmt"

	"github.com/carrel-go/carrel/presign/presigntest"
	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/tools"
	"github.com/carrel-go/carrel/tools/mcp"
)

func main() {
	presigntest.Main()
	server, err := presigntest.Start(context.Background(), "s3", nil)
	if err != nil {
		panic(err)
	}
	defer server.Close()
	tenant, err := scope.Tenant("acme")
	if err != nil {
		panic(err)
	}
	greet, err := tools.New("greet", "Greets.", func(context.Context, *tools.Call, struct{}) (string, error) { return "hello", nil })
	if err != nil {
		panic(err)
	}
	_, err = mcp.Serve(tools.Of(greet), nil)
	fmt.Println(tenant.Level(), err)
}
`)
	cache := strings.TrimSpace(run(t, ".", nil, "go", "env", "GOMODCACHE"))
	env := []string{
		"GOPROXY=file://" + proxy + ",file://" + filepath.Join(cache, "cache", "download"),
		"GOMODCACHE=" + filepath.Join(t.TempDir(), "mod"), "GOFLAGS=-mod=mod -modcacherw -trimpath", "GOWORK=off", "GONOSUMDB=*",
	}
	for _, dir := range released {
		run(t, importer, env, "go", "get", modulePath(dir)+"@"+releaseVersion)
	}
	require.Equal(t, "tenant <nil>\n", run(t, importer, env, "go", "run", "."))
	run(t, importer, env, "go", "run", modulePath(program)+"@"+releaseVersion, "-h")
}

func modulePath(dir string) string {
	if dir == "." {
		return module
	}
	return module + "/" + dir
}

// writeModule adds the module in dir to a file-based module proxy.
func writeModule(t *testing.T, proxy, dir string) {
	path := modulePath(dir)
	versions := filepath.Join(proxy, filepath.FromSlash(path), "@v")
	require.NoError(t, os.MkdirAll(versions, 0o755))
	mod := releasedMod(t, dir)
	require.NotContains(t, string(mod), "replace", "a replace directive has no effect in a module that is imported")
	require.NoError(t, os.WriteFile(filepath.Join(versions, releaseVersion+".mod"), mod, 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(versions, releaseVersion+".info"), []byte(`{"Version":"`+releaseVersion+`"}`), 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(versions, "list"), []byte(releaseVersion+"\n"), 0o600))

	f, err := os.Create(filepath.Join(versions, releaseVersion+".zip"))
	require.NoError(t, err)
	defer f.Close()
	z := zip.NewWriter(f)
	for _, name := range moduleFiles(t, dir) {
		w, err := z.Create(path + "@" + releaseVersion + "/" + name)
		require.NoError(t, err)
		if name == "go.mod" {
			_, err = w.Write(mod)
			require.NoError(t, err)
			continue
		}
		src, err := os.Open(filepath.Join(dir, name))
		require.NoError(t, err)
		_, err = io.Copy(w, src)
		require.NoError(t, err)
		require.NoError(t, src.Close())
	}
	require.NoError(t, z.Close())
}

// releasedMod returns the go.mod of the module in dir as a release has it: a nested module requires the others by their
// version. See CONTRIBUTING.md.
func releasedMod(t *testing.T, dir string) []byte {
	mod, err := os.ReadFile(filepath.Join(dir, "go.mod"))
	require.NoError(t, err)
	if dir == "." {
		return mod
	}
	path := filepath.Join(t.TempDir(), "go.mod")
	require.NoError(t, os.WriteFile(path, mod, 0o600))
	for _, other := range released {
		name := modulePath(other)
		if strings.Contains(string(mod), name+" => ") {
			run(t, ".", nil, "go", "mod", "edit", "-dropreplace="+name, "-require="+name+"@"+releaseVersion, path)
		}
	}
	mod, err = os.ReadFile(path)
	require.NoError(t, err)
	return mod
}

// moduleFiles returns the files of the module in dir that git knows, without those of modules below it.
func moduleFiles(t *testing.T, dir string) (names []string) {
	all := strings.Split(strings.TrimSuffix(run(t, dir, nil, "git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"), "\x00"), "\x00")
	var nested []string
	for _, name := range all {
		if sub, ok := strings.CutSuffix(name, "/go.mod"); ok {
			nested = append(nested, sub+"/")
		}
	}
	for _, name := range all {
		if _, err := os.Stat(filepath.Join(dir, name)); err != nil { // deleted and not committed yet
			continue
		}
		inside := true
		for _, sub := range nested {
			inside = inside && !strings.HasPrefix(name, sub)
		}
		if inside {
			names = append(names, name)
		}
	}
	return names
}

func run(t *testing.T, dir string, env []string, name string, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), name, args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), env...)
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	require.NoError(t, err, "%s %s: %s", name, strings.Join(args, " "), &stderr)
	return string(out)
}
