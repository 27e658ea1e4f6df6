package reader

import (
	"cmp"
	"encoding/json"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/carrel-go/carrel/examples/intake/internal/intaketools"
	"github.com/carrel-go/carrel/examples/intake/internal/kinds"
)

// maxPages is the number of pages of each search that the reader looks at.
const maxPages = 10

// search is the arguments of a list_files call and the pages that it has returned.
type search struct {
	Kind    string `json:"kind,omitempty"`
	Match   string `json:"match,omitempty"`
	purpose string
	pages   int
	next    string
}

const forNames = "for names"

// searches returns the searches that find the files of a question: by kind and by a part of the name. A question that
// groups or has conditions also needs the files of suppliers, which may have the names or the column.
func (q question) searches() (list []search) {
	if q.in == "" {
		return []search{{}}
	}
	if kind := kindOf(q.in); kind != "" && !q.inQuoted {
		list = append(list, search{Kind: string(kind)})
	}
	list = append(list, search{Match: q.in})
	if q.by != "" || len(q.where) > 0 {
		names := search{Kind: string(kinds.Suppliers), purpose: forNames}
		if list[0].Kind != names.Kind {
			list = append(list, names)
		}
	}
	return list
}

// found is the files that the searches of a question have found.
type found struct {
	intaketools.Files
	suppliers []intaketools.ListedFile // for joins
	// choice is a sentence about the meaning of the words that name the files, and about the files that are left out. It
	// is empty if the words are the name of a file.
	choice string
}

// search returns the files of the question, or the next step towards them.
func (c *conversation) search(q question) (*found, *answer) {
	out, searches := new(found), q.searches()
	for _, m := range c.find(intaketools.ListFiles) {
		if m.uploadID() != "" {
			continue // see addColumns
		}
		page, ok := decode[intaketools.Files](&m)
		if !ok {
			return nil, &answer{text: "I could not list the files: " + c.problem(&m) + "."}
		}
		var asked search
		_ = json.Unmarshal(m.use.Input, &asked) // the reader has written it
		i := slices.IndexFunc(searches, func(s search) bool { return s.Kind == asked.Kind && s.Match == asked.Match })
		if i < 0 {
			continue
		}
		searches[i].pages++
		searches[i].next = page.Next
		out.add(&page, searches[i].purpose)
	}
	next := answer{}
	for _, s := range searches {
		if s.pages == 0 {
			next.text = c.introduction() + "I look at your files.\n\n"
		}
		if s.pages == 0 || s.next != "" && s.pages < maxPages {
			next.calls = append(next.calls, call{intaketools.ListFiles, s.args()})
		} else if s.purpose != forNames {
			out.Next = cmp.Or(out.Next, s.next)
		}
	}
	if len(next.calls) > 0 {
		return nil, &next
	}
	out.choose(q)
	c.addColumns(out)
	return out, nil
}

// args returns the arguments of the next call.
func (s *search) args() map[string]any {
	args := map[string]any{}
	for name, value := range map[string]string{"kind": s.Kind, "match": s.Match, "cursor": s.next} {
		if value != "" {
			args[name] = value
		}
	}
	return args
}

// choose keeps the files that the words of the question name. A kind that is not in quotes counts more than a
// name, a whole name more than one without its extension, and that more than a part of a name.
func (l *found) choose(q question) {
	all := l.Files.Files
	if q.in == "" || len(all) == 0 {
		return
	}
	kind := kindOf(q.in)
	isKind := func(f intaketools.ListedFile) bool { return f.Kind == kind && kind != "" && !q.inQuoted }
	isName := func(f intaketools.ListedFile) bool { return strings.EqualFold(f.Name, q.in) }
	isStem := func(f intaketools.ListedFile) bool {
		return strings.EqualFold(strings.TrimSuffix(f.Name, path.Ext(f.Name)), q.in)
	}
	switch {
	case slices.ContainsFunc(all, isKind):
		others := l.keep(isKind)
		if len(others) > 0 {
			l.choice = fmt.Sprintf("I take “%s” as a kind of data. I leave out %s with “%s” in the name only: %s. Put a name "+
				"in quotes to ask that file.", q.in, plural(len(others), "file"), q.in, joinSome(others, ", "))
		}
	case slices.ContainsFunc(all, isName):
		l.keep(isName)
	case slices.ContainsFunc(all, isStem):
		others := l.keep(isStem)
		if len(others) > 0 {
			l.choice = fmt.Sprintf("I leave out %s with “%s” as a part of the name: %s.", plural(len(others), "file"), q.in,
				joinSome(others, ", "))
		}
	case len(all) == 1:
		l.choice = fmt.Sprintf("No file has the name “%s”. I take the one with that in its name: %q.", q.in, all[0].Name)
	default:
		l.choice = fmt.Sprintf("No file has the name “%s”. I take the %d files with that in their names.", q.in, len(all))
	}
}

// keep removes the other files, and returns their names.
func (l *found) keep(isKept func(intaketools.ListedFile) bool) (others []string) {
	var kept []intaketools.ListedFile
	for _, f := range l.Files.Files {
		if isKept(f) {
			kept = append(kept, f)
		} else {
			others = append(others, fmt.Sprintf("%q", f.Name))
		}
	}
	l.Files.Files = kept
	return others
}

// add adds the files of a page. A shared file is a copy of an upload, with the same id, and does not count twice.
func (l *found) add(page *intaketools.Files, purpose string) {
	for _, f := range page.Files {
		if f.Kind == kinds.Suppliers && f.File != "" {
			l.suppliers = append(l.suppliers, f)
		}
		isKnown := slices.ContainsFunc(l.Files.Files, func(k intaketools.ListedFile) bool { return k.UploadID == f.UploadID })
		if purpose != forNames && !isKnown {
			l.Files.Files = append(l.Files.Files, f)
		}
	}
	for _, note := range page.Notes {
		if !slices.Contains(l.Notes, note) {
			l.Notes = append(l.Notes, note)
		}
	}
}

// addColumns replaces the listed columns of files by those of the lists of single files.
func (c *conversation) addColumns(l *found) {
	for _, m := range c.find(intaketools.ListFiles) {
		one, ok := decode[intaketools.Files](&m)
		if !ok || m.uploadID() == "" || len(one.Files) != 1 {
			continue
		}
		for i := range l.Files.Files {
			if f := &l.Files.Files[i]; f.UploadID == one.Files[0].UploadID {
				f.Columns, f.MoreColumns = one.Files[0].Columns, one.Files[0].MoreColumns
			}
		}
	}
}

// uploadID returns the upload that a call of list_files names, or "".
func (m *made) uploadID() string {
	var asked struct {
		ID string `json:"upload_id"`
	}
	_ = json.Unmarshal(m.use.Input, &asked) // the reader has written it
	return asked.ID
}

// tellNotFound returns a sentence about words that do not name a file, and how far the reader has looked.
func tellNotFound(l *found, words string) string {
	if words == "" {
		return "You have not taken in any files yet, and nothing is shared with you."
	}
	text := fmt.Sprintf("I do not find a file or a kind %q.", words)
	if l.Next != "" {
		text += " I have not looked at your oldest uploads, because there are too many."
	}
	return text + " “list my files” shows what I can read."
}
