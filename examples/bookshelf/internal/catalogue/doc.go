// Package catalogue contains the small library catalogue of the example. A [Catalogue] has about twenty-five published
// books and finds them by ISBN, or by title and author.
//
//	c, err := catalogue.New()
//	…
//	b, ok := c.ByISBN("0486284735")
//	hits := c.Search("PRIDE AND\nPREJUDlCE", "J. Austen")
//
// Each [Book] is one edition with its ISBN, publisher and year. The facts are public, and the descriptions were written
// for this example. [Catalogue.Search] tolerates misread text. It is not a general search engine.
// [Rank] applies the same rules to books of another source.
package catalogue
