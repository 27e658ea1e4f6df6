package query

import (
	"bytes"
	"cmp"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/carrel-go/carrel/examples/intake/internal/profile"
)

// Row returns the value of a column of the current row, or nil. The value need not stay valid.
type Row func(column string) []byte

// Line is a group or a row of a result, with one value for each of Result.Columns.
type Line []string

// Result is the answer so far.
type Result struct {
	Columns []string `json:"columns"`
	Lines   []Line   `json:"rows"`
	Read    int64    `json:"rows_read"`
	Matched int64    `json:"rows_matched"`
	// Types are those of the measures, which are the last columns of a line: date, or decimal for other numbers.
	Types []profile.Type `json:"measure_types,omitempty"`
	// Groups is the number of groups. LeftOut is the number of rows whose groups were too many.
	Groups  int   `json:"groups,omitempty"`
	LeftOut int64 `json:"rows_left_out,omitempty"`
	// Order is how the lines of groups are sorted, such as "largest first".
	Order string `json:"order,omitempty"`
	// Folded is two names of a group of several files that are the same whole number, such as 101 and 101.0, or empty.
	Folded string `json:"folded,omitempty"`
	// Tied is the number of groups after the last line that have the same first measure as it.
	Tied int `json:"groups_tied,omitempty"`
	// UnitColumn is the name of the column before the measures that has the unit of a line, if the numbers have several.
	// Unit is the only one that they have, or empty.
	UnitColumn string `json:"unit_column,omitempty"`
	Unit       string `json:"unit,omitempty"`
	// ConditionUnits are the units of the numbers that the conditions have compared.
	ConditionUnits []ConditionUnits `json:"condition_units,omitempty"`
	// Totals is the number of rows that match but look like total rows, so that they are left out.
	Totals int64 `json:"total_rows_left_out,omitempty"`
	// Ignored is the number of values that a measure needed as numbers or dates and that are not.
	Ignored int64 `json:"values_ignored,omitempty"`
	// Incomparable is the number of values that are not missing and that a condition could not compare with its number
	// or date.
	Incomparable int64 `json:"values_not_compared,omitempty"`
	// OtherUnits is how many of them are numbers of another unit than that of the condition.
	OtherUnits int64 `json:"-"`
	// Approximate reports that a sum has numbers with a large exponent.
	Approximate bool `json:"approximate,omitempty"`
	// MixedUnits reports that the numbers have several units, such as $ and €, or that some do not have one.
	MixedUnits bool `json:"mixed_units,omitempty"`
	// Assumed is the number of values that can be read in two ways and that the file does not decide.
	Assumed int64 `json:"values_assumed,omitempty"`
	// AssumedExample is one of them, with the way in which it was read.
	AssumedExample string `json:"assumed_example,omitempty"`
	// Notes are sentences about how values were read and which of them are left out.
	Notes []string `json:"-"`
}

// The values of Result.Order.
const (
	OrderByDate   = "by date"
	smallestFirst = "smallest first"
	largestFirst  = "largest first"
)

// isByDate reports whether the groups are days, months or years.
func (q *Query) isByDate() bool {
	if len(q.o.GroupBy) == 0 {
		return false
	}
	return q.hasDates(q.o.GroupBy[0])
}

// hasDates reports whether a column has dates, by its profile.
func (q *Query) hasDates(column string) bool {
	c := q.o.Profiles[column]
	return c != nil && c.Type == profile.Date
}

// isDates reports whether most values of a measure are dates.
func (q *Query) isDates(i int) bool { return q.dates[i] > q.numbers[i] }

// Result returns the groups, sorted by the first measure, or the first rows. Groups of dates are in their order if all
// are returned.
func (q *Query) Result() Result {
	out := q.result
	q.settle(&out)
	if len(q.o.Measures) == 0 {
		return out
	}
	list := q.lines(&out)
	for i := range q.o.Measures {
		if q.isFirst[i] {
			out.Ignored += min(q.dates[i], q.numbers[i])
		}
		out.Types = append(out.Types, map[bool]profile.Type{true: profile.Date, false: profile.Decimal}[q.isDates(i)])
	}
	q.sort(list, &out)
	out.Lines = []Line{}
	perUnit := map[string]int{}
	last := map[string]*group{}
	for _, g := range list {
		unit := UnitKey(g.unit)
		if perUnit[unit]++; perUnit[unit] > q.o.Limit || len(out.Lines) == maxLines {
			if last[unit] != nil && out.Order != OrderByDate && q.compareGroups(last[unit], g) == 0 {
				out.Tied++
			}
			continue
		}
		last[unit] = g
		line := slices.Clone(g.names)
		if out.UnitColumn != "" {
			line = append(line, g.unit)
		}
		for i, m := range q.o.Measures {
			line = append(line, q.format(g, i))
			out.Approximate = out.Approximate || isAddition(m) && g.totals[i].isFloat
		}
		out.Lines = append(out.Lines, line)
	}
	if out.Tied > 0 {
		out.Notes = append(out.Notes, profile.CountOf(int64(out.Tied), "more group has", "more groups have")+
			" the same value as the last one of the list")
	}
	out.Notes = append(out.Notes, q.totalNotes(list)...)
	return out
}

