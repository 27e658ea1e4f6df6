package web

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/carrel-go/carrel/httpapi"
)

// Options configures [Handler]. Nil means the defaults.
type Options struct {
	// ConnectSrc lists other origins to which the pages may send requests: the
	// S3 endpoint in the URLs of grants, for example "http://127.0.0.1:9000".
	// If empty, the browser blocks uploads to other origins.
	ConnectSrc []string
	// ImgSrc lists other origins from which the pages may load images: the S3
	// endpoint in the links to photos.
	ImgSrc []string
}

// pageServer serves the assets by URL path.
type pageServer struct {
	policy    string
	versioned string // the prefix of the assets' URLs in the pages, which changes with them
	byPath    map[string]asset
	notFound  asset
}

// Handler serves the pages and their assets: "/", "/shelf", "/shelf/{id}", "/chat",
// "/chat/{id}", "/ops" and "/assets/…". Other paths answer 404, as a page if the
// client accepts HTML, otherwise as application/problem+json. Methods other than GET and HEAD answer 405.
//
// Responses have a strong ETag with Cache-Control: no-cache, so that browsers
// revalidate each time, and a content security policy. The pages refer to the
// assets by URLs with a hash of all assets, which browsers keep forever. The
// modules of a page are one file. Clients that accept gzip receive it.
//
// It returns [ErrOrigin] if an entry of o.ConnectSrc or o.ImgSrc is not an origin. The
// Handler is safe for concurrent use and holds all files in memory.
func Handler(o *Options) (http.Handler, error) {
	if o == nil {
		o = &Options{}
	}
	csp, err := contentPolicy(o.ConnectSrc, o.ImgSrc)
	if err != nil {
		return nil, err
	}
	p := &pageServer{policy: csp, byPath: map[string]asset{}}
	all, err := readFiles()
	if err != nil {
		return nil, fmt.Errorf("web: read the embedded files: %w", err)
	}
	for _, name := range slices.Collect(maps.Keys(all)) {
		if strings.HasSuffix(name, ".html") {
			if err := bundlePage(name, all); err != nil {
				return nil, fmt.Errorf("web: %w", err)
			}
		}
	}
	version := versionOf(all)
	p.versioned = "/assets/" + version + "/"
	z, err := gzip.NewWriterLevel(io.Discard, gzip.BestCompression)
	if err != nil {
		return nil, fmt.Errorf("web: %w", err)
	}
	for name, body := range all {
		if strings.HasSuffix(name, ".html") {
			body = rewritePage(body, version)
		}
		a, err := newAsset(name, body, z)
		if err != nil {
			return nil, fmt.Errorf("web: %w", err)
		}
		switch name {
		case "index.html":
			p.byPath["/"] = a
		case "404.html":
			p.notFound = a
		case "book.html":
			p.byPath[bookPath] = a
		default:
			p.byPath["/"+strings.TrimSuffix(name, ".html")] = a
		}
	}
	return p, nil
}

// bookPath stands for the paths of all books.
const bookPath = "/shelf/{id}"

// pagePath returns the key of a page: the path, or that of the page of all things that have an id.
func pagePath(urlPath string) string {
	for prefix, key := range map[string]string{"/shelf/": bookPath, "/chat/": "/chat"} {
		if id, ok := strings.CutPrefix(urlPath, prefix); ok && id != "" && !strings.Contains(id, "/") {
			return key
		}
	}
	return urlPath
}

// ServeHTTP implements [http.Handler].
func (p *pageServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Security-Policy", p.policy)
	h.Set("X-Content-Type-Options", "nosniff")
	// Requests of the pages keep their Origin, which cross-origin protection
	// needs. Other sites do not get a referrer, since the URL of the desk contains
	// the id of an upload.
	h.Set("Referrer-Policy", "same-origin")
	// Over plain http, browsers ignore this policy and report that as an error. They send Sec-Fetch-Dest to trustworthy
	// origins only (Fetch Metadata Request Headers, section 2).
	if r.Header.Get("Sec-Fetch-Dest") != "" {
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
	}

	urlPath, caching := r.URL.Path, "no-cache"
	if name, ok := strings.CutPrefix(urlPath, p.versioned); ok {
		urlPath, caching = "/assets/"+name, "public, max-age=31536000, immutable"
	}
	a, ok := p.byPath[pagePath(urlPath)]
	if !ok {
		p.serveNotFound(w, r)
		return
	}
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		h.Set("Allow", "GET, HEAD")
		detail := r.Method + " is not allowed: the pages accept only GET and HEAD."
		httpapi.NewProblem(http.StatusMethodNotAllowed, detail).Write(w)
		return
	}
	h.Set("Content-Type", a.mediaType)
	h.Set("Cache-Control", caching)
	h.Set("Vary", "Accept-Encoding")
	body, tag := a.body, a.etag
	if a.compressed != nil && acceptsGzip(r.Header) {
		body, tag = a.compressed, a.etag+"-gzip"
		h.Set("Content-Encoding", "gzip")
	}
	h.Set("ETag", `"`+tag+`"`)
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(body))
}

// acceptsGzip reports whether a client accepts gzip by name, as all browsers do.
func acceptsGzip(h http.Header) bool {
	for _, line := range h.Values("Accept-Encoding") {
		for one := range strings.SplitSeq(line, ",") {
			coding, weight, _ := strings.Cut(one, ";")
			weight = strings.ReplaceAll(weight, " ", "")
			if strings.EqualFold(strings.TrimSpace(coding), "gzip") {
				return strings.Trim(strings.TrimPrefix(weight, "q="), "0.") != "" || weight == ""
			}
		}
	}
	return false
}

func (p *pageServer) serveNotFound(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet || !strings.Contains(r.Header.Get("Accept"), "text/html") {
		httpapi.NewProblem(http.StatusNotFound, "This page does not exist.").Write(w)
		return
	}
	h := w.Header()
	h.Set("Content-Type", p.notFound.mediaType)
	h.Set("Cache-Control", "no-store")
	w.WriteHeader(http.StatusNotFound)
	_, _ = w.Write(p.notFound.body) // ignore errors: the browser may have disconnected
}
