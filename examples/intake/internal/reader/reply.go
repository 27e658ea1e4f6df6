package reader

import (
	"fmt"
	"strings"

	"github.com/carrel-go/carrel/examples/intake/internal/intaketools"
	"github.com/carrel-go/carrel/examples/intake/internal/kinds"
)

const help = "I understand: “list my files”, “quality of march.csv”, “how many rows in shipments”, “total " +
	"quantity by supplier in purchase orders”, “average lead time by country in suppliers”, “how many negative " +
	"quantity in inventory”, “first rows in shipments where status is delayed”. To take in a file, choose it above."

// maxPages is the number of pages of the list of files that the reader looks at.
const maxPages = 5

// maxTargets is the number of files that one question is answered from.
const maxTargets = 4

// reply returns the next step of answering a question.
func (c *conversation) reply() answer {
	q, ok := parseQuestion(c.prompt)
	if !ok {
		return answer{text: c.introduction() + "I did not understand that. " + help}
	}
	lists := c.find(intaketools.ListFiles)
	if len(lists) == 0 {
		return answer{c.introduction() + "I look at your files.\n\n", []call{{intaketools.ListFiles, map[string]any{}}}}
	}
	var found intaketools.Files
	for _, list := range lists {
		page, ok := decode[intaketools.Files](&list)
		if !ok {
			return answer{text: "I could not list the files: " + list.problem() + "."}
		}
		page.Files = append(found.Files, page.Files...)
		found = page
	}
	if found.Next != "" && len(lists) < maxPages {
		return answer{"", []call{{intaketools.ListFiles, map[string]any{"cursor": found.Next}}}}
	}
	switch {
	case q.wantsList:
		return answer{text: tellFiles(&found)}
	case len(found.Files) == 0:
		return answer{text: "You have not taken in any files yet, and nothing is shared with you."}
	case q.wantsProfile:
		return c.tellProfile(&found, q.in)
	}
	if len(c.find(intaketools.QueryFile)) > 0 {
		return answer{text: c.tellAnswers(&found)}
	}
	return c.ask(&found, q)
}

func tellFiles(l *intaketools.Files) string {
	if len(l.Files) == 0 {
		return "You have not taken in any files yet, and nothing is shared with you."
	}
	lines := []string{"These are the files that I can read for you:"}
	for _, f := range l.Files {
		text := fmt.Sprintf("- %q: %s", f.Name, f.State)
		if f.Rows > 0 {
			text = fmt.Sprintf("- %q: %s, %s, %s", f.Name, f.Kind.Label(), plural(int(f.Rows), "row"), f.State)
		}
		lines = append(lines, text)
	}
	if l.Next != "" {
		lines = append(lines, "There are more: these are the newest.")
	}
	return strings.Join(append(lines, l.Notes...), "\n")
}

// matching returns the files that words name, by kind or by a part of the name. Empty words name all.
func matching(l *intaketools.Files, words string) (list []intaketools.ListedFile) {
	kind := kindOf(words)
	for _, f := range l.Files {
		isNamed := words == "" || kind != "" && f.Kind == kind || strings.Contains(strings.ToLower(f.Name), words)
		if isNamed && f.File != "" {
			list = append(list, f)
		}
	}
	return list
}

// tellProfile reads the profile of the newest file that words name, and describes it.
func (c *conversation) tellProfile(l *intaketools.Files, words string) answer {
	if m := c.first(intaketools.GetProfile); m != nil {
		r, ok := decode[intaketools.Report](m)
		if !ok {
			return answer{text: "I could not read the profile: " + m.problem() + "."}
		}
		var columns []string
		for _, column := range r.Profile.Columns[:min(len(r.Profile.Columns), 30)] {
			text := fmt.Sprintf("- %q: %s", column.Name, column.Type)
			if meaning := r.Meanings[column.Name]; meaning != "" {
				text += ", " + meaning
			}
			if column.Min != "" {
				text += fmt.Sprintf(", from %s to %s", column.Min, column.Max)
			}
			columns = append(columns, text)
		}
		what := "Its kind is not recorded yet."
		if r.Kind != "" {
			what = fmt.Sprintf("%q is %s. %s", r.Name, r.Kind.Label(), r.Kind.Meaning())
		}
		return answer{text: what + "\n" + describeQuality(&r) + "\nColumns:\n" + strings.Join(columns, "\n")}
	}
	files := matching(l, words)
	if len(files) == 0 {
		return answer{text: fmt.Sprintf("I do not find a file or a kind %q. %s", words, tellFiles(l))}
	}
	return answer{"", []call{{intaketools.GetProfile, map[string]any{"file": files[0].File}}}}
}

