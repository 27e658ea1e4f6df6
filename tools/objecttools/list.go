package objecttools

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/carrel-go/carrel/scope/object"
	"github.com/carrel-go/carrel/tools"
)

const (
	defaultListed = 50 // the schema says it too, and that 200 is the most
	// maxMatch is how long a search for names may be, in bytes: no name is longer.
	maxMatch = 255
	// maxLooked is how many files a call looks at: a match that is rare would otherwise have it go through all there are.
	maxLooked = 10_000
)

const listDescription = "Lists the files that are there, with a short handle (f1, f2, …) for each. " +
	"The other tools take the handle. Sizes are in bytes. Narrow a long list with match."

type listIn struct {
	Match  string `json:"match,omitempty" jsonschema:"only files whose name contains this text, in upper or lower case"`
	Limit  *int   `json:"limit" jsonschema:"how many files at most, 1 to 200; default 50" min:"1" max:"200"`
	Cursor string `json:"cursor,omitempty" jsonschema:"the cursor of the list so far, to go on behind it; with the same match"`
}

// fileList is the result of list_files.
type fileList struct {
	Files  []listedFile `json:"files"`
	Notes  []string     `json:"notes,omitempty"`
	Cursor string       `json:"cursor,omitempty"` // where more follow
}

// listedFile is a file in a [fileList].
type listedFile struct {
	File     string `json:"file"` // the handle
	Name     string `json:"name"`
	Place    string `json:"place"` // "upload", "own" or "shared"
	Size     int64  `json:"size"`  // in bytes
	Modified string `json:"modified,omitempty"`
	Changed  bool   `json:"changed,omitempty"` // since the conversation listed it before
}

// Summary implements [tools.Summarizer].
func (l fileList) Summary() string {
	s := fmt.Sprintf("%d files", len(l.Files))
	if len(l.Files) == 1 {
		s = "1 file"
	}
	if l.Cursor != "" {
		s += ", and more follow"
	}
	return s
}

func (d *desk) list(ctx context.Context, c *tools.Call, in listIn) (fileList, error) {
	limit := or(in.Limit, defaultListed)
	if len(in.Match) > maxMatch {
		return fileList{}, tools.Correct(fmt.Sprintf("match is longer than %d bytes, and so than any name", maxMatch))
	}
	roots, err := d.roots(c)
	if err != nil {
		return fileList{}, err
	}
	bind := fmt.Sprintf("%q %q", d.bucket.Name(), in.Match)
	for _, root := range roots {
		bind += fmt.Sprintf(" %q", root.Scope().Prefix())
	}
	var after object.Ref
	if in.Cursor != "" {
		if after, err = d.after(c, roots, bind, in.Cursor); err != nil {
			return fileList{}, err
		}
	}

	l := fileList{Files: []listedFile{}}
	var refs []object.Ref
	var last, stop object.Ref // the last one looked at; where the call stops though nothing was found there
	looked := 0
	room, more := room{d.maxResult - frame}, false
	match := strings.ToLower(in.Match)
	for e, err := range listAfter(ctx, roots, after) {
		if _, ok := errors.AsType[*object.KeyError](err); ok {
			continue // it is nobody's file, so there is nothing to name it by
		}
		if err != nil {
			return fileList{}, fmt.Errorf("objecttools: %w", err)
		}
		if looked++; looked > maxLooked {
			stop = last
			break
		}
		last = e.Ref
		if !strings.Contains(strings.ToLower(e.Ref.Name()), match) {
			continue
		}
		f := listedFile{Name: e.Ref.Name(), Place: place(e.Ref), Size: e.Info.Size}
		if !e.Info.Modified.IsZero() {
			f.Modified = e.Info.Modified.UTC().Format(time.RFC3339)
		}
		if len(refs) == limit || !room.take(cost(f.Name)+140) {
			more = true
			break
		}
		l.Files, refs = append(l.Files, f), append(refs, e.Ref)
	}
	given, stopped, err := d.remember(c.State(), refs, stop)
	if err != nil && !errors.Is(err, errFull) {
		return fileList{}, err
	}
	l.Files = l.Files[:len(given)]
	for i, g := range given {
		l.Files[i].File, l.Files[i].Changed = g.handle, g.changed
	}
	switch {
	case err != nil:
		l.Notes = append(l.Notes, fmt.Sprintf("more files are there, but only %d may have a handle in one conversation, and all of these have been given", d.maxFiles))
	case stopped != nil:
		l.Cursor = writeCursor(cursorStop, bind+string(stopped))
		l.Notes = append(l.Notes, fmt.Sprintf("the call has looked at %d files, and more follow: go on with the cursor", maxLooked))
	case more:
		l.Cursor = writeCursor(cursorList, bind, indexOf(given[len(given)-1].handle))
		l.Notes = append(l.Notes, fmt.Sprintf("the list stopped after %d files: more follow, go on with the cursor", len(given)))
	}
	return l, nil
}

// after gives the file behind which a list goes on. A cursor is the handle of that file or, where it has none, stands for
// the one that the conversation remembers: a name does not go into a cursor.
func (d *desk) after(c *tools.Call, roots []*object.Root, bind, cursor string) (object.Ref, error) {
	if _, at, err := readCursor(cursor, bind, 1, string(rune(cursorList))); err == nil {
		_, ref, err := d.lookup(c, handleOf(int(at[0])))
		return ref, err
	}
	m, err := recall(c)
	if err != nil {
		return object.Ref{}, err
	}
	if _, _, err := readCursor(cursor, bind+string(m.Stop), 0, string(rune(cursorStop))); err != nil {
		return object.Ref{}, err
	}
	_, ref, err := object.ParseRef(m.Stop, roots...)
	if err != nil {
		return object.Ref{}, errCursor()
	}
	return ref, nil
}

// or is an optional number, which the schema has checked, or its default.
func or(v *int, def int) int {
	if v == nil {
		return def
	}
	return *v
}
