package web

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"
)

// The patterns exclude the test files of the modules.
//
//go:embed static/*.html static/assets/*.svg static/assets/css/*.css static/assets/js/*.js
var files embed.FS

// mediaTypeOf returns the media type of an embedded file by its extension. It
// returns false for an unknown extension.
func mediaTypeOf(name string) (string, bool) {
	switch path.Ext(name) {
	case ".html":
		return "text/html; charset=utf-8", true
	case ".css":
		return "text/css; charset=utf-8", true
	case ".js":
		return "text/javascript; charset=utf-8", true
	case ".svg":
		return "image/svg+xml", true
	}
	return "", false
}

// asset is one file with its headers.
type asset struct {
	body       []byte
	compressed []byte // the body as gzip, or nil if that is not smaller
	mediaType  string
	etag       string // without the quotes
}

// newAsset returns the asset of a file. It resets z, a compressor, which takes more memory than all assets.
func newAsset(name string, body []byte, z *gzip.Writer) (asset, error) {
	mediaType, ok := mediaTypeOf(name)
	if !ok {
		return asset{}, fmt.Errorf("%s: unknown file extension", name)
	}
	a := asset{body: body, mediaType: mediaType, etag: hash(body)}
	var compressed bytes.Buffer
	z.Reset(&compressed)
	_, _ = z.Write(body) // a bytes.Buffer returns no errors
	_ = z.Close()
	if compressed.Len() < len(body) {
		a.compressed = compressed.Bytes()
	}
	return a, nil
}

// hash returns a short text of URL characters that differs for other parts.
func hash(parts ...[]byte) string {
	h := sha256.New()
	for _, part := range parts {
		fmt.Fprintf(h, "%d:", len(part))
		h.Write(part)
	}
	return base64.RawURLEncoding.EncodeToString(h.Sum(nil)[:12])
}

// readFiles returns the embedded files by their names under static.
func readFiles() (map[string][]byte, error) {
	all := map[string][]byte{}
	root, err := fs.Sub(files, "static")
	if err != nil {
		return nil, err
	}
	err = fs.WalkDir(root, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		all[name], err = fs.ReadFile(root, name)
		return err
	})
	return all, err
}

// versionOf returns the version of the assets: it changes with each of them.
func versionOf(all map[string][]byte) string {
	var parts [][]byte
	for name, body := range all {
		if strings.HasPrefix(name, "assets/") {
			parts = append(parts, []byte(name+"\n"+string(body)))
		}
	}
	slices.SortFunc(parts, bytes.Compare)
	return hash(parts...)
}

var entryScript = regexp.MustCompile(`(?m)^ *<script type="module" src="/assets/js/([^"]+)"></script>\n`)

// bundlePage replaces the scripts of a page by one, which it adds to all files.
func bundlePage(name string, all map[string][]byte) error {
	page := all[name]
	scripts := entryScript.FindAllSubmatch(page, -1)
	if len(scripts) == 0 {
		return nil
	}
	var modules []string
	for _, m := range scripts {
		modules = append(modules, string(m[1]))
	}
	body, err := bundleModules(modules, all)
	if err != nil {
		return err
	}
	bundle := "assets/pages/js/" + strings.TrimSuffix(name, ".html") + ".js"
	all[bundle] = body
	tag := fmt.Sprintf("  <script type=\"module\" src=\"/%s\"></script>\n", bundle)
	isFirst := true
	all[name] = entryScript.ReplaceAllFunc(page, func([]byte) []byte {
		if !isFirst {
			return nil
		}
		isFirst = false
		return []byte(tag)
	})
	return nil
}

// rewritePage returns a page that refers to the assets of a version.
func rewritePage(page []byte, version string) []byte {
	return bytes.ReplaceAll(page, []byte(`"/assets/`), []byte(`"/assets/`+version+`/`))
}
