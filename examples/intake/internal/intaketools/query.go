package intaketools

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/carrel-go/carrel/examples/intake/internal/files"
	"github.com/carrel-go/carrel/examples/intake/internal/profile"
	"github.com/carrel-go/carrel/examples/intake/internal/query"
	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/tools"
	"github.com/carrel-go/carrel/tools/objecttools"
)

const queryDescription = "Answer a question about the rows of one file: filter, group, and count, sum, avg, min or " +
	"max. Dates are compared and grouped by day, or grouped by month or year with granularity, and have a min and a " +
	"max. Numbers of several units, such as currencies, have a result for each unit. Rows that look like total rows are " +
	"left out of measures. Always tell the person the notes of a result. Without group_by and measures it returns the " +
	"first matching rows. join adds columns of another, small file, such as the names of suppliers. A call reads at " +
	"most 4 GB and says where it stopped. Examples: {\"file\": \"f1\", \"group_by\": [\"supplier_id\"], \"measures\": " +
	"[{\"function\": \"sum\", \"column\": \"quantity\"}]}, {\"file\": \"f1\", \"where\": [{\"column\": " +
	"\"quantity\", \"operator\": \"lt\", \"value\": \"0\"}], \"limit\": 5}, {\"file\": \"f1\", \"join\": " +
	"{\"file\": \"f2\", \"on\": \"supplier_id\", \"equals\": \"supplier_id\", \"columns\": " +
	"[\"supplier_name\"]}, \"group_by\": [\"supplier_name\"], \"measures\": [{\"function\": \"count\"}]}, " +
	"{\"file\": \"f1\", \"group_by\": [\"ship_date\"], \"granularity\": \"month\"}."

const (
	maxQueryRead = 4 << 30 // bytes of a file that a query reads
	maxJoined    = 200     // bytes of a joined value
)

// The largest file that a query joins.
const (
	MaxJoinedRows = 50_000
	MaxJoinedRead = 64 << 20 // bytes
)

type queryIn struct {
	File     string    `json:"file" jsonschema:"the handle of the file, from list_files, for example f1"`
	Where    []whereIn `json:"where,omitempty" jsonschema:"conditions that all must hold" maxitems:"8"`
	GroupBy  []string  `json:"group_by,omitempty" jsonschema:"columns whose values make the groups" maxitems:"3" maxlen:"300"`
	Groups   []string  `json:"groups,omitempty" jsonschema:"only the groups with these values of the first column of group_by; returns all of them" maxitems:"200" maxlen:"300"`
	Measures []struct {
		Function string  `json:"function" jsonschema:"count, or a function of numbers; numbers counts the values that are numbers" enum:"count,sum,avg,min,max,numbers"`
		Column   *string `json:"column" jsonschema:"the column; may be absent for count, which then counts rows" maxlen:"300"`
	} `json:"measures,omitempty" jsonschema:"numbers for each group" maxitems:"4"`
	Columns     []string `json:"columns,omitempty" jsonschema:"columns of the rows, without group_by and measures; default the first 12" maxitems:"30" maxlen:"300"`
	Join        *joinIn  `json:"join" jsonschema:"adds columns of another file"`
	Header      *bool    `json:"header" jsonschema:"false if the first row of CSV is data and not the names of the columns, which are then column 1, column 2 and so on"`
	Granularity *string  `json:"granularity" jsonschema:"how much of a date in group_by makes a group; default day" enum:"time,day,month,year"`
	ReadAs      []readIn `json:"read_as,omitempty" jsonschema:"columns that another file of the question has as codes or as dates" maxitems:"12"`
	Limit       *int     `json:"limit" jsonschema:"largest number of groups or rows; default 10" min:"1" max:"50"`
	Ascending   *bool    `json:"ascending" jsonschema:"smallest first measure first; default largest first, and smallest first if that measure is min"`
}

