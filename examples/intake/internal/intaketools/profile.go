package intaketools

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/carrel-go/carrel/examples/intake/internal/files"
	"github.com/carrel-go/carrel/examples/intake/internal/kinds"
	"github.com/carrel-go/carrel/examples/intake/internal/profile"
	"github.com/carrel-go/carrel/tools"
	"github.com/carrel-go/carrel/tools/objecttools"
)

const (
	profileDescription = "Measure a whole file: rows, and for each column its type, range, missing, wrong and negative " +
		"values, formats of dates and distinct values; duplicate rows. It reads every byte, so call sample first and tell " +
		"the person what you see. The result is stored, and a second call returns it. Example: {\"file\": \"f1\"}."
	getDescription = "Return the stored report of a file: the measured profile, and kind, summary and meanings of " +
		"columns if they are recorded. Example: {\"file\": \"f1\"}."
	recordDescription = "Record what a file of the person is, once, after profile_file: its kind, a summary for the " +
		"person, and the business meaning of columns. Example: {\"file\": \"f1\", \"kind\": \"shipments\", \"summary\": " +
		"\"12,000 shipments of 2026. 40 rows have no carrier.\", \"columns\": [{\"name\": \"eta\", \"meaning\": \"day when " +
		"the goods should arrive\"}]}."
)

// shownColumns is the number of columns in a result.
const shownColumns = 60

type fileIn struct {
	File string `json:"file" jsonschema:"the handle of the file, from list_files, for example f1"`
}

// Report is the result of profile_file, get_profile and record_profile.
type Report struct {
	File  string `json:"file"`
	Name  string `json:"name"`
	State string `json:"state"`
	// Shown is a sentence about the columns in the result, if those are not all of the report.
	Shown string `json:"columns_shown,omitempty"`
	files.Report
}

// Summary implements [tools.Summarizer].
func (r Report) Summary() string {
	p := &r.Profile
	rows, columns := profile.CountOf(p.Rows, "row", "rows"), profile.CountOf(int64(p.HasColumns), "column", "columns")
	what := fmt.Sprintf("%s: %s, %s", r.Name, rows, columns)
	if r.IsRecorded() {
		what = fmt.Sprintf("%s: %s, %s", r.Name, r.Kind.Label(), rows)
	}
	return what
}

func newReport(handle string, f files.File) Report {
	r := Report{File: handle, Name: f.Name, State: StateOf(&f), Report: *f.Report}
	if n := len(r.Profile.Columns); n > shownColumns {
		r.Profile.Columns = r.Profile.Columns[:shownColumns]
		r.Shown = fmt.Sprintf("this result has only the first %d of %d columns", shownColumns, n)
	}
	return r
}

func (b *toolbox) profileFile(ctx context.Context, c *tools.Call, in fileIn) (Report, error) {
	v, f, err := b.find(ctx, c, in.File)
	if err != nil {
		return Report{}, err
	}
	if f.Report == nil {
		if run := runOf(ctx); run == "" || f.Run != run {
			return Report{}, notClaimed(in.File)
		}
		measured, err := b.measure(ctx, c, in.File)
		if err != nil {
			return Report{}, err
		}
		if err := noteSameContent(ctx, v, f.ID, measured); err != nil {
			return Report{}, err
		}
		if f.Report, err = v.Measure(ctx, f.ID, runOf(ctx), measured); err != nil {
			return Report{}, err
		}
	}
	return newReport(in.File, f), nil
}

// notClaimed returns the correction for a file that the run does not take in.
func notClaimed(handle string) error {
	const message = "this conversation cannot take in %s: the person takes in a file with the button beside it"
	return tools.Correct(fmt.Sprintf(message, handle))
}

