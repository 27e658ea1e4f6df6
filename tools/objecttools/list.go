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
	// defaultListed and the maximum of 200 are also in the schema of listArgs.
	defaultListed = 50
	// maxMatch is the length of the longest match in bytes. Names are not longer.
	maxMatch = 255
	// maxLooked is the number of files that a call looks at, so that a rare match does not visit all files.
	maxLooked = 10_000
	// listedCost is the cost of a listed file without its name.
	listedCost = 140
)

const listDescription = "List the files that you can read. Each file has a handle, such as f1, that the other tools " +
	"take. Sizes are in bytes. Use match to narrow a long list, for example {\"match\": \".csv\"}."

type listArgs struct {
	Match  string `json:"match,omitempty" jsonschema:"list only files whose name contains this text; ignores case; for example .csv"`
	Limit  *int   `json:"limit" jsonschema:"the number of files to list, 1 to 200; default 50" min:"1" max:"200"`
	Cursor string `json:"cursor,omitempty" jsonschema:"the cursor of the previous result, to continue the list; use the same match"`
}

// fileList is the result of list_files.
type fileList struct {
	Files  []listedFile `json:"files"`
	Notes  notes        `json:"notes,omitempty"`
	Cursor string       `json:"cursor,omitempty"`
}

type listedFile struct {
	File     string `json:"file"` // the handle
	Name     string `json:"name"`
	Place    string `json:"place"` // "upload", "own" or "shared"
	Size     int64  `json:"size"`
	Modified string `json:"modified,omitempty"`
	Changed  bool   `json:"changed,omitempty"` // since the conversation last listed it
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

// foundFiles is the outcome of looking through the roots.
type foundFiles struct {
	files   []listedFile
	refs    []object.Ref // of files, and of the last file looked at if the call may not look at more
	hasMore bool
}

func (ts *toolset) listFiles(ctx context.Context, c *tools.Call, args listArgs) (fileList, error) {
	if len(args.Match) > maxMatch {
		return fileList{}, tools.Correct(fmt.Sprintf("match must be at most %d bytes, for example .csv", maxMatch))
	}
	roots, err := ts.openRoots(c)
	if err != nil {
		return fileList{}, err
	}
	binding := fmt.Sprintf("list %q %q", ts.bucket.Name(), args.Match)
	for _, root := range roots {
		binding += fmt.Sprintf(" %q", root.Scope().Prefix())
	}
	var after object.Ref
	if args.Cursor != "" {
		at, err := parseCursor(args.Cursor, binding, 1)
		if err != nil {
			return fileList{}, err
		}
		if _, after, err = ts.lookupFile(c, formatHandle(int(at[0]))); err != nil {
			return fileList{}, invalidCursor()
		}
	}
	found, err := ts.findFiles(ctx, roots, after, args)
	if err != nil {
		return fileList{}, err
	}
	assigned, isFull, err := assignHandles(c.State(), found.refs)
	if err != nil {
		return fileList{}, err
	}
	l := fileList{Files: found.files[:min(len(assigned), len(found.files))]}
	for i := range l.Files {
		l.Files[i].File, l.Files[i].Changed = assigned[i].handle, assigned[i].changed
	}
	switch {
	case isFull:
		l.Notes.add("there are more files, but only %d files may have a handle in one conversation, and all handles are "+
			"in use",
			maxFiles)
		return l, nil
	case len(found.refs) > len(found.files):
		l.Notes.add("looked at %d files, and more follow: continue with the cursor", maxLooked)
	case found.hasMore:
		l.Notes.add("the list stopped after %d files, and more follow: continue with the cursor", len(assigned))
	default:
		return l, nil
	}
	l.Cursor = encodeCursor(binding, int64(parseHandle(assigned[len(assigned)-1].handle)))
	return l, nil
}

// findFiles collects matching files until the limit, the size of the result or maxLooked is reached.
func (ts *toolset) findFiles(ctx context.Context, roots []*object.Root, after object.Ref,
	args listArgs) (foundFiles, error) {
	limit, match := valueOr(args.Limit, defaultListed), strings.ToLower(args.Match)
	found := foundFiles{files: []listedFile{}}
	left, looked := ts.resultBudget(), 0
	var last object.Ref
	for e, err := range listRoots(ctx, roots, after) {
		if _, ok := errors.AsType[*object.KeyError](err); ok {
			continue // an object with an invalid key is outside every scope
		}
		if err != nil {
			return foundFiles{}, fmt.Errorf("objecttools: %w", err)
		}
		if looked++; looked > maxLooked {
			found.refs = append(found.refs, last)
			break
		}
		last = e.Ref
		if !strings.Contains(strings.ToLower(e.Ref.Name()), match) {
			continue
		}
		f := listedFile{
			Name: e.Ref.Name(), Place: fileLocation(e.Ref), Size: e.Info.Size, Modified: formatTime(e.Info.Modified),
		}
		if len(found.refs) == limit || !left.take(jsonCost(f.Name)+listedCost) {
			found.hasMore = true
			break
		}
		found.files, found.refs = append(found.files, f), append(found.refs, e.Ref)
	}
	return found, nil
}

// valueOr returns an optional argument, which the schema has checked, or its default.
func valueOr(v *int, def int) int {
	if v == nil {
		return def
	}
	return *v
}

func formatTime(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}
