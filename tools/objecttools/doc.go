// Package objecttools provides tools that let a model list, describe, read, search and sample files of any size within
// the scope of a run.
//
//	set, err := objecttools.Set(bucket, nil) // list_files, describe_file, read_chunk, search, sample
//	a, err := agent.New(model, &agent.Options{Tools: set})
//
// Use it when files are too large for a prompt, or when the model should choose what to read.
//
// # Files
//
// list_files returns a handle (f1, f2, …) for each file, and the other tools take handles. A handle stands for an
// [object.Ref] that is pinned to the listed version and stored in the conversation's [tools.State]. Each call resolves
// it in the call's scope, so the handles of a State from another scope are invalid, and an argument can't name another
// user's file. A handle keeps its meaning for the whole conversation. A conversation has at most 200 handles. If a file
// changes after it was listed, its handle and its cursors are rejected until the model lists the files again.
//
// If the host passes the tenant's shared data to the run (agent.Input.Shared), list_files lists it after the run's own
// files. The model sees the location of a file only as "upload" (in a session), "own" (of a user) or "shared".
//
// # Limits
//
// A call reads at most [Options].MaxScan bytes, lists at most 10,000 names, holds a few blocks of 128 KiB in memory
// and returns at most [Options].MaxResult bytes of JSON, whatever the size of the file. A search also has a budget of
// work: bytes scanned times the size of the compiled expression. Each result notes omissions and contains a cursor
// to continue. Every 8 MiB a call reports its progress ([tools.Call.Progress]) as
// {"file":"f1","read":8388608,"size":52428800}. A cursor encodes a position and a digest of the file, its version and
// the arguments. It is rejected with other arguments and for another file or version.
//
// # Formats
//
// Text is UTF-8, or UTF-16 with a byte order mark. If the first 8 KiB are not valid UTF-8, but have the single bytes of
// an 8-bit encoding, the file is assumed to be Windows-1252, which includes Latin-1, and each result notes that.
// Offsets count the bytes of the stored file, including the mark. Invalid bytes are counted and shown as U+FFFD. A
// single one in UTF-8, as in a file that was put together from two, is shown as its character in Windows-1252. Binary
// files (images, archives, PDF, files with a NUL near the beginning) can be described but not read.
//
// A line ends with LF, CRLF or a lone CR. CSV follows encoding/csv without LazyQuotes. The first row contains the
// column names, and the separator is detected from the first lines. A first line such as sep=; names the separator.
// Up to 10 rows before the table, such as its title, are left out and noted if the evidence is clear: they are mostly
// empty, and after them a row of names is followed by rows of data with as many fields. A malformed row is returned
// empty and reported with its offset; reading continues after its line. JSON Lines records are returned verbatim.
//
// The content of a file is returned in separate fields from the messages of the tools. The author of the agent must
// still expect a model to follow instructions that it reads in a file.
//
// # Tools of the host
//
// A tool of the host can take the same handles: [Lookup] resolves one in the scope of the call. [Assign] hands them
// out, so that a host can list files from its records; it then leaves list_files out with [tools.Set.Filter].
// [OpenRows] reads a whole file of rows, of any size and in constant memory, for tools that measure or query it.
//
// The package does not write files, does not read archives, images or PDFs, and does not evaluate queries.
package objecttools
