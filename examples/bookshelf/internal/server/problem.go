package server

import (
	"bytes"
	"encoding/json"
	"net/http"
)

// problem is an RFC 9457 problem. Its detail is shown to people.
type problem struct {
	Type   string `json:"type"`
	Title  string `json:"title"`
	Status int    `json:"status"`
	Detail string `json:"detail,omitempty"`
	Draft  any    `json:"draft,omitempty"` // of a conflict about a draft
	File   any    `json:"file,omitempty"`  // of a conflict about an upload: its record

	header http.Header
}

func (p *problem) Error() string { return p.Title + ": " + p.Detail }

func newProblem(status int, detail string) *problem {
	return &problem{Type: "about:blank", Title: http.StatusText(status), Status: status, Detail: detail}
}

// withHeader adds a header to the response.
func (p *problem) withHeader(name, value string) *problem {
	if p.header == nil {
		p.header = http.Header{}
	}
	p.header.Set(name, value)
	return p
}

func (p *problem) writeTo(w http.ResponseWriter) {
	for name, values := range p.header {
		w.Header()[name] = values
	}
	w.Header().Set("Content-Type", "application/problem+json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(p.Status)
	_ = json.NewEncoder(w).Encode(p)
}

func writeJSON(w http.ResponseWriter, v any) error {
	b, err := encodeJSON(v)
	if err != nil {
		return err
	}
	return writeBody(w, b)
}

// writeBody writes the body of a JSON response.
func writeBody(w http.ResponseWriter, b []byte) error {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	if _, err := w.Write(b); err != nil { //nolint:gosec // JSON, by its type and under nosniff
		return errGone
	}
	return nil
}

// encodeJSON does not escape & < >: the output is never embedded in HTML, and URLs stay readable.
func encodeJSON(v any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	err := enc.Encode(v)
	return b.Bytes(), err
}
