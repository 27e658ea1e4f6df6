package server

import (
	"net/http"

	"github.com/carrel-go/carrel/httpapi"
)

// problem is an error that a client may see. Its detail is shown to people.
type problem = httpapi.Problem

func newProblem(status int, detail string) *problem { return httpapi.NewProblem(status, detail) }

// maxBody is the longest request body in bytes.
const maxBody = 1 << 20

func readBody(w http.ResponseWriter, r *http.Request, fields map[string]any) error {
	return httpapi.ReadFields(w, r, maxBody, fields)
}
