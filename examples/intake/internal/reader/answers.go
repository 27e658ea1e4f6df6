package reader

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/carrel-go/carrel/examples/intake/internal/intaketools"
)

// tellAnswers returns the results of the queries in words, and their total if there are several.
func (c *conversation) tellAnswers(l *found, q question) string {
	var parts []string
	calls := c.find(intaketools.QueryFile)
	matched := int64(0)
	for _, m := range calls {
		a, ok := decode[intaketools.Answer](&m)
		if !ok {
			part := fmt.Sprintf("%s could not be asked: %s.", nameOfCall(l, &m), c.problem(&m))
			if strings.Contains(part, " needs numbers, ") {
				part += fmt.Sprintf(" Ask for example “how many rows by %s”.", q.column)
			}
			parts = append(parts, part)
			continue
		}
		if q.function == "avg" && len(calls) > 1 {
			a = withoutLast(a, measuresOfAverage-1)
		}
		matched += a.Matched
		parts = append(parts, c.tellAnswer(&a, l, q.function == distinct))
	}
	if q.status != "" && matched == 0 {
		const text = "I took “%s” as a status, and no row has that one. “How many rows by status” shows those that there are."
		parts = append(parts, fmt.Sprintf(text, q.status))
	}
	parts = append(parts, q.tellUnits(calls, l)...)
	switch {
	case len(calls) > 1 && q.function == distinct:
		parts = append(parts, "I do not add these numbers, because several files can have the same value.")
	case len(calls) > 1 && q.function != showRows:
		parts = append(parts, c.tellTotal(q))
	}
	return strings.Join(parts, "\n\n")
}

// nameOfCall returns the name of the file that a call of query_file reads.
func nameOfCall(l *found, m *made) string {
	var asked struct{ File string }
	if json.Unmarshal(m.use.Input, &asked) != nil {
		return "A file"
	}
	return nameOf(l, asked.File)
}

func nameOf(l *found, handle string) string {
	for _, f := range l.Files.Files {
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

func (c *conversation) tellAnswer(a *intaketools.Answer, l *found, isDistinct bool) string {
	name := nameOf(l, a.File)
	lines := []string{fmt.Sprintf("From %s, %s of %s:", name, number(a.Matched), plural(int(a.Read), "row"))}
	if all := l.rowsOf(a.File); !a.Complete && len(a.Types) == 0 && all > a.Read {
		lines[0] = fmt.Sprintf("From %s, the first %s that match. I read only the first %s of %s:", name,
			plural(len(a.Lines), "row"), number(a.Read), number(all))
	}
	switch {
	case isDistinct:
		more := map[bool]string{true: "more than "}[a.LeftOut > 0]
		lines = append(lines, fmt.Sprintf("- %s%s", more, plural(a.Groups, "different value")))
	case len(a.Lines) == 0:
		lines = append(lines, "- nothing")
	case len(a.Columns) == len(a.Types): // without groups
		lines = append(lines, "- "+tellLine(labelsOf(a), a.Lines[0]))
	default:
		lines = append(lines, tellTable(labelsOf(a), a.Lines))
	}
	if a.Groups > len(a.Lines) && !isDistinct {
		lines = append(lines, fmt.Sprintf("These are %d of %d groups, the %s.", len(a.Lines), a.Groups, a.Order))
	}
	for _, note := range a.Notes {
		note = c.tellPerson(note)
		lines = append(lines, strings.ToUpper(note[:1])+note[1:]+".")
	}
	return strings.Join(lines, "\n")
}

// rowsOf returns the number of rows of a file by its report, or 0.
func (l *found) rowsOf(handle string) int64 {
	for _, f := range l.Files.Files {
		if f.File == handle {
			return f.Rows
		}
	}
	return 0
}

// withoutLast returns an answer without the last columns.
func withoutLast(a intaketools.Answer, n int) intaketools.Answer {
	a.Columns = a.Columns[:max(len(a.Columns)-n, 0)]
	a.Types = a.Types[:max(len(a.Types)-n, 0)]
	lines := a.Lines
	a.Lines = nil
	for _, line := range lines {
		a.Lines = append(a.Lines, line[:max(len(line)-n, 0)])
	}
	return a
}
