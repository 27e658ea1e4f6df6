package reader

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/carrel-go/carrel/examples/intake/internal/files"
	"github.com/carrel-go/carrel/examples/intake/internal/intaketools"
	"github.com/carrel-go/carrel/examples/intake/internal/kinds"
	"github.com/carrel-go/carrel/examples/intake/internal/query"
)

const (
	// maxTargets is the number of files that one question is answered from.
	maxTargets = 20
	// maxMentioned is the number of files that a sentence names.
	maxMentioned = 10
	// manyGroups is the number of groups of each file if there are several and the question does not say how many.
	manyGroups = 50
)

// ask queries each file that has the columns of the question, and says which it does not ask.
func (c *conversation) ask(l *found, q question) answer {
	if len(l.Files.Files) == 0 {
		return answer{text: tellNotFound(l, q.in)}
	}
	if a := c.readColumns(l, q); len(a.calls) > 0 {
		return a
	}
	var a answer
	var missing, more []string
	for _, f := range l.Files.Files {
		if why := unreadable(f); why != "" {
			missing = append(missing, why)
			continue
		}
		args, lacks := q.args(f, l)
		switch {
		case q.kind != "" && q.hasFile && f.Kind != q.kind:
			missing = append(missing, fmt.Sprintf("%q is %s, and not %s", f.Name, f.Kind.Label(), q.kind.Label()))
		case args == nil:
			if q.hasNoHeader {
				f = withoutHeader(f)
			}
			missing = append(missing, tellMissing(f, lacks))
		case len(a.calls) == maxTargets:
			more = append(more, fmt.Sprintf("%q", f.Name))
		default:
			a.calls = append(a.calls, call{intaketools.QueryFile, args})
		}
	}
	if lacked := q.lackedByAll(l); lacked != "" && len(a.calls) == 0 && len(missing) > 1 {
		missing = []string{fmt.Sprintf("None of %s has a column for “%s”", plural(len(missing), "file"), lacked)}
	}
	if len(a.calls) == 0 {
		why, again := c.tellNoSuppliers(l, q)
		if len(again.calls) > 0 {
			return again
		}
		return answer{text: fmt.Sprintf("I cannot answer that. I understood: %s. %s%s. %s%s%s", q.describe(),
			withSpace(l.choice), joinSome(missing, ". "), withSpace(why), withSpace(q.tellLate(l)), help)}
	}
	q.adjust(a.calls)
	readAlike(a.calls, l)
	lines := []string{fmt.Sprintf("I understood: %s. I ask %s.", q.describe(), plural(len(a.calls), "file"))}
	if l.choice != "" {
		lines = append(lines, l.choice)
	}
	if len(missing) > 0 {
		lines = append(lines, fmt.Sprintf("I leave out %s: %s.", plural(len(missing), "file"), joinSome(missing, "; ")))
	}
	lines = append(lines, q.tellFits(l, a.calls)...)
	if note := q.tellDay(a.calls); note != "" {
		lines = append(lines, note)
	}
	if note := q.tellJoin(a.calls, l); note != "" {
		lines = append(lines, note)
	}
	if len(more) > 0 {
		lines = append(lines, fmt.Sprintf("I leave out %s, because one question asks at most %d: %s. Name a part of their "+
			"names to ask them.", plural(len(more), "older file"), maxTargets, joinSome(more, ", ")))
	}
	if l.Next != "" {
		lines = append(lines, "I have not looked at your oldest uploads, because there are too many.")
	}
	for _, note := range l.Notes {
		lines = append(lines, strings.ToUpper(note[:1])+note[1:]+".")
	}
	a.text = strings.Join(lines, "\n") + "\n\n"
	return a
}

// lackedByAll returns the words for which no file has a column, or "".
func (q question) lackedByAll(l *found) (words string) {
	for _, f := range l.Files.Files {
		if unreadable(f) != "" {
			continue
		}
		args, lacks := q.args(f, l)
		if args != nil || words != "" && lacks != words || f.MoreColumns > 0 {
			return ""
		}
		words = lacks
	}
	return words
}

// adjust changes the calls for several files so that their answers can be added.
func (q question) adjust(calls []call) {
	if len(calls) < 2 {
		return
	}
	for _, call := range calls {
		if q.by != "" && q.limit == 0 {
			call.args["limit"] = manyGroups
		}
		measures, ok := call.args["measures"].([]map[string]any)
		if !ok || q.function != "avg" {
			continue
		}
		for _, f := range []string{"sum", "numbers"} { // for the average of all files
			measures = append(measures, map[string]any{"function": f, "column": measures[0]["column"]})
		}
		call.args["measures"] = measures
	}
}

// withSpace returns a sentence with a space after it, or nothing.
func withSpace(sentence string) string {
	if sentence == "" {
		return ""
	}
	return sentence + " "
}

// readColumns returns the calls that read the columns which the list of files leaves out, if the question needs them.
func (c *conversation) readColumns(l *found, q question) (a answer) {
	isRead := func(m made) bool { return m.uploadID() != "" }
	if slices.ContainsFunc(c.find(intaketools.ListFiles), isRead) {
		return a
	}
	for _, f := range l.Files.Files {
		if unreadable(f) != "" || f.MoreColumns == 0 || len(a.calls) == maxTargets {
			continue
		}
		if args, _ := q.args(f, l); args == nil {
			a.calls = append(a.calls, call{intaketools.ListFiles, map[string]any{"upload_id": f.UploadID}})
		}
	}
	return a
}

