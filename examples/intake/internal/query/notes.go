package query

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/carrel-go/carrel/examples/intake/internal/profile"
)

// findings are facts for the notes of a result.
type findings struct {
	hours        int64  // dates whose time of day was left out
	merged       string // two texts that are one group
	shortYears   int64
	shortYear    string
	addedDates   int64    // dates that a sum or an average ignores
	listedTotals int64    // rows of a result that look like total rows
	totals       []string // names of rows that are left out
}

// settle adds the notes about how the values were read.
func (q *Query) settle(out *Result) {
	add := func(format string, args ...any) { out.Notes = append(out.Notes, fmt.Sprintf(format, args...)) }
	out.Notes = append([]string{}, out.Notes...)
	for i := range q.tests {
		t := &q.tests[i]
		if t.others > 0 {
			add("%s no value of %.60q that can be compared, because it is missing or of another type, and counts as not "+
				"equal to %.60q", profile.CountOf(t.others, "matching row has", "matching rows have"), t.Column, t.Value)
		}
		if t.spelled != "" {
			add("numbers of %.60q that are equal to %.60q count, however they are written, such as %.60q", t.Column, t.Value,
				t.spelled)
		}
		if t.codes > 0 {
			add("%.60q has codes, which are compared as texts: %s, such as %s, the same number as "+
				"%.60q, but not equal to it", t.Column, profile.CountOf(t.codes, "value is", "values are"), t.code, t.Value)
		}
		q.testUnitNotes(t, add)
		if len(t.units) > 0 {
			out.ConditionUnits = append(out.ConditionUnits, ConditionUnits{t.Column, slices.Clone(t.units)})
		}
	}
	s := &q.seen
	if s.merged != "" {
		add("groups have one number each, however it is written: %s are one group", s.merged)
	}
	if s.hours > 0 {
		add("the dates are grouped by day: %s, which is left out", profile.CountOf(s.hours, "value has a time",
			"values have a time"))
	}
	if s.shortYears > 0 {
		add("years of two digits are taken as 1969 to 2068: %s", s.shortYear)
	}
	if s.addedDates > 0 {
		add("dates cannot be added, so they do not have a sum or an average: %s ignored",
			profile.CountOf(s.addedDates, "is", "are"))
	}
	if s.listedTotals > 0 {
		add("%s like a total row", profile.CountOf(s.listedTotals, "matching row looks", "matching rows look"))
	}
	q.codeNotes(add)
	q.unitNotes(add)
}

// testUnitNotes reports the units of the numbers that a condition has compared if there are several.
func (q *Query) testUnitNotes(t *test, add func(string, ...any)) {
	if t.other > 0 {
		add("in %.60q, %s another unit than %.60q and cannot be compared with it: %s", t.Column, profile.CountOf(t.other,
			"number has", "numbers have"), t.Value, DescribeUnits(t.otherUnits))
	}
	switch column := q.o.ConditionUnits[t.Column]; {
	case t.isFraction():
		add("%.60q is in percent, so %.60s is compared as %[2]s%%: write %s%% if you mean that part of 1", t.Column,
			t.Value, strconv.FormatFloat(100*t.want.Number, 'g', 12, 64))
	case len(t.units) < 2:
	case column != "":
		add("the numbers of %.60q are compared without their units, which are in %.60q and differ: %s", t.Column, column,
			DescribeUnits(t.units))
	default:
		add("numbers of %.60q have several units, such as %s and %s, and are compared without them", t.Column,
			cmp.Or(t.units[0], "none"), cmp.Or(t.units[1], "none"))
	}
}

// codeNotes reports that columns of codes do not have numbers.
func (q *Query) codeNotes(add func(string, ...any)) {
	for i := range q.tests {
		t := &q.tests[i]
		c := q.o.Profiles[t.Column]
		if c == nil || !isOrder(t.Operator) {
			continue
		}
		if c.CodesByName {
			add("%.60q has codes by its name or meaning, so its order is that of texts: character by character", t.Column)
		}
		if c.MayBeCodes {
			add("%.60q may have codes by its name, but its values look like amounts and are compared as numbers", t.Column)
		}
	}
	for _, column := range q.o.GroupBy {
		if c := q.o.Profiles[column]; c != nil && c.Spelled && c.CodeExample != "" {
			add("%.60q may have codes, such as %s, so its values are grouped as they are written", column, c.CodeExample)
		}
	}
	for i, m := range q.o.Measures {
		c := q.o.Profiles[m.Column]
		if c != nil && c.MayBeCodes && q.isFirst[i] {
			add("%.60q may have codes by its name, but its values look like amounts and are taken as numbers", m.Column)
		}
		if c == nil || !c.Codes || !q.isFirst[i] {
			continue
		}
		if c.CodesByName {
			add("%.60q is read as texts, because its name or meaning says that it has codes, which are not added or "+
				"compared as numbers", m.Column)
			continue
		}
		add("%.60q is read as texts, because it has values such as %s: they are codes, which "+
			"are not added or compared as numbers", m.Column, c.CodeExample)
	}
}

// unitNotes reports the units of the numbers.
func (q *Query) unitNotes(add func(string, ...any)) {
	switch named := q.units.named(); {
	case len(q.units) == 1 && len(named) == 1:
		add("the numbers are in %.60s", q.units[named[0]].label)
	case len(q.units) < 2:
	case q.units.hasSeveral():
		add("the numbers have several units, and each unit has its own result: %s", q.units.describe())
	default:
		add("some numbers have a unit and others do not, and they are taken together: %s", q.units.describe())
	}
}

// totalNotes reports the rows that are left out as total rows, and the values of the measures with them.
func (q *Query) totalNotes(list []*group) []string {
	n := q.result.Totals
	if n == 0 {
		return nil
	}
	note := profile.CountOf(n, "row that looks like a total row is", "rows that look like total rows are") + " left out"
	names := strings.Join(q.seen.totals, ", ")
	if more := n - int64(len(q.seen.totals)); more > 0 {
		names += fmt.Sprintf(" and %d more", more)
	}
	if len(q.o.GroupBy) > 0 || len(list) != 1 || len(q.units) > 1 {
		return []string{note + ": " + names}
	}
	with := list[0].clone()
	with.merge(q.totals)
	var figures []string
	for i, m := range q.o.Measures {
		figures = append(figures, fmt.Sprintf("%s is %s", m.Name(), cmp.Or(q.format(with, i), "empty")))
	}
	return []string{note + ": with " + map[bool]string{true: "it", false: "them"}[n == 1] + ", " +
		strings.Join(figures, ", ") + "; left out: " + names}
}
