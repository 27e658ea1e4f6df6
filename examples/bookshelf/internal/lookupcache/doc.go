// Package lookupcache keeps the answers of a source of books in a table.
//
//	cached, err := lookupcache.New(source, tb.System(), nil)
//	…
//	set, err := booktools.Tools(landing, &booktools.Options{Books: cached})
//
// An answer is one item in the partition of the caller's tenant, so no tenant can find out from an answer, or from how
// long it takes, what another has looked up. The users of a tenant share its answers. Books are kept for thirty days,
// and the absence of a book for one. Errors are not kept. The items are small, and the rate of the source limits their
// number.
//
// The package owns the sort keys "lookup#{d}" in the partition of a tenant. The d is a digest of the source's name and
// of the question, which is not stored.
package lookupcache
