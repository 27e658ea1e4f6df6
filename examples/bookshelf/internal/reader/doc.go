// Package reader is the bookshelf's offline reader: an [agent.Model] that is a program, not a language model.
//
//	a, err := agent.New(reader.New(nil), &agent.Options{Tools: set})
//
// [Reader] takes the next of its fixed steps in a conversation: scan the barcode, read the text on the cover, check the
// ISBN, look the book up, set the fields, and report the missing ones. It accepts corrections in plain sentences ("the
// author is …", "it was published in 1999 by …", an ISBN) and reads the cover again on request. It answers any other
// message with a short help text. The same conversation always gets the same answer.
//
// With the tools of package librarytools, Reader answers questions about the accepted books: it lists, finds and
// describes them, and asks to share one ("list my books", "books by …", "tell me about …", "share number 2").
//
// Reader calls the offered tools by name. It takes each step at most once in a run, so every run
// ends. Each value that it sets comes from the photo, from the catalogue or from the person.
package reader
