// Package query answers questions about one table in one pass and bounded memory: it filters rows, joins a small table
// by a column, groups, and counts, adds or compares.
//
//	q, err := query.New(&query.Options{
//		GroupBy: []string{"supplier_id"}, Measures: []query.Measure{{Function: query.Sum, Column: "quantity"}},
//	})
//	for row := range rows {
//		q.Add(row) // a function that returns the value of a column
//	}
//	result := q.Result()
//
// It holds at most [MaxGroups] groups; rows of further ones are counted together and said to be left out. Without
// groups and measures it returns the first matching rows. It does not sort more than its groups and does not read
// files.
package query

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"math"
	"math/big"
	"slices"
	"strconv"
	"strings"

	"github.com/carrel-go/carrel/examples/intake/internal/profile"
)

// The limits of a Query.
const (
	MaxGroups = 10_000
	MaxLimit  = 50
	maxValue  = 200 // bytes of a value in a result
)

// Function is a function of a measure.
type Function string

// The functions.
const (
	Count Function = "count"
	Sum   Function = "sum"
	Avg   Function = "avg"
	Min   Function = "min"
	Max   Function = "max"
)

// Measure is a number for each group. Column is empty for a count of rows.
type Measure struct {
	Function Function
	Column   string
}

// Name returns the name of the measure in a result, such as sum(quantity).
func (m Measure) Name() string {
	if m.Column == "" {
		return "rows"
	}
	return string(m.Function) + "(" + m.Column + ")"
}

// Condition compares a column with a value. The operators eq, ne, lt, le, gt and ge compare numbers or dates if the
// value is one, and otherwise texts; dates are compared by day. contains ignores case; missing and present ignore the
// value. A value is missing if a profile counts it so, such as "n/a".
type Condition struct{ Column, Operator, Value string }

// Operators returns the operators of a Condition.
func Operators() []string {
	return []string{"eq", "ne", "lt", "le", "gt", "ge", "contains", "missing", "present"}
}

// Options describes a query.
type Options struct {
	Where     []Condition
	GroupBy   []string
	Measures  []Measure
	Columns   []string // of the rows, without groups and measures
	Limit     int      // of groups or rows; zero means 10
	Ascending bool     // of the first measure
	// Profiles has the profiles of columns by name. They decide how numbers and dates are read.
	Profiles map[string]*profile.Column
}

// ErrOptions is returned for invalid options.
var ErrOptions = errors.New("query: invalid options")

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
	// Groups is the number of groups. LeftOut is the number of rows whose groups were too many.
	Groups  int   `json:"groups,omitempty"`
	LeftOut int64 `json:"rows_left_out,omitempty"`
	// Ignored is the number of values that a measure needed as numbers or dates and that are not.
	Ignored int64 `json:"values_ignored,omitempty"`
	// Incomparable is the number of values that are not missing and that a condition could not compare with its number
	// or date.
	Incomparable int64 `json:"values_not_compared,omitempty"`
	// MixedUnits reports that the numbers of a measure have several units, such as $ and €.
	MixedUnits bool `json:"mixed_units,omitempty"`
	// Assumed is the number of values that can be read in two ways and that the file does not decide.
	Assumed int64 `json:"values_assumed,omitempty"`
	// AssumedExample is one of them, with the way in which it was read.
	AssumedExample string `json:"assumed_example,omitempty"`
}

type group struct {
	names  []string
	rows   int64
	totals []total
}

// Query is a query in progress. It is not safe for concurrent use.
type Query struct {
	o       Options
	values  []profile.Value // of the conditions
	numbers []int64         // read for each measure
	dates   []int64
	units   []string // of the first number of each measure
	groups  map[string]*group
	result  Result
	id      []byte
}

