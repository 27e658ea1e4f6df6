// Package library keeps the accepted books of the bookshelf: the rows of a user and those that a tenant shares, with
// the versions of each book.
//
//	s, err := library.New(t, raw, landing, tracker, nil)
//	…
//	err = s.Announce(ctx, session)  // before the accept ends the record of the upload
//	err = s.Add(ctx, session)       // afterwards
//	v, err := s.Open(user, shared)  // in a request: what this user may see
//	page, err := v.List(ctx, &library.ListOptions{Text: "austen", Limit: 20})
//
// # Rows
//
// A book has the id of its upload, so its row is named by it and rows sort by the time of the upload. A row has the
// whole metadata, so a list does not need a second read for each book. The package owns these sort keys:
//
//	book#<id>      the user's partition    an accepted book
//	book#<id>      the shared partition    the copy of a book that the tenant shares
//	accept#<id>    the user's partition    an accept or a correction that may not be complete
//
// # Accepting
//
// An accept ends the record of the upload in one place and puts the row in another. Announce precedes the end and
// leaves a note. Add reads the accepted book from the record and its metadata.json, puts the row with table.Absent and
// deletes the note. If the process dies in between, the next List, Count or Get of the user finds the note and does the
// same.
//
// From then on, the title of the upload is that of the row. Its copy in the record, the label [TitleLabel], is what
// lists of uploads show and search. A correction of the title leaves a note in the same way, and changes the label
// after the row.
//
// # Versions
//
// Version 1 is the accepted metadata.json. A correction writes the next version as a separate object and then puts
// the row, on condition that the row still has the version that the person has seen. Of two corrections of one version,
// the other one is a *[ConflictError]; its object remains unused. Shared copies are objects named by the book and the
// version, which are written once.
//
// # Thumbnails
//
// The thumbnail of a photo is an object in the scope of the book that is written once, when somebody asks for it. Its
// name has the id of the photo. A photo that can never be decoded has an empty one.
//
// # Limits
//
// A list or a search reads at most [MaxExamined] rows of the user and of the tenant, then returns a cursor. Searches of
// one process are served to tenants in turn. A book has at most [MaxVersions] versions.
//
// The package does not decide who may share: it is given a shared scope with the right to write, or without it. It does
// not remove books.
package library
