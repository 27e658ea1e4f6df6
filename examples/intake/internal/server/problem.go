package server

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strings"

	"github.com/carrel-go/carrel/internal/strictjson"
)

// maxBody is the longest request body in bytes.
const maxBody = 1 << 20

// errGone is returned if the client has disconnected.
var errGone = errors.New("server: the client has gone")

// problem is an RFC 9457 problem. Its detail is shown to people.
type problem struct {
	Type   string `json:"type"`
	Title  string `json:"title"`
	Status int    `json:"status"`
	Detail string `json:"detail,omitempty"`

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

// writeJSON writes v. It does not escape & < >: the output is never embedded in HTML, and URLs stay readable.
func writeJSON(w http.ResponseWriter, v any) error {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	if _, err := w.Write(b.Bytes()); err != nil {
		return errGone
	}
	return nil
}

// readBody reads a JSON object into fields and rejects unknown names. A null value leaves its field unchanged, as an
// absent one does.
func readBody(w http.ResponseWriter, r *http.Request, fields map[string]any) error {
	media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || media != "application/json" {
		return newProblem(http.StatusUnsupportedMediaType, "The body must be application/json.")
	}
	b, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if _, tooLarge := errors.AsType[*http.MaxBytesError](err); tooLarge {
		return newProblem(http.StatusRequestEntityTooLarge, fmt.Sprintf("The body is longer than %d bytes.", maxBody))
	}
	if err != nil {
		return newProblem(http.StatusBadRequest, "The body is incomplete.")
	}
	v, err := strictjson.ParseObject(b)
	if err != nil {
		return newProblem(http.StatusBadRequest, "The body is "+err.Error()+".")
	}
	for name, value := range v.Members() {
		into, ok := fields[name]
		if !ok {
			return newProblem(http.StatusBadRequest, fmt.Sprintf("The body has the unknown field %.60q.", name))
		}
		if err := json.Unmarshal(value.Raw(), into); err != nil {
			return newProblem(http.StatusBadRequest, fmt.Sprintf("The field %q has a value of the wrong type.", name))
		}
	}
	return nil
}

// idempotencyKey returns the request's Idempotency-Key, or "".
func idempotencyKey(r *http.Request) (string, error) {
	keys := r.Header.Values("Idempotency-Key")
	if len(keys) == 0 {
		return "", nil
	}
	isUnprintable := func(c rune) bool { return c < '!' || c > '~' }
	if key := keys[0]; len(keys) == 1 && key != "" && len(key) <= 256 && !strings.ContainsFunc(key, isUnprintable) {
		return key, nil
	}
	return "", newProblem(http.StatusBadRequest,
		"The header Idempotency-Key must have 1 to 256 printable ASCII characters and no spaces.")
}