// measure reads the whole file.
func (b *toolbox) measure(ctx context.Context, c *tools.Call, handle string) (*files.Report, error) {
	release, err := b.reads.Acquire(ctx, c.Scope(), 1)
	if err != nil {
		return nil, fmt.Errorf("intaketools: %w", err)
	}
	defer release()
	rows, err := objecttools.OpenRows(ctx, c, b.store.Bucket(), handle, nil)
	if err != nil {
		return nil, err
	}
	if err := checkHeader(handle, rows); err != nil {
		return nil, err
	}
	p := profile.New(rows.Columns, rows.HasColumns)
	p.Separator = rows.Separator
	p.IsName = func(text string) bool { return kinds.RoleOf(text) != "" }
	p.Sense = kinds.SenseOf
	r := &files.Report{
		Format: rows.Format, Encoding: rows.Encoding, Separator: rows.Separator, Size: rows.Size,
	}
	digest := newDigest(rows.Columns)
	var problems []string
	end := int64(-1) // of the row before
	for row, err := range readRows(ctx, handle, rows) {
		if err == nil {
			if end >= 0 && row.Offset > end {
				p.AddBlank()
			}
			end = row.End
			digest.add(row)
		}
		switch {
		case err != nil:
			return nil, err
		case row.Problem != "":
			p.AddMalformed()
			if len(problems) < 3 {
				problems = append(problems, fmt.Sprintf("row %d: %s", row.Number, row.Problem))
			}
		case rows.Format == "csv":
			p.AddRow(row.Fields, row.Count, row.Cut)
		default:
			p.AddRecord(row.Record, row.Cut)
		}
	}
	r.Profile, r.Digest = p.Profile(), digest.text()
	r.Notes = slices.Concat(rows.Notes, headerRemarks(rows.Columns), problems, r.Profile.Remarks(),
		serialRemarks(r.Profile.Columns), epochRemarks(r.Profile.Columns), compactRemarks(r.Profile.Columns),
		quantityRemarks(r.Profile.Columns))
	if n := len(r.Profile.Columns); r.Profile.HasColumns > n {
		r.Notes = append(r.Notes, fmt.Sprintf("only %d of %d columns are measured", n, r.Profile.HasColumns))
	}
	if slices.ContainsFunc(r.Profile.Columns, func(c profile.Column) bool { return c.Repeated > 0 }) {
		r.Notes = append(r.Notes, "several columns have the same name")
	}
	return r, nil
}

// checkHeader returns a correction if the first row of CSV cannot be read, so that the columns do not have names.
func checkHeader(handle string, rows *objecttools.Rows) error {
	for _, note := range rows.Notes {
		if problem, ok := strings.CutPrefix(note, "the first row is malformed: "); ok && rows.HasColumns == 0 {
			const message = "the first row of %s does not have the names of columns, because it is malformed: %s. A quoted " +
				"name must have the separator directly before and after its quotes"
			return tools.Correct(fmt.Sprintf(message, handle, problem))
		}
	}
	return nil
}

// headerRemarks returns a sentence if the first row does not seem to have the names of columns.
func headerRemarks(columns []string) []string {
	for _, name := range columns {
		if v := profile.ReadValue([]byte(name), nil); v.IsNumber() || v.Type == profile.Date {
			return []string{fmt.Sprintf("the first row is taken as the names of columns, but %.60q looks like data. If it is, "+
				"ask “without a header”: then the columns are “column 1” and so on", name)}
		}
	}
	return nil
}

func (b *toolbox) getProfile(ctx context.Context, c *tools.Call, in fileIn) (Report, error) {
	_, f, err := b.find(ctx, c, in.File)
	if err != nil {
		return Report{}, err
	}
	if f.Report == nil {
		return Report{}, tools.Correct(fmt.Sprintf("%s has not been profiled: call profile_file first", in.File))
	}
	return newReport(in.File, f), nil
}

type recordIn struct {
	File    string `json:"file" jsonschema:"the handle of the file, from list_files, for example f1"`
	Kind    string `json:"kind" jsonschema:"the kind of data" enum:"shipments,inventory,purchase_orders,suppliers,bill_of_materials,sales_orders,invoices,products,unknown"`
	Summary string `json:"summary" jsonschema:"at most three sentences for the person about content and quality" minlen:"1" maxlen:"2000"`
	Columns []struct {
		Name    string `json:"name" jsonschema:"the name of the column, exactly as in the profile" maxlen:"300"`
		Meaning string `json:"meaning" jsonschema:"its business meaning in a few words" maxlen:"300"`
	} `json:"columns,omitempty" jsonschema:"the columns that you understand" maxitems:"250"`
}

func (b *toolbox) recordProfile(ctx context.Context, c *tools.Call, in recordIn) (Report, error) {
	v, f, err := b.find(ctx, c, in.File)
	if err != nil {
		return Report{}, err
	}
	s := files.Statement{Kind: kinds.Kind(in.Kind), Summary: in.Summary, Meanings: map[string]string{}}
	for _, column := range in.Columns {
		if strings.TrimSpace(column.Meaning) != "" {
			s.Meanings[column.Name] = column.Meaning
		}
	}
	r, err := v.Record(ctx, f.ID, runOf(ctx), s)
	switch {
	case errors.Is(err, files.ErrInvalid):
		return Report{}, tools.Correct(files.Reason(err))
	case errors.Is(err, files.ErrNotReady):
		return Report{}, tools.Correct(fmt.Sprintf("%s has not been profiled: call profile_file first", in.File))
	case errors.Is(err, files.ErrNotClaimed):
		return Report{}, notClaimed(in.File)
	case errors.Is(err, files.ErrShared):
		return Report{}, tools.Correct(fmt.Sprintf("%s is shared by the tenant and cannot be changed", in.File))
	case errors.Is(err, files.ErrChanged):
		return Report{}, tools.Correct(fmt.Sprintf("%s has been recorded already. The person can correct it.", in.File))
	case err != nil:
		return Report{}, err
	}
	f.Report = r
	return newReport(in.File, f), nil
}