// ask queries each file that has the columns of the question.
func (c *conversation) ask(l *intaketools.Files, q question) answer {
	files := matching(l, q.in)
	if len(files) == 0 {
		return answer{text: fmt.Sprintf("I do not find a file or a kind %q. %s", q.in, tellFiles(l))}
	}
	var a answer
	var missing []string
	for _, f := range files {
		if len(a.calls) == maxTargets {
			break
		}
		args, lacks := q.args(f, l)
		if lacks != "" {
			missing = append(missing, fmt.Sprintf("%q does not have a column for “%s”: %s", f.Name, lacks,
				strings.Join(f.Columns, ", ")))
			continue
		}
		a.calls = append(a.calls, call{intaketools.QueryFile, args})
	}
	if len(a.calls) == 0 {
		missing = missing[:min(len(missing), maxTargets)]
		return answer{text: "I cannot answer that. " + strings.Join(missing, ". ") + ". " + help}
	}
	a.text = fmt.Sprintf("I ask %s.\n\n", plural(len(a.calls), "file"))
	return a
}

// args returns the arguments of query_file for a file, or the words for which it does not have a column.
func (q question) args(f intaketools.ListedFile, l *intaketools.Files) (args map[string]any, lacks string) {
	args = map[string]any{"file": f.File}
	var wheres []map[string]any
	for _, w := range q.where {
		column := findColumn(f.Columns, w.column)
		if column == "" {
			return nil, w.column
		}
		wheres = append(wheres, map[string]any{"column": column, "operator": w.operator, "value": w.value})
	}
	if len(wheres) > 0 {
		args["where"] = wheres
	}
	if q.function == "rows" {
		args["limit"] = 5
		return args, ""
	}
	measure := map[string]any{"function": q.function}
	column := findColumn(f.Columns, q.column)
	switch {
	case q.function == "count" && (q.column == "" || q.column == "rows"):
	case column == "":
		return nil, q.column
	default:
		measure["column"] = column
	}
	args["measures"] = []map[string]any{measure}
	if q.by == "" {
		return args, ""
	}
	by := findColumn(f.Columns, q.by)
	if by == "" {
		return nil, q.by
	}
	group := []string{by}
	if join, name := joinOf(f, by, l); join != nil {
		args["join"], group = join, append(group, name)
	}
	args["group_by"] = group
	return args, ""
}

// joinOf returns a join that adds the names of suppliers, if a file with suppliers is there.
func joinOf(f intaketools.ListedFile, by string, l *intaketools.Files) (join map[string]any, name string) {
	if kinds.RoleOf(by) != kinds.SupplierID || f.Kind == kinds.Suppliers {
		return nil, ""
	}
	for _, other := range l.Files {
		if other.Kind != kinds.Suppliers || other.File == "" {
			continue
		}
		id := findColumn(other.Columns, string(kinds.SupplierID))
		for _, c := range other.Columns {
			if kinds.RoleOf(c) == kinds.SupplierName && id != "" && findColumn(f.Columns, c) == "" {
				return map[string]any{"file": other.File, "on": by, "equals": id, "columns": []string{c}}, c
			}
		}
	}
	return nil, ""
}

// tellAnswers returns the results of the queries in words.
func (c *conversation) tellAnswers(l *intaketools.Files) string {
	var parts []string
	for _, m := range c.find(intaketools.QueryFile) {
		a, ok := decode[intaketools.Answer](&m)
		if !ok {
			parts = append(parts, "A file could not be asked: "+m.problem()+".")
			continue
		}
		parts = append(parts, tellAnswer(&a, nameOf(l, a.File)))
	}
	return strings.Join(parts, "\n\n")
}

func nameOf(l *intaketools.Files, handle string) string {
	for _, f := range l.Files {
		if f.File == handle {
			s := fmt.Sprintf("%q", f.Name)
			if f.Owner == intaketools.OwnerTenant {
				s += " (shared)"
			}
			return s
		}
	}
	return handle
}

func tellAnswer(a *intaketools.Answer, name string) string {
	lines := []string{fmt.Sprintf("From %s, %s of %s:", name, number(a.Matched), plural(int(a.Read), "row"))}
	if len(a.Lines) == 0 {
		lines = append(lines, "- nothing")
	}
	for _, line := range a.Lines {
		lines = append(lines, "- "+tellLine(a.Columns, line))
	}
	if a.Groups > len(a.Lines) {
		lines = append(lines, fmt.Sprintf("These are %d of %d groups.", len(a.Lines), a.Groups))
	}
	for _, note := range a.Notes {
		lines = append(lines, strings.ToUpper(note[:1])+note[1:]+".")
	}
	return strings.Join(lines, "\n")
}

func tellLine(columns, line []string) string {
	var parts []string
	for i, v := range line {
		if v == "" {
			v = "(empty)"
		}
		if i < len(columns) {
			v = columns[i] + " " + v
		}
		parts = append(parts, v)
	}
	return strings.Join(parts, ", ")
}
