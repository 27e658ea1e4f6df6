package web

import (
	"fmt"
	"path"
	"strings"

	"github.com/evanw/esbuild/pkg/api"
)

// bundleModules returns one module with the given modules of a page and all that they import, so that a browser
// requests one file instead of dozens. The modules are run in the given order, each once. It only removes white space
// and shortens syntax: names stay, for the stack of an error.
func bundleModules(names []string, all map[string][]byte) ([]byte, error) {
	var entry strings.Builder
	for _, name := range names {
		fmt.Fprintf(&entry, "import %q;\n", "./"+name)
	}
	embedded := api.Plugin{Name: "embedded", Setup: func(b api.PluginBuild) {
		b.OnResolve(api.OnResolveOptions{Filter: ".*"}, func(a api.OnResolveArgs) (api.OnResolveResult, error) {
			return api.OnResolveResult{Path: path.Join("assets/js", a.Path), Namespace: "embedded"}, nil
		})
		b.OnLoad(api.OnLoadOptions{Filter: ".*"}, func(a api.OnLoadArgs) (api.OnLoadResult, error) {
			body, ok := all[a.Path]
			if !ok {
				return api.OnLoadResult{}, fmt.Errorf("%s: unknown module", a.Path)
			}
			text := string(body)
			return api.OnLoadResult{Contents: &text, Loader: api.LoaderJS}, nil
		})
	}}
	result := api.Build(api.BuildOptions{
		Stdin:  &api.StdinOptions{Contents: entry.String()},
		Bundle: true, Format: api.FormatESModule, Target: api.ESNext, Charset: api.CharsetUTF8,
		MinifyWhitespace: true, MinifySyntax: true, LegalComments: api.LegalCommentsNone,
		Plugins: []api.Plugin{embedded}, LogLevel: api.LogLevelSilent,
	})
	for _, problem := range result.Errors {
		return nil, fmt.Errorf("bundle %s: %s", strings.Join(names, ", "), problem.Text)
	}
	return result.OutputFiles[0].Contents, nil
}
