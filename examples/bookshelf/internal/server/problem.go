package server

import (
	"bytes"
	"encoding/json"
	"net/http"

	"github.com/carrel-go/carrel/httpapi"
)

// problem is an error that a client may see. Its detail is shown to people.
type problem = httpapi.Problem

func newProblem(status int, detail string) *problem { return httpapi.NewProblem(status, detail) }

// maxBody is the longest request body in bytes: the longest metadata with room for the fields around it.
const maxBody = 80 << 10

func readBody(w http.ResponseWriter, r *http.Request, fields map[string]any) error {
	return httpapi.ReadFields(w, r, maxBody, fields)
}

// encodeJSON does not escape & < >: the output is never embedded in HTML, and URLs stay readable.
func encodeJSON(v any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	err := enc.Encode(v)
	return b.Bytes(), err
}