// New returns a Query.
func New(o *Options) (*Query, error) {
	q := &Query{o: *o, groups: map[string]*group{}}
	if q.o.Limit == 0 {
		q.o.Limit = 10
	}
	if q.o.Limit < 0 || q.o.Limit > MaxLimit {
		return nil, fmt.Errorf("%w: limit %d: must be 1 to %d", ErrOptions, o.Limit, MaxLimit)
	}
	for _, c := range o.Where {
		if !slices.Contains(Operators(), c.Operator) {
			return nil, fmt.Errorf("%w: operator %.20q: must be one of %s", ErrOptions, c.Operator,
				strings.Join(Operators(), ", "))
		}
		v := q.read([]byte(c.Value), c.Column)
		if v.HasTime && isOrder(c.Operator) {
			return nil, fmt.Errorf("%w: value %.40q: must be a day without a time, such as 2026-01-31", ErrOptions, c.Value)
		}
		q.values = append(q.values, v)
	}
	for _, m := range o.Measures {
		if m.Column == "" && m.Function != Count {
			return nil, fmt.Errorf("%w: %s needs a column", ErrOptions, m.Function)
		}
	}
	if len(o.GroupBy) > 0 && len(o.Measures) == 0 {
		q.o.Measures = []Measure{{Function: Count}}
	}
	q.result.Columns = append(q.result.Columns, o.GroupBy...)
	for _, m := range q.o.Measures {
		q.result.Columns = append(q.result.Columns, m.Name())
	}
	if len(q.o.Measures) == 0 {
		q.result.Columns = append(q.result.Columns, o.Columns...)
	}
	q.result.Lines = []Line{}
	q.units = make([]string, len(q.o.Measures))
	q.numbers, q.dates = make([]int64, len(q.o.Measures)), make([]int64, len(q.o.Measures))
	return q, nil
}

// read reads a value of a column, and counts it if the file does not decide how.
func (q *Query) read(b []byte, column string) profile.Value {
	v := profile.ReadValue(b, q.o.Profiles[column])
	if v.Assumed {
		q.result.Assumed++
		if q.result.AssumedExample == "" {
			shown := profile.FormatDate(v.Number)
			if v.IsNumber() {
				shown = formatDigits(big.NewInt(v.Digits), v.Places)
			}
			q.result.AssumedExample = fmt.Sprintf("%s is read as %s", text(b), shown)
		}
	}
	return v
}

// Add adds a row.
func (q *Query) Add(row Row) {
	q.result.Read++
	for i, c := range q.o.Where {
		if !q.matches(row(c.Column), c, q.values[i]) {
			return
		}
	}
	q.result.Matched++
	if len(q.o.Measures) == 0 {
		if len(q.result.Lines) < q.o.Limit {
			var line Line
			for _, c := range q.o.Columns {
				line = append(line, text(row(c)))
			}
			q.result.Lines = append(q.result.Lines, line)
		}
		return
	}
	g := q.groupOf(row)
	if g == nil {
		q.result.LeftOut++
		return
	}
	g.rows++
	for i, m := range q.o.Measures {
		q.measure(g, i, m, row)
	}
}

// IsFull reports whether more rows cannot change the result but its counts.
func (q *Query) IsFull() bool { return len(q.o.Measures) == 0 && len(q.result.Lines) == q.o.Limit }

// groupOf returns the group of a row, or nil if there are too many.
func (q *Query) groupOf(row Row) *group {
	q.id = q.id[:0]
	for _, c := range q.o.GroupBy {
		v := bytes.TrimSpace(row(c))
		q.id = append(append(q.id, v[:min(len(v), maxValue)]...), 0)
	}
	g, ok := q.groups[string(q.id)]
	if ok {
		return g
	}
	if len(q.groups) == MaxGroups {
		return nil
	}
	g = &group{totals: make([]total, len(q.o.Measures))}
	for _, c := range q.o.GroupBy {
		g.names = append(g.names, text(row(c)))
	}
	q.groups[string(q.id)] = g
	return g
}

