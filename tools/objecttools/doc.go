// Package objecttools lets a model work on files of any size: tools that list, describe, read, search and sample the
// objects that lie within the scope of a run. If the host has given the run the data that its tenant shares
// (agent.Input.Shared), its files are listed after the run's own, and read in the same way.
//
//	set, err := objecttools.Set(bucket, nil) // list_files, describe_file, read_chunk, search, sample
//	a, err := agent.New(model, &agent.Options{Tools: set})
//
// A model names a file by a handle, f1 or f2, that list_files has given it. The handle stands for a Ref, pinned to what
// was listed, in the conversation's [tools.State]; it is resolved inside the scope of each call, so a State that comes
// from elsewhere gives nothing, and no argument could name another's file. A handle stays the same for as long as the
// conversation lasts. A file that has changed since it was listed is not read: the model is told to list again, and its
// cursors end. What the model is told of a file's place names nobody: "upload" (of a session), "own" (of a user) or
// "shared".
//
// No call reads more than Options.MaxScan bytes, looks at more than 10,000 names, holds more than a few blocks of 128
// KiB, or gives more than Options.MaxResult bytes of JSON, whatever the file's size. A search has a budget of work (bytes
// scanned times the size of the expression) and looks at its context between two matches. Each result says what was left
// out, and gives a cursor to go on: a short text that holds the position and a digest of the file, its content and the
// question, so that it is of no use elsewhere.
//
// Text is UTF-8, or UTF-16 with a byte order mark. Offsets are bytes of the file as it is stored, the mark included;
// the text itself begins behind it. A byte that is no text is shown as U+FFFD and counted. What is not text (an image,
// an archive, a PDF, a file with NUL near its beginning) is described and not read; an 8-bit encoding can't be told
// from others, so none is guessed.
//
// A line ends with LF, CRLF or a lone CR. Rows of CSV are what encoding/csv reads, without lazy quotes, after the first
// row, which gives the columns; the separator is told by the beginning of the file. A malformed row is empty and
// reported with its place, and reading goes on behind its line. Records of JSON Lines are given as they stand; numbers
// keep all their digits. What a file says comes to the model in fields of its own, apart from what the tools say; that a
// model does not take it for an instruction is for the agent's author to see to.
//
// What the package does not do: it writes nothing, reads no archives, images or PDFs, and evaluates no queries.
package objecttools
