// Package reader is the bookshelf's offline reader: an [agent.Model] that is a program, not a language model.
//
//	a, err := agent.New(reader.New(nil), &agent.Options{Tools: set})
//
// [Reader] looks at the conversation so far and takes the next of its fixed steps: scan the barcode, read the text on
// the cover, check the ISBN, look the book up, set the fields that it knows, and say what it could not find. It takes
// corrections in plain sentences ("the author is …", "it was published in 1999 by …", an ISBN), reads the cover again
// when asked to, and answers anything else with what it does understand. The same conversation always gets the same
// answer.
//
// It calls the tools of package booktools by name, where they are offered, each step at most once in a run, so every
// run ends. It invents nothing: what it sets comes from the photo, from the catalogue or from the person.
package reader
