// Package catalogue is a small library catalogue that ships with the example: a [Catalogue] of about twenty-five
// published books, looked up by ISBN or by title and author.
//
//	c, err := catalogue.New()
//	…
//	b, ok := c.ByISBN("0486284735")
//	hits := c.Search("PRIDE AND\nPREJUDlCE", "J. Austen")
//
// Each [Book] is one edition: ISBN, publisher and year belong together. The facts are public, the descriptions are
// our own words. [Catalogue.Search] forgives what a scanner does to text; it is no general search engine, and a book
// that is not in the list is simply not found.
package catalogue
