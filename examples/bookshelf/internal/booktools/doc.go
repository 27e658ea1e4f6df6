// Package booktools are the tools with which a model reads a book's cover and fills in its metadata.
//
//	set, err := booktools.Tools(landing, nil)
//	…
//	a, err := agent.New(model, &agent.Options{System: booktools.System, Tools: set})
//
// [Tools] gives five of them, each with a plain struct as its result:
//
//   - scan_barcode looks for an EAN-13 on the uploaded photo: [Barcode].
//   - read_cover reads the text on it with tesseract, where that program is installed: [CoverText].
//   - check_isbn checks an ISBN's digits: [ISBNCheck].
//   - look_up_book asks the catalogue, by ISBN or by title and author: [Lookup].
//   - set_field sets one field of the metadata: its result is a [book.Update].
//
// The photo is the upload of the call's scope. No argument names it, so a model cannot ask for another. Package photo
// reads it within bounds of memory; a file that is not a whole PNG or JPEG ends the run with a message for a person.
//
// The tools keep nothing: set_field only checks a value and echoes it, and whoever watches the run folds the results.
package booktools
