package intaketools

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/carrel-go/carrel/examples/intake/internal/files"
	"github.com/carrel-go/carrel/examples/intake/internal/kinds"
	"github.com/carrel-go/carrel/examples/intake/internal/profile"
	"github.com/carrel-go/carrel/scope/object"
	"github.com/carrel-go/carrel/tools"
	"github.com/carrel-go/carrel/tools/objecttools"
)

const listDescription = "List the files that the person took in, newest first, and then those that the tenant " +
	"shares. Each has a handle such as f1 for the other tools, its kind of data, its state and its columns. Use " +
	"upload_id to find one upload with the names of up to 250 columns, and kind or match (a part of the name) to " +
	"narrow the list. If the result has next, pass it as cursor. Examples: {}, " +
	"{\"kind\": \"shipments\"}, {\"match\": \"march\"}."

const (
	listLimit     = 20
	listedColumns = 40 // names of columns of a file in a list of several
	maxScanned    = 20 // pages of a narrowed list that one call looks at
)

type listIn struct {
	UploadID string  `json:"upload_id,omitempty" jsonschema:"the id of one upload, from the message" maxlen:"64"`
	Kind     *string `json:"kind" jsonschema:"only files of this kind" enum:"shipments,inventory,purchase_orders,suppliers,bill_of_materials,sales_orders,invoices,products,unknown"`
	Match    string  `json:"match,omitempty" jsonschema:"only files whose name contains this text; ignores case" maxlen:"200"`
	Cursor   string  `json:"cursor,omitempty" jsonschema:"next from the previous page, with the same other arguments" maxlen:"2000"`
}

// Files is the result of list_files.
type Files struct {
	Files []ListedFile `json:"files"`
	Notes []string     `json:"notes,omitempty"`
	Next  string       `json:"next,omitempty"`
}

// ListedFile is a file in a list.
type ListedFile struct {
	File     string     `json:"file,omitempty"` // the handle; empty before the upload has arrived
	UploadID string     `json:"upload_id"`
	Name     string     `json:"name"`
	Owner    string     `json:"owner"` // "you" or "the tenant"
	State    string     `json:"state"`
	Kind     kinds.Kind `json:"kind"`
	Rows     int64      `json:"rows,omitempty"`
	Size     int64      `json:"size,omitempty"` // in bytes, of a file with a report
	// IsProfiled reports that the file has a report.
	IsProfiled bool     `json:"is_profiled,omitempty"`
	Columns    []string `json:"columns,omitempty"`
	// MoreColumns is the number of columns that are not listed.
	MoreColumns int `json:"more_columns,omitempty"`
	// Roles are those of columns whose recorded meanings show another role than their names.
	Roles map[string]kinds.Role `json:"roles,omitempty"`
	// Codes are the columns whose values are compared as texts, and Dates those that have dates.
	Codes []string `json:"codes,omitempty"`
	Dates []string `json:"dates,omitempty"`
	// DateColumn is the only column whose values are dates, or empty.
	DateColumn string `json:"date_column,omitempty"`
	// RepeatsSuppliers reports that several rows have the same supplier.
	RepeatsSuppliers bool `json:"repeats_suppliers,omitempty"`
}

// CanJoin reports whether the file is small enough to be the other file of a join.
func (f *ListedFile) CanJoin() bool { return f.Rows <= MaxJoinedRows && f.Size <= MaxJoinedRead }

// The values of ListedFile.Owner.
const (
	OwnerYou    = "you"
	OwnerTenant = "the tenant"
)

// Summary implements [tools.Summarizer].
func (l Files) Summary() string {
	s := profile.CountOf(int64(len(l.Files)), "file", "files")
	if l.Next != "" {
		s += ", and there may be more"
	}
	return s
}

func (b *toolbox) listFiles(ctx context.Context, c *tools.Call, in listIn) (Files, error) {
	v, err := b.open(c)
	if err != nil {
		return Files{}, err
	}
	out := Files{Files: []ListedFile{}}
	var found []files.File
	switch {
	case in.UploadID != "":
		f, err := v.Get(ctx, in.UploadID)
		if errors.Is(err, files.ErrNotFound) {
			const message = "upload_id: %.64q does not exist; call list_files without it"
			return Files{}, tools.Correct(fmt.Sprintf(message, in.UploadID))
		}
		if err != nil {
			return Files{}, err
		}
		found = []files.File{f}
	default:
		var err error
		if found, out.Next, err = scan(ctx, v, in); err != nil {
			return Files{}, err
		}
		if in.Cursor == "" {
			shared, hasMore, err := v.ListShared(ctx)
			if err != nil {
				return Files{}, err
			}
			if hasMore {
				out.Notes = append(out.Notes, "the tenant shares more files than are listed")
			}
			found = append(found, shared...)
		}
	}
	if in.UploadID == "" {
		out.Notes = append(out.Notes, sameNotes(found)...)
	}
	return out, b.fill(c, &out, found, in)
}

