package reader

import (
	"cmp"
	"encoding/json"
	"fmt"
	"math/big"
	"slices"
	"strings"

	"github.com/carrel-go/carrel/examples/intake/internal/intaketools"
	"github.com/carrel-go/carrel/examples/intake/internal/profile"
	"github.com/carrel-go/carrel/examples/intake/internal/query"
)

// measuresOfAverage is the number of measures with which an average over several files is asked: the average of the
// file, the sum, and how many numbers it has.
const measuresOfAverage = 3

// isCut reports whether an answer does not list all of its groups.
func isCut(a *intaketools.Answer) bool { return a.LeftOut > 0 || a.Groups > len(a.Lines) }

// askTogether asks the files together if the list of groups of one is cut, since a group that the list leaves out may
// be among the first ones of all files.
func (c *conversation) askTogether(l *found, q question) (a answer) {
	asked := c.find(intaketools.QueryFile)
	if c.first(intaketools.QueryFiles) != nil || len(asked) < 2 || q.by == "" {
		return a
	}
	var queries []json.RawMessage
	var names []string
	for _, m := range asked {
		one, ok := decode[intaketools.Answer](&m)
		if !ok {
			continue
		}
		queries = append(queries, m.use.Input)
		if isCut(&one) {
			names = append(names, nameOf(l, one.File))
		}
	}
	if len(names) == 0 || len(queries) < 2 {
		return answer{}
	}
	a.calls = []call{{intaketools.QueryFiles, map[string]any{"queries": queries}}}
	a.text = fmt.Sprintf("The list of groups of %s is cut. I ask again for the groups of all files together.\n\n",
		joinSome(names, " and of "))
	return a
}

// tellTotal returns the result of several files together, or why they do not have one.
func (c *conversation) tellTotal(q question) string {
	const none = "I do not give a result for all of them together: "
	asked := c.find(intaketools.QueryFile)
	var answers []intaketools.Answer
	for _, m := range asked {
		if a, ok := decode[intaketools.Answer](&m); ok {
			answers = append(answers, a)
		}
	}
	of := plural(len(answers), "file")
	if len(answers) < len(asked) {
		of = fmt.Sprintf("%d of %d files", len(answers), len(asked))
	}
	names := map[string]string{
		"sum": "Total", "count": "Number", "min": "Lowest value", "max": "Highest value", "avg": "Average",
	}
	head := fmt.Sprintf("%s in %s together", names[q.function], of)
	if slices.ContainsFunc(answers, func(a intaketools.Answer) bool { return !a.Complete }) {
		head += ", of the rows that were read"
	}
	if len(answers) == 0 {
		return none + "none could be asked."
	}
	if m := c.first(intaketools.QueryFiles); m != nil {
		all, ok := decode[intaketools.Together](m)
		switch {
		case !ok:
			return none + c.problem(m) + "."
		case all.LeftOut > 0:
			return none + fmt.Sprintf("one has more than %s groups, or all of them have more than %s.",
				number(query.MaxGroups), number(query.MaxTogether))
		}
		return tellTogether(head, &all)
	}
	t := totals{function: q.function, groups: map[string]*total{}, isByDate: true}
	for _, a := range answers {
		if !t.addAnswer(&a) {
			return none + "some have dates and others have numbers."
		}
	}
	return t.tell(head, q)
}

// tellTogether returns the groups of several files after a heading.
func tellTogether(head string, all *intaketools.Together) string {
	lines := []string{head + ":"}
	at := len(all.Columns) - len(all.Types) // of the first measure
	for _, line := range all.Lines {
		names := line[:at]
		if all.UnitColumn == "" && all.Unit != "" {
			names = append(slices.Clone(names), all.Unit)
		}
		lines = append(lines, fmt.Sprintf("- %s: %s", labelOf(names), cmp.Or(line[at], "no value")))
	}
	lines = append(lines, fmt.Sprintf("These are %d of %d groups.", len(all.Lines), all.Groups))
	if all.Tied > 0 {
		lines = append(lines, tellTied(all.Tied))
	}
	if all.Folded != "" {
		lines = append(lines, tellFolded(all.Folded))
	}
	return strings.Join(lines, "\n")
}

// labelOf returns the names of a group, without those of its joined columns and its unit that are empty.
func labelOf(names []string) string {
	if len(names) == 0 {
		return ""
	}
	list := []string{cmp.Or(names[0], "(empty)")}
	for _, name := range names[1:] {
		if name != "" {
			list = append(list, name)
		}
	}
	return strings.Join(list, ", ")
}

// tellFolded returns a sentence about two names of one group.
func tellFolded(names string) string {
	return "Numbers that differ only by zeros after the point are one group, such as " + names + "."
}

// tellTied returns a sentence about the groups that a list leaves out, but that have the value of its last one.
func tellTied(n int) string {
	return profile.CountOf(int64(n), "more group has", "more groups have") + " the same value as the last one of the list."
}

// totals combines the groups of several files.
type totals struct {
	function string
	groups   map[string]*total
	order    []*total
	places   int          // the most decimal places of a value
	typ      profile.Type // of the values, or empty before the first one
	isByDate bool         // the groups are dates
	folded   string       // two names of one group, such as 101 and 101.0
}

