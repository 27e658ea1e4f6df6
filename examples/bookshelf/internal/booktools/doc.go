// Package booktools contains the tools that let a model read a book's cover and fill in its metadata.
//
//	set, err := booktools.Tools(landing, nil)
//	…
//	a, err := agent.New(model, &agent.Options{System: booktools.System, Tools: set})
//
// [Tools] returns five tools, each with a plain struct as its result:
//
//   - scan_barcode looks for an EAN-13 on the uploaded photo: [Barcode].
//   - read_cover reads the text on it with tesseract, if it is installed: [CoverText]. It turns the photo if that finds
//     more text, and separates lines that are probably misread.
//   - check_isbn checks an ISBN's digits: [ISBNCheck].
//   - look_up_book finds a book in a [Source] by ISBN or by title and author: [Lookup].
//   - set_field sets one field of the metadata: its result is a [book.Update].
//
// The photo is the upload of the call's scope. It is not an argument, so a model cannot request another one. Package
// photo limits the memory for reading it. A file that is not a complete PNG, JPEG or WebP ends the run with a message
// for a person.
//
// The [Source] of look_up_book is the small catalogue of the example unless another one is set. Its books are facts of
// another party: set_field names the source as the origin of a value that equals one of them.
//
// The tools keep nothing but these facts: set_field only checks a value and returns it. The caller applies the results,
// for example with [Draft].
package booktools
