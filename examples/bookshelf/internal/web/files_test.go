package web_test

import (
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
)

// readServedFiles returns the files of the pages by their names under static.
func readServedFiles(t *testing.T) map[string]string {
	t.Helper()
	out := map[string]string{}
	root := os.DirFS("static")
	require.NoError(t, fs.WalkDir(root, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || slices.Contains([]string{".mjs", ".json"}, path.Ext(name)) {
			return err
		}
		b, err := fs.ReadFile(root, name)
		out[name] = string(b)
		return err
	}))
	require.Contains(t, out, "index.html")
	return out
}

var (
	// reference matches a resource in an attribute, an import, a url() or a fetch.
	reference     = regexp.MustCompile(`(?:\b(?:src|href)="|\bfrom "|\bimport\("|\burl\(["']?|href", ` + "`" + `)([^"'` + "`" + `)#$]+)`)
	comment       = regexp.MustCompile(`(?m)^\s*(//|/?\*).*$`)
	foreignURL    = regexp.MustCompile(`(?:[a-z]+:)?//[A-Za-z0-9\[]`)
	elementID     = regexp.MustCompile(`\bid="([^"]+)"`)
	elementLookup = regexp.MustCompile(`\bbyId\("([^"]+)"\)`)
	moduleImport  = regexp.MustCompile(`(?m)^import .* from "\./([^"]+)";$`)
)

func TestEveryReferenceIsServed(t *testing.T) {
	t.Parallel()
	h := newPages(t, nil)
	count := 0
	for name, text := range readServedFiles(t) {
		for _, m := range reference.FindAllStringSubmatch(text, -1) {
			target := m[1]
			if strings.HasPrefix(target, "./") {
				target = path.Join("/", path.Dir(name), target)
			}
			require.Equal(t, http.StatusOK, sendRequest(h, http.MethodGet, target).StatusCode, "%s refers to %s", name, m[1])
			count++
		}
	}
	require.Greater(t, count, 30, "the pattern no longer finds the references")
}

func TestPagesLoadNothingFromOtherSites(t *testing.T) {
	t.Parallel()
	for name, text := range readServedFiles(t) {
		code := strings.ReplaceAll(text, "http://www.w3.org/2000/svg", "") // a name that the browser does not load
		if path.Ext(name) == ".js" || path.Ext(name) == ".css" {
			code = comment.ReplaceAllString(code, "")
		}
		require.Empty(t, foreignURL.FindAllString(code, -1), name)
	}
}

// The content security policy would block them in the browser.
func TestPagesHaveNoInlineScriptOrMarkupFromStrings(t *testing.T) {
	t.Parallel()
	inline := regexp.MustCompile(`(?i)<style|\sstyle="|\son[a-z]+="|javascript:|<script(?:\s+type="module")?>`)
	markup := regexp.MustCompile(`innerHTML|outerHTML|insertAdjacentHTML|document\.write|DOMParser|createContextualFragment|setHTML|\beval\(|new Function`)
	for name, text := range readServedFiles(t) {
		switch path.Ext(name) {
		case ".html", ".svg":
			require.Empty(t, inline.FindAllString(text, -1), name)
		case ".js":
			require.Empty(t, markup.FindAllString(text, -1), name)
		}
	}
}

// A module requests an element with byId, which throws if the element is missing.
func TestEveryRequestedElementExists(t *testing.T) {
	t.Parallel()
	files := readServedFiles(t)
	for page, entry := range map[string]string{
		"index.html": "desk.js", "ops.html": "ops.js", "shelf.html": "shelf.js", "book.html": "book.js",
		"chat.html": "chat.js",
	} {
		ids := map[string]bool{}
		for _, m := range elementID.FindAllStringSubmatch(files[page], -1) {
			require.False(t, ids[m[1]], "%s has #%s twice", page, m[1])
			ids[m[1]] = true
		}
		todo, seen := []string{entry}, map[string]bool{}
		for len(todo) > 0 {
			name := todo[0]
			todo = todo[1:]
			if seen[name] {
				continue
			}
			seen[name] = true
			text, ok := files["assets/js/"+name]
			require.True(t, ok, name)
			for _, m := range elementLookup.FindAllStringSubmatch(text, -1) {
				require.True(t, ids[m[1]], "%s requests #%s, which %s does not have", name, m[1], page)
			}
			for _, m := range moduleImport.FindAllStringSubmatch(text, -1) {
				todo = append(todo, m[1])
			}
		}
		require.Greater(t, len(seen), 5)
	}
}

// Editors and reviews show 120 columns. The tests of intake in the browser belong to intake.
func TestModulesFitIn120Columns(t *testing.T) {
	t.Parallel()
	count := 0
	for _, pattern := range []string{
		"static/assets/js/*.js", "static/assets/js/*.mjs", "../lan/*.js", "../../../browser/*.mjs",
	} {
		files, err := filepath.Glob(pattern)
		require.NoError(t, err)
		require.NotEmpty(t, files, pattern)
		for _, name := range files {
			if strings.HasPrefix(filepath.Base(name), "intake") && strings.Contains(name, "browser") {
				continue
			}
			text, err := os.ReadFile(name)
			require.NoError(t, err)
			for i, line := range strings.Split(string(text), "\n") {
				require.LessOrEqual(t, utf8.RuneCountInString(line), 120, "%s:%d", name, i+1)
			}
			count++
		}
	}
	require.Greater(t, count, 100)
}

// The tests of the modules need node.
func TestModulesPassTheirOwnTests(t *testing.T) {
	t.Parallel()
	node, err := exec.LookPath("node")
	if err != nil {
		t.Skip("node is not installed: the tests of the ES modules are not run")
	}
	version, err := exec.CommandContext(t.Context(), node, "--version").Output()
	require.NoError(t, err)
	var major int
	_, err = fmt.Sscanf(string(version), "v%d.", &major)
	require.NoError(t, err, "%q", version)
	if major < 20 {
		t.Skipf("node %s is older than 20: the tests of the ES modules are not run", strings.TrimSpace(string(version)))
	}
	cmd := exec.CommandContext(t.Context(), node, "--test")
	cmd.Dir = "static/assets/js"
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", out)
	require.Regexp(t, `(?m)^. tests [1-9]`, string(out))
}
