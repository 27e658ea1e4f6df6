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

// queries returns the calls that ask each file, and those that ask again for the groups of the other files.
func (c *conversation) queries() (asked, again []made) {
	for _, m := range c.find(intaketools.QueryFile) {
		var args struct{ Groups []string }
		_ = json.Unmarshal(m.use.Input, &args) // the reader has written it
		if args.Groups == nil {
			asked = append(asked, m)
		} else {
			again = append(again, m)
		}
	}
	return asked, again
}

// isCut reports whether an answer does not list all of its groups.
func isCut(a *intaketools.Answer) bool { return a.LeftOut > 0 || a.Groups > len(a.Lines) }

// askAgain asks the files whose list of groups is cut for the groups that any file lists, if those are not too many.
func (c *conversation) askAgain(l *found, q question) (a answer) {
	asked, again := c.queries()
	if len(again) > 0 || len(asked) < 2 || q.by == "" {
		return a
	}
	var groups, names []string
	seen := map[string]bool{}
	for _, m := range asked {
		one, ok := decode[intaketools.Answer](&m)
		if !ok {
			continue
		}
		for _, line := range one.Lines {
			if id := groupID(line[0]); !seen[id] {
				seen[id], groups = true, append(groups, line[0])
			}
		}
		if isCut(&one) {
			var args map[string]any
			_ = json.Unmarshal(m.use.Input, &args) // the reader has written it
			a.calls = append(a.calls, call{intaketools.QueryFile, args})
			names = append(names, nameOf(l, one.File))
		}
	}
	isLong := func(group string) bool { return strings.HasSuffix(group, "…") }
	if len(groups) > query.MaxOnly || slices.ContainsFunc(groups, isLong) {
		return answer{}
	}
	for _, call := range a.calls {
		call.args["groups"] = groups
	}
	a.text = fmt.Sprintf("The list of groups of %s is cut. I ask again for the groups that any file lists.\n\n",
		joinSome(names, " and of "))
	return a
}

// tellTotal returns the result of several files together, or why they do not have one.
func (c *conversation) tellTotal(l *found, q question) string {
	const none = "I do not give a result for all of them together: "
	asked, again := c.queries()
	complete := map[string]intaketools.Answer{} // by file, with all groups that any file lists
	for _, m := range again {
		if a, ok := decode[intaketools.Answer](&m); ok {
			complete[a.File] = a
		}
	}
	var answers []intaketools.Answer
	var cut []string
	for _, m := range asked {
		a, ok := decode[intaketools.Answer](&m)
		if !ok {
			continue
		}
		if isCut(&a) {
			second, ok := complete[a.File]
			if !ok {
				cut = append(cut, fmt.Sprintf("%s lists %d of %s", nameOf(l, a.File), len(a.Lines), plural(a.Groups, "group")))
			}
			a = second
		}
		answers = append(answers, a)
	}
	switch {
	case len(answers) == 0:
		return none + "none could be asked."
	case len(cut) > 0:
		return none + strings.Join(cut, ", ") + "."
	}
	t := totals{function: q.function, groups: map[string]*total{}, isByDate: true}
	for _, a := range answers {
		if !t.addAnswer(&a) {
			return none + "some have dates and others have numbers."
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
	text := t.tell(head, q)
	if len(complete) > 0 {
		text += fmt.Sprintf("\nGroups that are not among the first %d of any file are left out.", manyGroups)
	}
	return text
}

// totals combines the groups of several files.
type totals struct {
	function string
	groups   map[string]*total
	order    []*total
	places   int          // the most decimal places of a value
	typ      profile.Type // of the values, or empty before the first one
	isByDate bool         // the groups are dates
}

type total struct {
	label string
	unit  string // the key of the unit
	value *big.Rat
	count *big.Rat // of the numbers of an average
}

// groupID returns the form in which groups of several files are compared.
func groupID(name string) string { return string(profile.Key([]byte(name), nil)) }

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
	id, label, unit := "", strings.Join(names, ", "), a.Unit
	if a.UnitColumn != "" {
		unit, names = names[len(names)-1], names[:len(names)-1]
	} else if unit != "" {
		label = strings.Join(slices.Concat(names, []string{unit}), ", ")
	}
	if len(names) > 0 {
		id = groupID(names[0])
	}
	unit = query.UnitKey(unit)
	id += "\x00" + unit
	g := t.groups[id]
	if g == nil {
		g = &total{label, unit, value, count}
		t.groups[id], t.order = g, append(t.order, g)
		return
	}
	if len(label) > len(g.label) { // with the name that a join has added
		g.label = label
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
	lines, none := []string{head + ":"}, "(empty)"
	if q.by == "" {
		none = "without a unit"
	}
	perUnit := map[string]int{}
	for _, g := range t.order {
		if perUnit[g.unit]++; perUnit[g.unit] > limit {
			continue
		}
		lines = append(lines, fmt.Sprintf("- %s: %s", cmp.Or(g.label, none), t.format(g)))
	}
	if shown := len(lines) - 1; shown < len(t.order) {
		lines = append(lines, fmt.Sprintf("These are %d of %d groups.", shown, len(t.order)))
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
