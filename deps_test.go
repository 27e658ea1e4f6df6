package carrel_test

import (
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const module = "github.com/carrel-go/carrel"

// A rule forbids imports and says why.
type rule struct {
	why    string
	from   func(pkg string) bool // which packages it binds, by path below the module
	allows func(dep string) bool // which of their imports it lets through
	deep   bool                  // whether it also binds the imports of their imports
}

var aws = []string{"github.com/aws/"}

// The import law. Paths of the module's own packages are relative to it, "." is its root.
var rules = []rule{
	{
		why:    "sse is the wire format and nothing else: it imports the standard library alone",
		from:   is("sse"),
		allows: standard,
		deep:   true,
	},
	{
		why:    "trust boundaries of every layer read JSON by internal/strictjson, so it imports the standard library alone",
		from:   is("internal/strictjson"),
		allows: standard,
		deep:   true,
	},
	{
		why:    "any service may take the parts of its HTTP interface: the standard library and the reader of strict JSON",
		from:   is("httpapi"),
		allows: either(standard, one("internal/strictjson")),
		deep:   true,
	},
	{
		why:    "everything stands on scope, so it stands on little: the standard library, Unicode normal forms and UUIDs",
		from:   is("scope"),
		allows: either(standard, under("golang.org/x/text/unicode/norm", "golang.org/x/text/transform", "golang.org/x/text/internal", "github.com/google/uuid")),
		deep:   true,
	},
	{
		why: "these packages serve any cloud and none: they compile no AWS code",
		from: is(".", "scope", "scope/table", "scope/table/bolt", "scope/table/tabletest", "scope/object", "scope/object/objecttest",
			"scope/oidc", "tools", "tracking", "tracking/sweeper", "tracking/trackingtest", "agent", "agent/chatlist", "agent/history", "agent/runner", "agent/agui", "agent/aisdk", "agent/internal/frontend", "agent/internal/runlog", "agent/agenttest", "httpapi", "sse", "sse/replay",
			"admission",
			"tools/approval", "tools/objecttools", "tools/trackingtools", "tools/mcp"),
		allows: not(under(aws...)),
		deep:   true,
	},
	{
		why: "the AWS SDK is named by its adapters alone, so that nobody else is bound to its versions",
		from: not(is("scope/table/dynamo", "scope/object/s3object", "scope/credential", "presign", "presign/arrivals", "agent/bedrock",
			"agent/bedrock/bedrocktest")),
		allows: not(under(aws...)),
	},
	{
		why:    "a test issuer can stand beside any service: the standard library and the library that signs tokens",
		from:   is("scope/oidc/oidctest"),
		allows: either(standard, under("github.com/golang-jwt/jwt/v5")),
		deep:   true,
	},
	{
		why:    "the agent is a loop over a model and tools: what tracks, streams or stores is put around it",
		from:   is("agent"),
		allows: not(either(own("tracking", "sse", "sse/replay", "scope/object/s3object", "presign", "agent/runner"), under(aws...))),
		deep:   true,
	},
	{
		why:    "a front-end protocol is a translation: what starts, stores and authorises runs is passed to it",
		from:   is("agent/agui", "agent/aisdk"),
		allows: either(standard, one("agent", "agent/internal/frontend", "agent/internal/runlog", "httpapi", "internal/strictjson", "sse", "sse/replay")),
	},
	{
		why:    "a tool is a function under a scope: it does not know what calls it",
		from:   is("tools", "tools/approval", "tools/objecttools", "tools/trackingtools", "tools/mcp"),
		allows: not(own("agent")),
		deep:   true,
	},
	{
		why:    "a stage is tracked whatever works on it",
		from:   is("tracking", "tracking/sweeper", "tracking/trackingtest"),
		allows: not(own("agent")),
		deep:   true,
	},
	{
		why:    "examples show the library; nothing is built on them",
		from:   func(string) bool { return true },
		allows: not(own("examples")),
		deep:   true,
	},
	{
		why:    "what speaks MCP is a nested module: nobody compiles its SDK with an agent or a tool",
		from:   not(is("tools/mcp")),
		allows: not(under("github.com/modelcontextprotocol/", "golang.org/x/oauth2", "github.com/segmentio/", "github.com/yosida95/")),
		deep:   true,
	},
	{
		why:  "agents, tools and events compile schemas, UUIDs, telemetry's API and texts, and nothing else from outside",
		from: is("agent", "tools", "tools/approval", "sse"),
		allows: either(standard, own("agent", "tools", "scope", "internal"), under("github.com/google/jsonschema-go/", "github.com/google/uuid",
			"golang.org/x/text/", "go.opentelemetry.io/otel", "github.com/cespare/xxhash/v2", "crypto/internal/")),
		deep: true,
	},
	{
		why:    "emulators, browsers, OCR and barcodes are for the examples, which are a module of their own",
		from:   func(string) bool { return true },
		allows: not(under("github.com/testcontainers/", "github.com/versity/", "github.com/makiuchi-d/", "github.com/chromedp/")),
		deep:   true,
	},
}

type goPackage struct {
	ImportPath    string
	Doc           string
	Imports, Deps []string
}

// Tests are not bound: they may stand on more.
func TestImportLaw(t *testing.T) {
	pkgs := slices.Concat(list(t, "."), list(t, "tools/mcp"))
	require.NotEmpty(t, pkgs)
	for _, p := range pkgs {
		for _, r := range rules {
			name := below(p.ImportPath)
			if !r.from(name) {
				continue
			}
			deps := p.Imports
			if r.deep {
				deps = slices.Concat(deps, p.Deps)
			}
			for _, dep := range deps {
				if dep != p.ImportPath && !r.allows(dep) {
					t.Errorf("%s must not import %s:\n\t%s", name, dep, r.why)
				}
			}
		}
	}
}

func TestImportLawCanFail(t *testing.T) {
	require.False(t, under(aws...)("fmt"))
	require.True(t, under(aws...)("github.com/aws/smithy-go"))
	require.True(t, standard("encoding/json"))
	require.False(t, standard("golang.org/x/text/unicode/norm"))
	require.True(t, own("agent")(module+"/agent/bedrock"))
	require.False(t, own("agent")(module+"/agentx"))
}

// A rule that names a package which does not exist would bind nothing.
func TestImportLawNamesExistingPackages(t *testing.T) {
	t.Parallel()
	src, err := os.ReadFile("deps_test.go")
	require.NoError(t, err)
	end := strings.Index(string(src), "type goPackage struct")
	require.Positive(t, end)
	names := 0
	for _, call := range regexp.MustCompile(`\b(?:is|own|one)\(([^)]*)\)`).FindAllSubmatch(src[:end], -1) {
		for _, name := range regexp.MustCompile(`"([^"]+)"`).FindAllSubmatch(call[1], -1) {
			require.DirExists(t, filepath.FromSlash(string(name[1])))
			names++
		}
	}
	require.Greater(t, names, 20)
}

func TestEveryPackageSaysWhatItIs(t *testing.T) {
	for _, p := range slices.Concat(listReleased(t), list(t, program), list(t, "examples")) {
		require.NotEmpty(t, p.Doc, "%s has no documentation", p.ImportPath)
	}
}

// The documents say which test shows what: each test that they name is there.
func TestDocumentsNameRealTests(t *testing.T) {
	there := map[string]bool{}
	require.NoError(t, fs.WalkDir(os.DirFS("."), ".", func(path string, _ fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		src, err := os.ReadFile(path)
		for _, m := range regexp.MustCompile(`(?m)^func ((?:Test|Fuzz)\w+)\(`).FindAllSubmatch(src, -1) {
			there[string(m[1])] = true
		}
		return err
	}))
	docs, err := filepath.Glob("docs/*.md")
	require.NoError(t, err)
	require.NotEmpty(t, docs)
	for _, doc := range append(docs, "README.md", "CONTRIBUTING.md", "SECURITY.md") {
		text, err := os.ReadFile(doc)
		require.NoError(t, err)
		for _, m := range regexp.MustCompile("`((?:Test|Fuzz)\\w+)`").FindAllSubmatch(text, -1) {
			require.True(t, there[string(m[1])], "%s names %s, which is no test", doc, m[1])
		}
	}
}

// list returns the packages of the module in dir.
func list(t *testing.T, dir string) (pkgs []goPackage) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", "list", "-json", "./...")
	cmd.Dir = dir
	out, err := cmd.Output()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		t.Fatalf("go list: %v\n%s", err, exit.Stderr)
	}
	require.NoError(t, err)
	d := json.NewDecoder(strings.NewReader(string(out)))
	for {
		var p goPackage
		err := d.Decode(&p)
		if errors.Is(err, io.EOF) {
			return pkgs
		}
		require.NoError(t, err)
		pkgs = append(pkgs, p)
	}
}

