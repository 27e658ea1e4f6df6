// Package web holds the bookshelf's pages: plain HTML, CSS and ES modules,
// embedded in the binary, without a build step and without anything that is
// loaded from elsewhere.
//
// [Handler] serves them:
//
//	pages, err := web.Handler(&web.Options{ConnectSrc: []string{"http://127.0.0.1:9000"}})
//	if err != nil { … }
//	mux.Handle("/", pages)
//
// There are two pages. "/" is the desk: a photo of a cover goes straight to S3
// with a grant, the reader's text, tool calls and values stream in beside it,
// and a person corrects and accepts. "/ops" shows every upload, its stages,
// times and errors. Both speak to the server's HTTP interface alone.
//
// The package knows nothing of that interface's other side: it signs nobody
// in, keeps nothing, and proxies nothing. The pages set every text that comes
// from the server or from a file as text, never as markup; the content
// security policy that Handler sends forbids anything else.
package web