type whereIn struct {
	Column   string  `json:"column" jsonschema:"the name of a column" maxlen:"300"`
	Operator string  `json:"operator" jsonschema:"how to compare; missing and present need no value" enum:"eq,ne,lt,le,gt,ge,contains,missing,present"`
	Value    *string `json:"value" jsonschema:"the value to compare with, for example 100 or late" maxlen:"300"`
}

type readIn struct {
	Column string `json:"column" jsonschema:"the name of a column" maxlen:"300"`
	As     string `json:"as" jsonschema:"codes: equal numbers that are written in several ways are apart; dates: numbers such as 20260131 are days" enum:"codes,dates"`
}

type joinIn struct {
	File    string   `json:"file" jsonschema:"the handle of the other file, for example f2"`
	On      string   `json:"on" jsonschema:"the column of the first file" maxlen:"300"`
	Equals  string   `json:"equals" jsonschema:"the column of the other file that has the same values" maxlen:"300"`
	Columns []string `json:"columns" jsonschema:"the columns of the other file to add" minitems:"1" maxitems:"5" maxlen:"300"`
}

// Answer is the result of query_file.
type Answer struct {
	File string `json:"file"`
	Name string `json:"name"`
	query.Result
	// Complete reports that the whole file was read.
	Complete bool     `json:"complete"`
	Notes    []string `json:"notes,omitempty"`
}

// Summary implements [tools.Summarizer].
func (a Answer) Summary() string {
	s := fmt.Sprintf("%s: %d of %s", a.Name, a.Matched, profile.CountOf(a.Read, "row matches", "rows match"))
	if !a.Complete {
		s += ", stopped early"
	}
	return s
}

func (b *toolbox) queryFile(ctx context.Context, c *tools.Call, in queryIn) (Answer, error) {
	out, _, err := b.scanFile(ctx, c, in)
	return out, err
}

// scanFile reads the rows of a file, and returns the answer and the query.
func (b *toolbox) scanFile(ctx context.Context, c *tools.Call, in queryIn) (out Answer, q *query.Query, err error) {
	release, err := b.reads.Acquire(ctx, c.Scope(), 1)
	if err != nil {
		return out, nil, fmt.Errorf("intaketools: %w", err)
	}
	defer release()
	rows, err := objecttools.OpenRows(ctx, c, b.store.Bucket(), in.File, nil)
	if err != nil {
		return out, nil, err
	}
	if err := checkHeader(in.File, rows); err != nil {
		return out, nil, err
	}
	var joined *joinedTable
	if in.Join != nil {
		if joined, err = b.loadJoin(ctx, c, in.Join); err != nil {
			return out, nil, err
		}
	}
	o := in.options()
	report, err := b.reportOf(ctx, c, in.File)
	if err != nil {
		return out, nil, err
	}
	var first [][]byte
	if in.Header != nil && !*in.Header {
		first, report = withoutHeader(rows, report)
	}
	t := newTable(rows, joined)
	o.Profiles = joined.profiles(report)
	addCodes(o.Profiles, in.names())
	readAs(o.Profiles, in.ReadAs)
	o.Units, o.ConditionUnits = unitColumns(report, in), conditionUnits(report, in)
	o.NamedUnits = namedUnits(o.Profiles, o.Measures)
	if len(o.Columns) == 0 {
		names := columnsOf(rows, report)
		o.Columns = append(slices.Clone(names[:min(len(names), 12)]), joined.columnNames()...)
	}
	if err := t.check(in); err != nil {
		return out, nil, err
	}
	q, err = query.New(&o)
	if err != nil {
		return out, nil, tools.Correct(strings.TrimPrefix(err.Error(), query.ErrOptions.Error()+": "))
	}
	out = Answer{File: in.File, Name: b.nameOf(c, in.File, rows), Complete: true}
	if joined != nil {
		out.Notes = joined.notes
	}
	s := &rowScan{t: t, q: q, check: newRowCheck(rows, report)}
	if first != nil {
		t.fields = first
		q.Add(t.value)
	}
	for row, err := range readRows(ctx, in.File, rows) {
		if err != nil {
			return out, nil, err
		}
		s.add(row)
		if q.IsFull() && row.End < rows.Size {
			out.Complete = false
			out.Notes = append(out.Notes, fmt.Sprintf("stopped after %s, because enough of them match",
				profile.CountOf(row.Number, "row", "rows")))
			break
		}
		if row.End > maxQueryRead {
			out.Complete = false
			out.Notes = append(out.Notes, fmt.Sprintf("stopped after %s, at byte %d of %d",
				profile.CountOf(row.Number, "row", "rows"), row.End, rows.Size))
			break
		}
	}
	out.Result = q.Result()
	if err := checkMeasured(&out.Result, in); err != nil {
		return out, nil, err
	}
	addNamedUnit(&out.Result, in)
	nameUnits(out.ConditionUnits)
	out.Notes = slices.Concat(out.Notes, s.notes(report), joined.partnerNotes(in.Join), columnNotes(in, rows, report),
		missingNotes(in, report), encodingNotes(in, rows), addedCodes(in, report), remarks(&out.Result, report))
	for _, name := range t.unseen(in) {
		out.Notes = append(out.Notes, fmt.Sprintf("no row has the column %.60q", name))
	}
	return out, q, nil
}

