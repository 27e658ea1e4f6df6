package server

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
)

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