func (q *Query) measure(g *group, i int, m Measure, row Row) {
	if m.Column == "" {
		return
	}
	v, t := q.read(row(m.Column), m.Column), &g.totals[i]
	isRange := m.Function == Min || m.Function == Max
	switch {
	case v.Type == profile.Empty:
	case m.Function == Count:
		t.count++
	case v.IsNumber():
		if q.numbers[i] == 0 {
			q.units[i] = v.Unit
		}
		q.result.MixedUnits = q.result.MixedUnits || v.Unit != q.units[i]
		q.numbers[i]++
		t.add(v)
	case v.Type == profile.Date && isRange:
		q.dates[i]++
		t.addDate(v.Number)
	default:
		q.result.Ignored++
	}
}

// isDates reports whether most values of a measure are dates.
func (q *Query) isDates(i int) bool { return q.dates[i] > q.numbers[i] }

// Result returns the groups, sorted by the first measure, or the first rows.
func (q *Query) Result() Result {
	out := q.result
	if len(q.o.Measures) == 0 {
		return out
	}
	out.Groups = len(q.groups)
	for i := range q.o.Measures {
		out.Ignored += min(q.dates[i], q.numbers[i])
	}
	list := make([]*group, 0, len(q.groups))
	for _, g := range q.groups {
		list = append(list, g)
	}
	slices.SortFunc(list, func(a, b *group) int {
		x, y := q.value(a, 0), q.value(b, 0)
		switch {
		case x == y || math.IsNaN(x) && math.IsNaN(y):
			return slices.Compare(a.names, b.names)
		case math.IsNaN(x): // last, whatever the order
			return 1
		case math.IsNaN(y), (x < y) == q.o.Ascending:
			return -1
		}
		return 1
	})
	out.Lines = []Line{}
	for _, g := range list[:min(len(list), q.o.Limit)] {
		line := slices.Clone(g.names)
		for i := range q.o.Measures {
			line = append(line, q.format(g, i))
		}
		out.Lines = append(out.Lines, line)
	}
	return out
}

// value returns a measure of a group for sorting, or NaN if it does not have a value.
func (q *Query) value(g *group, i int) float64 {
	m, t := q.o.Measures[i], &g.totals[i]
	switch {
	case m.Column == "":
		return float64(g.rows)
	case m.Function == Count:
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
	case m.Function == Count:
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

func isOrder(operator string) bool {
	return operator == "lt" || operator == "le" || operator == "gt" || operator == "ge"
}

func (q *Query) matches(b []byte, c Condition, want profile.Value) bool {
	b = bytes.TrimSpace(b)
	if c.Operator == "contains" {
		return bytes.Contains(bytes.ToLower(b), []byte(strings.ToLower(c.Value)))
	}
	v := q.read(b, c.Column)
	switch c.Operator {
	case "missing":
		return v.Type == profile.Empty
	case "present":
		return v.Type != profile.Empty
	}
	compared := 0
	isDay := v.Type == profile.Date && want.Type == profile.Date && (!want.HasTime || isOrder(c.Operator))
	switch isMeasured := want.IsNumber() || want.Type == profile.Date; {
	case isDay, v.IsNumber() && want.IsNumber():
		compared = compareNumbers(v, want)
	case isMeasured && v.Type != profile.Empty && isOrder(c.Operator):
		q.result.Incomparable++
		return false
	case v.Type == profile.Empty && isOrder(c.Operator):
		return false
	case strings.EqualFold(string(b), c.Value):
	default:
		compared = bytes.Compare(b, []byte(c.Value))
	}
	switch c.Operator {
	case "eq":
		return compared == 0
	case "ne":
		return compared != 0
	case "lt":
		return compared < 0
	case "le":
		return compared <= 0
	case "gt":
		return compared > 0
	}
	return compared >= 0
}

func compareNumbers(a, b profile.Value) int {
	if a.IsExact && b.IsExact && a.Places == b.Places {
		return cmp.Compare(a.Digits, b.Digits)
	}
	return cmp.Compare(a.Number, b.Number)
}