// scan returns the next files of the person and the cursor after them. If the list is narrowed, it looks at further
// pages until enough files match, at most maxScanned of them.
func scan(ctx context.Context, v *files.View, in listIn) (found []files.File, next string, err error) {
	next = in.Cursor
	pages := maxScanned
	if in.Kind == nil && in.Match == "" {
		pages = 1
	}
	for range pages {
		page, err := v.List(ctx, next, listLimit)
		if errors.Is(err, files.ErrInvalid) {
			return nil, "", tools.Correct("cursor: must be next from a previous result of the same call, or absent")
		}
		if err != nil {
			return nil, "", err
		}
		next = page.Next
		for _, f := range page.Files {
			if in.matches(&f) {
				found = append(found, f)
			}
		}
		if next == "" || len(found) >= listLimit {
			break
		}
	}
	return found, next, nil
}

func (in listIn) matches(f *files.File) bool {
	isKind := in.Kind == nil || string(f.Kind()) == *in.Kind
	return isKind && strings.Contains(strings.ToLower(f.Name), strings.ToLower(in.Match))
}

// fill adds the files that match, with handles.
func (b *toolbox) fill(c *tools.Call, out *Files, found []files.File, in listIn) error {
	var refs []object.Ref
	columns := listedColumns
	if in.UploadID != "" {
		columns = files.MaxColumns
	}
	for _, f := range found {
		if !in.matches(&f) {
			continue
		}
		out.Files = append(out.Files, newListedFile(f, columns))
		if !f.Ref.IsZero() {
			refs = append(refs, f.Ref)
		}
	}
	handles, err := objecttools.Assign(c, refs...)
	if err != nil && !errors.Is(err, objecttools.ErrFull) {
		return fmt.Errorf("intaketools: %w", err)
	}
	if err != nil {
		out.Notes = append(out.Notes, "the conversation has too many files: those without a handle cannot be read in it")
	}
	next := 0
	for i := range out.Files {
		if next < len(handles) && out.Files[i].File == pending {
			out.Files[i].File = handles[next]
			next++
		} else {
			out.Files[i].File = ""
		}
	}
	return nil
}

// pending marks a file that will get a handle.
const pending = "?"

func newListedFile(f files.File, columns int) ListedFile {
	l := ListedFile{UploadID: f.ID, Name: f.Name, Owner: OwnerYou, State: StateOf(&f), Kind: f.Kind()}
	if f.Shared {
		l.Owner = OwnerTenant
	}
	if !f.Ref.IsZero() {
		l.File = pending
	}
	if f.Report == nil {
		return l
	}
	l.IsProfiled = true
	l.Rows, l.Size = f.Report.Profile.Rows, f.Report.Size
	for _, column := range f.Report.Profile.Columns[:min(len(f.Report.Profile.Columns), columns)] {
		l.Columns = append(l.Columns, column.Name)
	}
	l.Roles = recordedRoles(f.Report, l.Columns)
	l.DateColumn = onlyDate(&f.Report.Profile)
	for _, column := range l.Columns {
		c := f.Report.Profile.Column(column)
		switch {
		case c.Type == profile.Date:
			l.Dates = append(l.Dates, column)
		case c.Type == profile.Text || c.Spelled:
			l.Codes = append(l.Codes, column)
		}
		isSupplier := l.RoleOf(column) == kinds.SupplierID
		l.RepeatsSuppliers = l.RepeatsSuppliers || isSupplier && c.Distinct < l.Rows-c.Missing
	}
	l.MoreColumns = f.Report.Profile.HasColumns - len(l.Columns)
	return l
}

// onlyDate returns the only column whose values are dates, or "".
func onlyDate(p *profile.Profile) (name string) {
	for i := range p.Columns {
		if p.Columns[i].Type != profile.Date {
			continue
		}
		if name != "" {
			return ""
		}
		name = p.Columns[i].Name
	}
	if p.HasColumns > len(p.Columns) {
		return ""
	}
	return name
}

// StateOf returns the state of a file in words.
func StateOf(f *files.File) string {
	switch {
	case f.Shared:
		return "shared by the tenant"
	case f.Copied:
		return "confirmed, and shared with the tenant"
	case f.Report.IsConfirmed():
		return "confirmed"
	case f.Stopped:
		return "stopped"
	case f.NotTable:
		return "not a table, cannot be taken in"
	case f.Failure != "":
		return "failed"
	case f.Report.IsRecorded():
		return "waiting for you to confirm"
	case f.Ref.IsZero():
		return "not uploaded yet"
	case f.Stage == files.Profiled && f.State == "running":
		return "being read"
	}
	return "uploaded, not read yet"
}