// unreadable returns why a file cannot be asked, or "".
func unreadable(f intaketools.ListedFile) string {
	switch {
	case f.File == "" && f.Rows > 0:
		return fmt.Sprintf("%q cannot be read in this chat, which has too many files", f.Name)
	case f.File != "" && f.IsProfiled && len(f.Columns) == 0:
		return fmt.Sprintf("%q does not have any columns", f.Name)
	case f.File == "" || len(f.Columns) == 0:
		return fmt.Sprintf("%q is not taken in: %s", f.Name, f.State)
	}
	return ""
}

func tellMissing(f intaketools.ListedFile, words string) string {
	if words == "" {
		return fmt.Sprintf("%q does not have one column for the day. Name it, for example “where due date is after "+
			"2026-06-30”", f.Name)
	}
	shown := f.Columns[:min(len(f.Columns), maxMentioned)]
	text := fmt.Sprintf("%q does not have a column for “%s”: %s", f.Name, words, strings.Join(shown, ", "))
	if n := len(f.Columns) - len(shown); n > 0 {
		text += fmt.Sprintf(" and %d more", n)
	}
	if f.MoreColumns > 0 {
		text += fmt.Sprintf(" (I do not know the names of %d columns after the first %d)", f.MoreColumns, len(f.Columns))
	}
	return text
}

// joinSome joins at most maxMentioned texts and says how many more there are.
func joinSome(list []string, between string) string {
	if n := len(list) - maxMentioned; n > 0 {
		return strings.Join(list[:maxMentioned], between) + fmt.Sprintf("%sand %d more", between, n)
	}
	return strings.Join(list, between)
}

// args returns the arguments of query_file for a file, or nil and the words for which it does not have a column.
func (q question) args(f intaketools.ListedFile, l *found) (args map[string]any, lacks string) {
	args = map[string]any{"file": f.File}
	if q.hasNoHeader {
		args["header"], f = false, withoutHeader(f)
	}
	var wheres []map[string]any
	for _, w := range q.where {
		column := columnIn(f, w.column)
		if w.column == "" {
			column = dayColumn(f)
		} else if column == "" {
			column = q.joinCondition(f, l, args, w.column)
		}
		if column == "" {
			return nil, w.column
		}
		wheres = append(wheres, map[string]any{"column": column, "operator": w.operator, "value": w.value})
	}
	if q.function == distinct {
		column := columnIn(f, q.column)
		if column == "" {
			return nil, q.column
		}
		wheres = append(wheres, map[string]any{"column": column, "operator": query.Present})
		args["group_by"], args["limit"], args["where"] = []string{column}, 1, wheres
		return args, ""
	}
	if len(wheres) > 0 {
		args["where"] = wheres
	}
	if q.function == showRows {
		args["limit"] = cmp.Or(q.limit, 5)
		return args, ""
	}
	measure := map[string]any{"function": q.function}
	if q.column != "" {
		column := q.measuredColumn(f)
		if column == "" {
			return nil, q.column
		}
		measure["column"] = column
	}
	args["measures"] = []map[string]any{measure}
	if q.by == "" {
		return args, ""
	}
	if column, granularity := q.period(f); column != "" {
		args["group_by"], args["granularity"] = []string{column}, granularity
		return args, ""
	}
	group, join := q.groupBy(f, l)
	if group == nil {
		return nil, q.by
	}
	if join != nil && !addJoin(args, join) {
		return nil, q.by
	}
	args["group_by"] = group
	if q.limit > 0 {
		args["limit"] = q.limit
	}
	if q.isAscending {
		args["ascending"] = true
	}
	return args, ""
}

// tellDay returns a sentence about the columns that are taken as the day of the rows, if the question has a period.
func (q question) tellDay(calls []call) string {
	at := slices.IndexFunc(q.where, func(w where) bool { return w.column == "" })
	var columns []string
	for _, c := range calls {
		name := ""
		if wheres, ok := c.args["where"].([]map[string]any); ok && at >= 0 {
			name = fmt.Sprintf("“%s”", wheres[at]["column"])
		}
		group, _ := c.args["group_by"].([]string)
		if c.args["granularity"] != nil && at < 0 && !strings.Contains(q.by, " ") {
			name = fmt.Sprintf("“%s”", group[0])
		}
		if name != "" && !slices.Contains(columns, name) {
			columns = append(columns, name)
		}
	}
	if len(columns) == 0 {
		return ""
	}
	if at < 0 {
		return fmt.Sprintf("I take %s as the day. Say “by %s of” and the name of another column if you mean that one.",
			joinSome(columns, " and "), q.by)
	}
	return fmt.Sprintf("I take %s as the day. Name another column after “where” if you mean that one.",
		joinSome(columns, " and "))
}

// columnIn returns the column of a file that words name, or "". If the report does not have the names of all columns,
// the words may be the name of one of the others. A supplier that does not have a number is found by its name.
func columnIn(f intaketools.ListedFile, words string) string {
	column := findColumnIn(f, words)
	if column == "" && roleOf(words) == kinds.SupplierID {
		column = findColumnIn(f, string(kinds.SupplierName))
	}
	if column == "" && f.MoreColumns > 0 && len(f.Columns) >= files.MaxColumns {
		return words
	}
	return column
}
