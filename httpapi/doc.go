// Package httpapi has the parts that the HTTP interface of every service on carrel needs: errors as problems of
// RFC 9457, strict JSON bodies, and a guard against pages of other sites.
//
//	mux.Handle("/api/notes", &httpapi.Endpoint{
//		Methods:  []string{http.MethodPost},
//		Answer:   addNote,        // func(http.ResponseWriter, *http.Request) error
//		Describe: runner.Problem, // what a client may see of the errors of carrel's packages
//		Log:      log,
//	})
//	server := &http.Server{Handler: &httpapi.Guard{Next: mux, Protected: "/api/"}}
//
// A function that answers a request returns a [*Problem] if the client may see the error. The causes of other errors go
// to the log alone.
//
// # Not included
//
// The package does not route requests, does not know who sends them, and does not limit how many there are. See
// [http.ServeMux], package oidc and package admission.
package httpapi