// remarks returns sentences about what a result leaves out or assumes.
func remarks(r *query.Result, report *files.Report) (list []string) {
	if report != nil && len(r.Types) > 0 {
		p := &report.Profile
		last := p.LastRowRemark()
		if p.Totals > 0 && r.Totals == 0 { // conditions leave out the row
			last = ""
		}
		for _, remark := range []string{p.TableRemark(), last, p.LabelRemark(), p.SumRemark(), p.LooseRemark()} {
			if remark != "" {
				list = append(list, remark)
			}
		}
		list = append(list, p.ApartRemarks()...)
	}
	if r.LeftOut > 0 {
		list = append(list, fmt.Sprintf("there are more than %d groups: %s left out, so other groups may be larger or "+
			"smaller than those of the result",
			query.MaxGroups, profile.CountOf(r.LeftOut, "row of another group is", "rows of other groups are")))
	}
	if r.Ignored > 0 {
		list = append(list, profile.CountOf(r.Ignored, "value that is not a number or date like the others is",
			"values that are not numbers or dates like the others are")+" ignored")
	}
	if n := r.Incomparable - r.OtherUnits; n > 0 {
		list = append(list, profile.CountOf(n, "value is not compared, because it is not a number or date",
			"values are not compared, because they are not numbers or dates")+" like the value of the condition")
	}
	if r.Approximate {
		list = append(list, "numbers with a large exponent are added approximately")
	}
	if r.Assumed > 0 {
		list = append(list, "values can be read in two ways, and the file does not decide: "+r.AssumedExample)
	}
	return append(list, r.Notes...)
}

// reportOf returns the report of a file, or nil if it was not profiled.
func (b *toolbox) reportOf(ctx context.Context, c *tools.Call, handle string) (*files.Report, error) {
	_, f, err := b.find(ctx, c, handle)
	return f.Report, err
}

// nameOf returns the name of a file. The object of a shared file has the id of its upload before the name.
func (b *toolbox) nameOf(c *tools.Call, handle string, rows *objecttools.Rows) string {
	const idLen = len("00000000-0000-0000-0000-000000000000-")
	_, ref, err := objecttools.Lookup(c, b.store.Bucket(), handle)
	if err == nil && ref.Scope().Level() == scope.SharedLevel && len(rows.Name) > idLen {
		return rows.Name[idLen:]
	}
	return rows.Name
}