// maxLines is the number of lines of a result whose groups have several units.
const maxLines = 4 * MaxLimit

// lines returns the groups: those of one unit each if the numbers have several units.
func (q *Query) lines(out *Result) []*group {
	out.MixedUnits = len(q.units) > 1
	if named := q.units.named(); len(named) == 1 && len(q.units) == 1 {
		out.Unit = q.units[named[0]].label
	}
	if q.units.hasSeveral() || q.isTogether && len(q.units) > 1 {
		out.UnitColumn = q.unitColumn()
		at := len(q.o.GroupBy)
		out.Columns = slices.Insert(slices.Clone(out.Columns), at, out.UnitColumn)
	}
	byID := map[string]*group{}
	var list []*group
	for _, id := range sortedKeys(q.groups) {
		g := q.groups[id]
		key := g.id
		if out.UnitColumn != "" {
			key = id
		}
		if first := byID[key]; first != nil {
			first.merge(g)
			continue
		}
		g = g.clone()
		byID[key], list = g, append(list, g)
	}
	if out.UnitColumn != "" {
		list = slices.DeleteFunc(list, q.isPointless)
	}
	out.Groups = len(list)
	if len(list) == 0 && len(q.o.GroupBy) == 0 { // no rows, which are zero
		list = append(list, q.newGroup())
	}
	return list
}

// isPointless reports whether a group that has numbers of one unit does not have any, and nothing else to tell.
func (q *Query) isPointless(g *group) bool {
	for i, m := range q.o.Measures {
		if !takesUnit(m) && m.Function != Numbers || q.format(g, i) != "" && m.Function != Numbers {
			return false
		}
	}
	return true
}

func sortedKeys(groups map[string]*group) []string {
	keys := make([]string, 0, len(groups))
	for id := range groups {
		keys = append(keys, id)
	}
	slices.Sort(keys)
	return keys
}

// sort sorts the groups of each unit.
func (q *Query) sort(list []*group, out *Result) {
	isDated := q.isByDate() && q.o.Granularity != Time && len(list) <= q.o.Limit
	switch {
	case len(q.o.GroupBy) == 0:
	case isDated:
		out.Order = OrderByDate
	case q.o.Ascending:
		out.Order = smallestFirst
	default:
		out.Order = largestFirst
	}
	slices.SortStableFunc(list, func(a, b *group) int {
		if n := strings.Compare(UnitKey(a.unit), UnitKey(b.unit)); n != 0 && out.UnitColumn != "" {
			return n
		}
		if isDated {
			return slices.Compare(a.names, b.names)
		}
		return cmp.Or(q.compareGroups(a, b), slices.Compare(a.names, b.names))
	})
}

// compareGroups compares the first measure of two groups in the order of the query. A group without a value is last.
func (q *Query) compareGroups(a, b *group) int {
	x, y := q.value(a, 0), q.value(b, 0)
	n := cmp.Compare(x, y)
	switch {
	case math.IsNaN(x) && math.IsNaN(y):
		return 0
	case math.IsNaN(x):
		return 1
	case math.IsNaN(y):
		return -1
	case x == y:
		m := q.o.Measures[0]
		if !isRange(m) || q.isDates(0) {
			return 0
		}
		n = profile.Compare(a.totals[0].extreme(m.Function), b.totals[0].extreme(m.Function))
	}
	if q.o.Ascending {
		return n
	}
	return -n
}

// value returns a measure of a group for sorting, or NaN if it does not have a value.
func (q *Query) value(g *group, i int) float64 {
	m, t := q.o.Measures[i], &g.totals[i]
	switch {
	case m.Column == "":
		return float64(g.rows)
	case m.Function == Count || m.Function == Numbers:
		return float64(t.count)
	}
	return t.value(m.Function, q.isDates(i))
}

// format returns a measure of a group as text. It is empty if the group does not have a value.
func (q *Query) format(g *group, i int) string {
	m, t := q.o.Measures[i], &g.totals[i]
	switch {
	case m.Column == "":
		return strconv.FormatInt(g.rows, 10)
	case m.Function == Count || m.Function == Numbers:
		return strconv.FormatInt(t.count, 10)
	}
	return t.format(m.Function, q.isDates(i))
}

// text returns the beginning of a value as valid UTF-8.
func text(v []byte) string {
	v = bytes.TrimSpace(v)
	s := strings.ToValidUTF8(string(v[:min(len(v), maxValue)]), "")
	if len(v) > maxValue {
		s += "…"
	}
	return s
}
