// Package web contains the bookshelf's pages: plain HTML, CSS and ES modules,
// embedded in the binary. The pages do not need a build step and do not load
// anything from other sites.
//
// [Handler] serves them:
//
//	pages, err := web.Handler(&web.Options{ConnectSrc: []string{"http://127.0.0.1:9000"}})
//	if err != nil { … }
//	mux.Handle("/", pages)
//
// "/" is the desk. It uploads a photo of a cover directly
// to S3 with a grant, and shows the reader's text, tool calls and values as they
// arrive. A person corrects and accepts the values. "/shelf" lists the
// accepted books and searches them, and "/shelf/{id}" is the page of one book, with
// its versions. "/chat" and "/chat/{id}" are a conversation with the reader about
// these books. "/ops" shows every upload with its stages, times and errors. All of
// them use only the server's HTTP interface.
//
// The pages refer to their assets by URLs with a hash of all assets, so browsers
// load each version once. When it is created, [Handler] bundles the modules of each
// page into one file, and computes the hash and the compressed files.
//
// The package does not authenticate, store or proxy anything. The pages insert
// text from the server or from a file as text, never as markup. The content
// security policy of [Handler] enforces that.
package web