// columnsOf returns the columns of a file. Those of JSON are known if the file was profiled.
func columnsOf(rows *objecttools.Rows, report *files.Report) (names []string) {
	if rows.Format == "csv" || report == nil {
		return rows.Columns
	}
	for _, column := range report.Profile.Columns {
		names = append(names, column.Name)
	}
	return names
}

func (in queryIn) options() query.Options {
	o := query.Options{GroupBy: in.GroupBy, Columns: in.Columns, Only: in.Groups}
	o.Ascending = len(in.Measures) > 0 && in.Measures[0].Function == string(query.Min)
	if in.Ascending != nil {
		o.Ascending = *in.Ascending
	}
	if in.Granularity != nil {
		o.Granularity = query.Granularity(*in.Granularity)
	}
	if in.Limit != nil {
		o.Limit = *in.Limit
	}
	for _, w := range in.Where {
		cond := query.Condition{Column: w.Column, Operator: w.Operator}
		if w.Value != nil {
			cond.Value = *w.Value
		}
		o.Where = append(o.Where, cond)
	}
	for _, m := range in.Measures {
		measure := query.Measure{Function: query.Function(m.Function)}
		if m.Column != nil {
			measure.Column = *m.Column
		}
		o.Measures = append(o.Measures, measure)
	}
	return o
}

// names returns every column that the query names.
func (in queryIn) names() []string {
	names := slices.Concat(in.GroupBy, in.Columns)
	for _, w := range in.Where {
		names = append(names, w.Column)
	}
	for _, m := range in.Measures {
		if m.Column != nil {
			names = append(names, *m.Column)
		}
	}
	if in.Join != nil {
		names = append(names, in.Join.On)
	}
	return names
}

// loadJoin reads the other file of a join.
func (b *toolbox) loadJoin(ctx context.Context, c *tools.Call, in *joinIn) (*joinedTable, error) {
	rows, err := objecttools.OpenRows(ctx, c, b.store.Bucket(), in.File, nil)
	if err != nil {
		return nil, err
	}
	report, err := b.reportOf(ctx, c, in.File)
	if err != nil {
		return nil, err
	}
	t := newTable(rows, nil)
	if err := t.checkNames(append([]string{in.Equals}, in.Columns...)); err != nil {
		return nil, err
	}
	j := newJoinedTable(in, report)
	repeated := int64(0)
	for row, err := range readRows(ctx, in.File, rows) {
		if err != nil {
			return nil, err
		}
		if row.Number > MaxJoinedRows || row.End > MaxJoinedRead {
			return nil, tools.Correct(fmt.Sprintf("%s is too large to join: at most %d rows and %d MB", in.File,
				MaxJoinedRows, MaxJoinedRead>>20))
		}
		if !t.load(row) {
			continue
		}
		id := joinID(t.value(in.Equals))
		j.noteNumber(id)
		if _, ok := j.values[id]; ok || id == "" {
			repeated++
			continue
		}
		values := make([]string, len(in.Columns))
		for i, name := range in.Columns {
			v := t.value(name)
			values[i] = string(v[:min(len(v), maxJoined)])
		}
		j.values[id] = values
	}
	for _, note := range t.twiceNotes() {
		j.notes = append(j.notes, fmt.Sprintf("in %s, %s", in.File, note))
	}
	if repeated > 0 {
		repeat, lack := "repeat", "do not have one"
		if repeated == 1 {
			repeat, lack = "repeats", "does not have one"
		}
		j.notes = append(j.notes, fmt.Sprintf("%s of %s %s a value of %.60q or %s: the first counts",
			profile.CountOf(repeated, "row", "rows"), in.File, repeat, in.Equals, lack))
	}
	return j, nil
}

// correctColumn is the correction for a column that does not exist.
func correctColumn(name string, columns []string) error {
	most := columns[:min(len(columns), 40)]
	const message = "the column %.60q does not exist; the columns are %s"
	return tools.Correct(fmt.Sprintf(message, name, strings.Join(most, ", ")))
}
