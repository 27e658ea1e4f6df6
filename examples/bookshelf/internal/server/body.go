package server

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strings"

	"github.com/carrel-go/carrel/internal/strictjson"
)

// maxBody is the longest request body in bytes: the longest metadata with room for the fields around it.
const maxBody = 80 << 10

// readBody reads a JSON object into fields and rejects unknown names. A null value leaves its field unchanged, as an
// absent one does.
func readBody(w http.ResponseWriter, r *http.Request, fields map[string]any) error {
	media, params, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	charset := params["charset"]
	isUTF8 := charset == "" || strings.EqualFold(charset, "utf-8")
	if err != nil || media != "application/json" || !isUTF8 {
		return newProblem(http.StatusUnsupportedMediaType, "The body must be application/json.")
	}
	if r.Header.Get("Content-Encoding") != "" {
		return newProblem(http.StatusUnsupportedMediaType, "The body must not be encoded.")
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

// parseQuery returns the parameters of the request's URL. It rejects repeated ones.
func parseQuery(r *http.Request) (url.Values, error) {
	q, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return nil, newProblem(http.StatusBadRequest, "The query of the URL is malformed.")
	}
	for name, values := range q {
		if len(values) > 1 {
			return nil, newProblem(http.StatusBadRequest, fmt.Sprintf("The parameter %.60q is given twice.", name))
		}
	}
	return q, nil
}

// upperFirst returns an error's text with its first letter in upper case.
func upperFirst(s string) string {
	if s == "" {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:]
}
