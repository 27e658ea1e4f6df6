// Package openlibrary finds books in Open Library, the catalogue of the Internet Archive, over HTTPS.
//
//	books, err := openlibrary.New("librarian@example.com", nil)
//	…
//	set, err := booktools.Tools(landing, &booktools.Options{Books: books})
//
// A [Client] is a source for package booktools. [Client.ByISBN] reads the record of the edition, to which
// /isbn/{isbn}.json redirects, and those of its work and its authors. [Client.Search] reads /search.json; its books are
// works, so they do not have an ISBN, a publisher or a year.
//
// # Fair use
//
// Open Library asks programs to name a contact in their User-Agent, and refuses others. It allows them three requests a
// second. A Client makes two a second, at most three at a time, in turns by tenant. If the service refuses a request or
// fails three times in a row, the Client does not ask again for 30 seconds, or for as long as Retry-After says. Package
// lookupcache keeps answers.
//
// # Trust
//
// Requests go to the host openlibrary.org only, redirects included, and not through a proxy. Their variable parts are
// an ISBN, a key of a fixed form, or escaped values of the query. An answer has at most 2 MB of JSON. Its texts are
// never interpreted; those that a field of package book would reject are left out, long descriptions are shortened, and
// a year that is not certain ("1995?") is left out. An answer without a title, or for another ISBN, is an error.
package openlibrary
