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
	"errors"
	"fmt"
	"math"
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

// Condition compares a column with a value. The operators eq, ne, lt, le, gt and ge compare numbers if both sides are
// numbers, and otherwise texts; contains ignores case; missing and present ignore the value.
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
	// Ignored is the number of values that a measure needed as numbers and that are not.
	Ignored int64 `json:"values_ignored,omitempty"`
}

type group struct {
	names []string
	rows  int64
	sums  []float64
	count []int64
	min   []float64
	max   []float64
}

// Query is a query in progress. It is not safe for concurrent use.
type Query struct {
	o       Options
	numbers []float64 // of the conditions, or NaN
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
		n, ok := profile.ParseNumber([]byte(c.Value))
		if !ok {
			n = math.NaN()
		}
		q.numbers = append(q.numbers, n)
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
	return q, nil
}

// Add adds a row.
func (q *Query) Add(row Row) {
	q.result.Read++
	for i, c := range q.o.Where {
		if !matches(row(c.Column), c, q.numbers[i]) {
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
	n := len(q.o.Measures)
	g = &group{sums: make([]float64, n), count: make([]int64, n), min: make([]float64, n), max: make([]float64, n)}
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
	v := bytes.TrimSpace(row(m.Column))
	if m.Function == Count {
		if len(v) > 0 {
			g.count[i]++
		}
		return
	}
	n, ok := profile.ParseNumber(v)
	if !ok {
		if len(v) > 0 {
			q.result.Ignored++
		}
		return
	}
	if g.count[i] == 0 {
		g.min[i], g.max[i] = n, n
	}
	g.count[i]++
	g.sums[i] += n
	g.min[i], g.max[i] = min(g.min[i], n), max(g.max[i], n)
}

// Result returns the groups, sorted by the first measure, or the first rows.
func (q *Query) Result() Result {
	out := q.result
	if len(q.o.Measures) == 0 {
		return out
	}
	out.Groups = len(q.groups)
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
			line = append(line, formatNumber(q.value(g, i)))
		}
		out.Lines = append(out.Lines, line)
	}
	return out
}

// value returns a measure of a group, or NaN if no value was a number.
func (q *Query) value(g *group, i int) float64 {
	m := q.o.Measures[i]
	switch {
	case m.Column == "":
		return float64(g.rows)
	case m.Function == Count:
		return float64(g.count[i])
	case g.count[i] == 0:
		return math.NaN()
	case m.Function == Avg:
		return g.sums[i] / float64(g.count[i])
	case m.Function == Min:
		return g.min[i]
	case m.Function == Max:
		return g.max[i]
	}
	return g.sums[i]
}

func formatNumber(n float64) string {
	switch {
	case math.IsNaN(n):
		return ""
	case n == math.Trunc(n) && math.Abs(n) < 1e15:
		return strconv.FormatFloat(n, 'f', 0, 64)
	}
	return strconv.FormatFloat(n, 'f', 2, 64)
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

func matches(v []byte, c Condition, number float64) bool {
	v = bytes.TrimSpace(v)
	switch c.Operator {
	case "missing":
		return len(v) == 0
	case "present":
		return len(v) > 0
	case "contains":
		return bytes.Contains(bytes.ToLower(v), []byte(strings.ToLower(c.Value)))
	}
	compared := 0
	n, ok := profile.ParseNumber(v)
	switch {
	case ok && !math.IsNaN(number):
		switch {
		case n < number:
			compared = -1
		case n > number:
			compared = 1
		}
	case (len(v) == 0 || !math.IsNaN(number)) && c.Operator != "eq" && c.Operator != "ne":
		return false // a missing value, or a text where the condition has a number
	case strings.EqualFold(string(v), c.Value):
	default:
		compared = bytes.Compare(v, []byte(c.Value))
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
