package reader

import (
	"cmp"
	"encoding/json"
	"fmt"
	"math/big"
	"slices"
	"strings"

	"github.com/carrel-go/carrel/examples/intake/internal/intaketools"
)

// tellAnswers returns the results of the queries in words, and their total if there are several.
func (c *conversation) tellAnswers(l *found, q question) string {
	var parts []string
	var answers []intaketools.Answer
	calls := c.find(intaketools.QueryFile)
	for _, m := range calls {
		a, ok := decode[intaketools.Answer](&m)
		if !ok {
			parts = append(parts, fmt.Sprintf("%s could not be asked: %s.", nameOfCall(l, &m), c.problem(&m)))
			continue
		}
		answers = append(answers, a)
		parts = append(parts, c.tellAnswer(&a, nameOf(l, a.File)))
	}
	if len(calls) > 1 && q.function != "rows" {
		parts = append(parts, tellTotal(answers, q, len(calls)))
	}
	return strings.Join(parts, "\n\n")
}

// tellTotal returns the total of several files, or why they do not have one.
func tellTotal(answers []intaketools.Answer, q question, asked int) string {
	const none = "I do not give a result for all of them together: "
	hasRest := func(a intaketools.Answer) bool { return a.LeftOut > 0 || a.Groups > len(a.Lines) }
	switch {
	case q.function == "avg":
		return none + "the average of averages is not the average of all rows."
	case len(answers) == 0:
		return none + "none could be asked."
	case slices.ContainsFunc(answers, hasRest):
		return none + "not all groups are listed."
	}
	t := totals{function: q.function, groups: map[string]*total{}}
	for _, a := range answers {
		for _, line := range a.Lines {
			t.add(line)
		}
	}
	of := plural(len(answers), "file")
	if len(answers) < asked {
		of = fmt.Sprintf("%d of %d files", len(answers), asked)
	}
	names := map[string]string{"sum": "Total", "count": "Number", "min": "Lowest value", "max": "Highest value"}
	head := fmt.Sprintf("%s in %s together", names[q.function], of)
	if slices.ContainsFunc(answers, func(a intaketools.Answer) bool { return !a.Complete }) {
		head += ", of the rows that were read"
	}
	switch {
	case len(t.order) == 0:
		return head + ": no numbers."
	case q.by == "":
		return head + ": " + t.order[0].value.FloatString(t.places) + "."
	}
	slices.SortStableFunc(t.order, func(a, b *total) int { return b.value.Cmp(a.value) })
	lines := []string{head + ":"}
	for _, g := range t.order[:min(len(t.order), manyGroups)] {
		lines = append(lines, fmt.Sprintf("- %s: %s", cmp.Or(g.label, "(empty)"), g.value.FloatString(t.places)))
	}
	if len(t.order) > manyGroups {
		lines = append(lines, fmt.Sprintf("These are %d of %d groups.", manyGroups, len(t.order)))
	}
	return strings.Join(lines, "\n")
}

// totals adds the groups of several files, or takes their lowest or highest values.
type totals struct {
	function string
	groups   map[string]*total
	order    []*total
	places   int // the most decimal places of a value
}

type total struct {
	label string
	value *big.Rat
}

// add adds a line of an answer, whose last value is the measure. A measure without a number is empty.
func (t *totals) add(line []string) {
	last := len(line) - 1
	value, ok := new(big.Rat).SetString(line[last])
	if !ok {
		return
	}
	_, decimals, _ := strings.Cut(line[last], ".")
	t.places = max(t.places, len(decimals))
	id, label := "", strings.Join(line[:last], ", ")
	if last > 0 {
		id = line[0]
	}
	g := t.groups[id]
	if g == nil {
		g = &total{label, value}
		t.groups[id], t.order = g, append(t.order, g)
		return
	}
	if len(label) > len(g.label) { // with the name that a join has added
		g.label = label
	}
	compared := value.Cmp(g.value)
	switch {
	case t.function == "sum", t.function == "count":
		g.value = new(big.Rat).Add(g.value, value)
	case t.function == "min" && compared < 0, t.function == "max" && compared > 0:
		g.value = value
	}
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

func (c *conversation) tellAnswer(a *intaketools.Answer, name string) string {
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
		note = c.tellPerson(note)
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
