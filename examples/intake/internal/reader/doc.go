// Package reader is a deterministic [agent.Model] for development and tests: it takes in files and answers simple
// questions about them by fixed rules.
//
//	model := reader.New(nil)
//
// It is not a language model, and says so in its first answer. To take in a file it calls list_files, sample,
// profile_file and record_profile, and recognises the kind of data with package kinds. It understands a few forms of
// questions, such as "total quantity by supplier in shipments" or "how many late orders in June 2026", by a grammar
// that the type parser has, and answers everything else with a list of them. Names and values of several words may be
// in quotes. It does not know what day it is, and refuses questions about last month. It asks all files that a
// question names, up to a limit, says which it leaves out, and adds their results if the function allows it. If one of
// the files has a column as codes or as dates, it asks the others to read theirs in the same way.
//
// It reads nothing but the request: its steps follow from the results of the calls so far. Text in files is only
// compared with lists of words, so instructions in it are ignored.
package reader