type total struct {
	label string
	unit  string // the key of the unit
	value *big.Rat
	count *big.Rat // of the numbers of an average
	// isFolded reports that the name of its first line is a whole number with zeros after its point.
	isFolded bool
}

// addAnswer adds the lines of an answer. It reports whether its values have the type of the other answers' values.
func (t *totals) addAnswer(a *intaketools.Answer) bool {
	at := len(a.Columns) - 1
	hasValues := slices.ContainsFunc(a.Lines, func(line query.Line) bool { return line[at] != "" })
	typ := profile.Decimal
	if len(a.Types) > 0 {
		typ = a.Types[0]
	}
	switch {
	case !hasValues:
		return true
	case t.typ == "":
		t.typ = typ
	case t.typ != typ:
		return false
	}
	t.isByDate = t.isByDate && a.Order == query.OrderByDate
	for _, line := range a.Lines {
		t.add(line, a)
	}
	return true
}

// parseValue returns a measure of a line. A date is the number YYYYMMDD.
func (t *totals) parseValue(text string) (*big.Rat, bool) {
	if t.typ == profile.Date {
		text = strings.ReplaceAll(text, "-", "")
	}
	return new(big.Rat).SetString(text)
}

// add adds a line of an answer, whose last values are the measures. A measure without a value is empty.
func (t *totals) add(line []string, a *intaketools.Answer) {
	names, measures := line[:len(line)-1], line[len(line)-1:]
	count := new(big.Rat)
	if t.function == "avg" {
		names, measures = line[:len(line)-measuresOfAverage], line[len(line)-measuresOfAverage+1:]
		if _, ok := count.SetString(measures[1]); !ok {
			return
		}
	}
	value, ok := t.parseValue(measures[0])
	if !ok {
		return
	}
	_, decimals, _ := strings.Cut(measures[0], ".")
	t.places = max(t.places, len(decimals))
	id, unit := "", a.Unit
	if a.UnitColumn != "" {
		unit, names = names[len(names)-1], names[:len(names)-1]
	}
	label := unit
	if len(names) > 0 {
		label = labelOf(append(slices.Clone(names), unit))
	}
	isFolded := false
	if len(names) > 0 {
		id, isFolded = query.FoldCode(names[0])
	}
	unit = query.UnitKey(unit)
	id += "\x00" + unit
	g := t.groups[id]
	if g == nil {
		g = &total{label, unit, value, count, isFolded}
		t.groups[id], t.order = g, append(t.order, g)
		return
	}
	if isFolded != g.isFolded && t.folded == "" && len(names) > 0 {
		t.folded = strings.Split(g.label, ", ")[0] + " and " + names[0]
	}
	if !isFolded && (g.isFolded || len(label) > len(g.label)) { // with the name that a join has added
		g.label, g.isFolded = label, false
	}
	compared := value.Cmp(g.value)
	switch {
	case t.function == "sum", t.function == "count", t.function == "avg":
		g.value.Add(g.value, value)
		g.count.Add(g.count, count)
	case t.function == "min" && compared < 0, t.function == "max" && compared > 0:
		g.value = value
	}
}

// tell returns the combined groups after a heading, the largest first.
func (t *totals) tell(head string, q question) string {
	for _, g := range t.order {
		if t.function == "avg" {
			g.value.Quo(g.value, g.count) // a group with a sum has a number
		}
	}
	switch {
	case len(t.order) == 0:
		return head + ": no numbers or dates."
	case q.by == "" && len(t.order) == 1:
		return head + ": " + t.format(t.order[0]) + "."
	}
	limit := cmp.Or(q.limit, manyGroups) // of each unit
	slices.SortStableFunc(t.order, func(a, b *total) int {
		switch {
		case a.unit != b.unit:
			return strings.Compare(a.unit, b.unit)
		case t.isByDate && len(t.order) <= limit:
			return strings.Compare(a.label, b.label)
		case q.isAscending, t.function == "min":
			return a.value.Cmp(b.value)
		}
		return b.value.Cmp(a.value)
	})
	lines := []string{head + ":"}
	perUnit, last, tied := map[string]int{}, map[string]*big.Rat{}, 0
	for _, g := range t.order {
		if perUnit[g.unit]++; perUnit[g.unit] > limit {
			if g.value.Cmp(last[g.unit]) == 0 {
				tied++
			}
			continue
		}
		last[g.unit] = g.value
		lines = append(lines, fmt.Sprintf("- %s: %s", cmp.Or(g.label, "without a unit"), t.format(g)))
	}
	if shown := len(lines) - 1; shown < len(t.order) {
		lines = append(lines, fmt.Sprintf("These are %d of %d groups.", shown, len(t.order)))
	}
	if tied > 0 {
		lines = append(lines, tellTied(tied))
	}
	if t.folded != "" {
		lines = append(lines, tellFolded(t.folded))
	}
	return strings.Join(lines, "\n")
}

func (t *totals) format(g *total) string {
	switch {
	case t.typ == profile.Date:
		n, _ := g.value.Float64()
		return profile.FormatDate(n)
	case t.function == "avg":
		return query.FormatAverage(g.value, t.places)
	}
	return g.value.FloatString(t.places)
}
