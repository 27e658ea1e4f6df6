package lan

import (
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"html/template"
	"net/http"
)

//go:embed page.html
var pageText string

//go:embed page.css
var pageStyle string

//go:embed page.js
var pageScript string

// page is the page on which a person enters the code. It loads nothing.
var page = template.Must(template.New("code").Parse(pageText))

// pagePolicy allows exactly the style and the script of the page.
var pagePolicy = "default-src 'none'; img-src data:; style-src '" + digest(pageStyle) + "'; " +
	"script-src '" + digest(pageScript) + "'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

func digest(text string) string {
	sum := sha256.Sum256([]byte(text))
	return "sha256-" + base64.StdEncoding.EncodeToString(sum[:])
}

func writePage(w http.ResponseWriter, status int, message string) {
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", pagePolicy)
	h.Set("Cache-Control", "no-store")
	h.Set("Referrer-Policy", "same-origin") // with none, the form would not have an Origin
	h.Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	_ = page.Execute(w, struct { // the client may have disconnected
		Message string
		Style   template.CSS
		Script  template.JS
	}{message, template.CSS(pageStyle), template.JS(pageScript)}) //nolint:gosec // both are embedded files
}
