// Package web serves intake's page and its assets, with a content security policy that allows only them and uploads to
// the storage.
package web

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"fmt"
	"io/fs"
	"net/http"
	"net/url"
	"path"
	"strings"
	"time"
)

// The patterns leave out the tests of the modules.
//
//go:embed static/*.html static/*.css static/*.js static/*.svg
var embedded embed.FS

// asset is an embedded file.
type asset struct {
	body      []byte
	mediaType string
	etag      string
}

// Handler serves the page at "/" and the assets at "/assets/…". Browsers revalidate them each time. storage is the
// origin to which the page may upload. Other paths answer 404.
func Handler(storage string) (http.Handler, error) {
	u, err := url.Parse(storage)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || storage != u.Scheme+"://"+u.Host ||
		strings.ContainsAny(u.Host, " ;,'\"*") {
		return nil, fmt.Errorf("web: %q is not an origin", storage)
	}
	policy := strings.Join([]string{
		"default-src 'none'", "script-src 'self'", "style-src 'self'", "img-src 'self'", "connect-src 'self' " + storage,
		"base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'", "require-trusted-types-for 'script'",
		"trusted-types 'none'",
	}, "; ")
	assets := map[string]asset{}
	types := map[string]string{
		".html": "text/html; charset=utf-8", ".css": "text/css; charset=utf-8",
		".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml",
	}
	err = fs.WalkDir(embedded, "static", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		body, err := embedded.ReadFile(name)
		if err != nil {
			return err
		}
		sum := sha256.Sum256(body)
		at := "/assets/" + path.Base(name)
		if path.Base(name) == "index.html" {
			at = "/"
		}
		assets[at] = asset{body, types[path.Ext(name)], `"` + base64.RawURLEncoding.EncodeToString(sum[:12]) + `"`}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("web: read the embedded files: %w", err)
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", policy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "same-origin")
		if r.Header.Get("Sec-Fetch-Dest") != "" { // is only sent to trustworthy origins; others may not have the policy
			h.Set("Cross-Origin-Opener-Policy", "same-origin")
		}
		a, ok := assets[r.URL.Path]
		switch {
		case !ok:
			http.Error(w, "This page does not exist.", http.StatusNotFound)
			return
		case r.Method != http.MethodGet && r.Method != http.MethodHead:
			h.Set("Allow", "GET, HEAD")
			http.Error(w, "This page takes GET.", http.StatusMethodNotAllowed)
			return
		}
		h.Set("Content-Type", a.mediaType)
		h.Set("Cache-Control", "no-cache")
		h.Set("ETag", a.etag)
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(a.body))
	}), nil
}
