// Package catalogue is a small library catalogue that ships with the example: a [Catalogue] of about twenty-five
// published books, looked up by ISBN or by title and author.
//
//	c, err := catalogue.New()
//	…
//	b, ok := c.ByISBN("0486284735")
//	hits := c.Search("PRIDE AND\nPREJUDlCE", "J. Austen")
//
// Each [Book] is one edition with its ISBN, publisher and year. The facts are public, and the descriptions were written
// for this example. [Catalogue.Search] tolerates scanner errors. It is not a general search engine.
package catalogue
