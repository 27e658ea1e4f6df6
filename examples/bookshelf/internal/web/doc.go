// Package web contains the bookshelf's pages: plain HTML, CSS and ES modules,
// embedded in the binary. They have no build step and load nothing from
// other sites.
//
// [Handler] serves them:
//
//	pages, err := web.Handler(&web.Options{ConnectSrc: []string{"http://127.0.0.1:9000"}})
//	if err != nil { … }
//	mux.Handle("/", pages)
//
// There are two pages. "/" is the desk: it uploads a photo of a cover directly
// to S3 with a grant and streams the reader's text, tool calls and values. A
// person corrects and accepts them. "/ops" shows every upload with its stages,
// times and errors. Both use only the server's HTTP interface.
//
// The package itself does not authenticate, store or proxy anything. The pages
// insert texts from the server or a file as text, never as markup. Handler's
// content security policy enforces that.
package web