func below(path string) string {
	if path == module {
		return "."
	}
	return strings.TrimPrefix(path, module+"/")
}

type match = func(string) bool

func is(names ...string) match { return func(p string) bool { return slices.Contains(names, p) } }

// one matches packages of the module alone.
func one(names ...string) match { return func(dep string) bool { return is(names...)(below(dep)) } }

// own matches packages of the module and the packages below them.
func own(names ...string) match {
	return func(dep string) bool {
		return slices.ContainsFunc(names, func(n string) bool {
			return dep == module+"/"+n || strings.HasPrefix(dep, module+"/"+n+"/")
		})
	}
}

func under(prefixes ...string) match {
	return func(dep string) bool {
		return slices.ContainsFunc(prefixes, func(p string) bool { return strings.HasPrefix(dep, p) })
	}
}

func either(ms ...match) match {
	return func(dep string) bool { return slices.ContainsFunc(ms, func(m match) bool { return m(dep) }) }
}

func not(m match) match { return func(dep string) bool { return !m(dep) } }

// standard matches packages of the standard library, whose path does not have a dot in its first element.
func standard(dep string) bool {
	first, _, _ := strings.Cut(dep, "/")
	return !strings.Contains(first, ".") || strings.HasPrefix(dep, "vendor/golang.org/")
}
