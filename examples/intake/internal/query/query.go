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
// groups and measures it returns the first matching rows. Values that differ only by case are one
// group, with the spelling of its first row. It does not sort more than its groups and does not read files.
package query

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/maphash"
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
	// MaxOnly is the number of groups that Options.Only can name.
	MaxOnly  = 200
	maxValue = 200 // bytes of a value in a result
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
	// Numbers is how many values are numbers: an average is a sum divided by it.
	Numbers Function = "numbers"
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

// Options describes a query.
type Options struct {
	Where     []Condition
	GroupBy   []string
	Measures  []Measure
	Columns   []string // of the rows, without groups and measures
	Only      []string // values of the first column of GroupBy: other groups are left out, and all of these are returned
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
	// Types are those of the measures, which are the last columns of a line: date, or decimal for other numbers.
	Types []profile.Type `json:"measure_types,omitempty"`
	// Groups is the number of groups. LeftOut is the number of rows whose groups were too many.
	Groups  int   `json:"groups,omitempty"`
	LeftOut int64 `json:"rows_left_out,omitempty"`
	// Ignored is the number of values that a measure needed as numbers or dates and that are not.
	Ignored int64 `json:"values_ignored,omitempty"`
	// Incomparable is the number of values that are not missing and that a condition could not compare with its number
	// or date.
	Incomparable int64 `json:"values_not_compared,omitempty"`
	// Approximate reports that a sum has numbers with an exponent or more than 18 digits.
	Approximate bool `json:"approximate,omitempty"`
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
	keys    []string
	only    map[string]bool // nil for all groups
	isFirst []bool          // of a sum and an average of the same column, the first one counts ignored values
	key     []byte          // a buffer
	seed    maphash.Seed
	numbers []int64 // read for each measure
	dates   []int64
	units   []string // of the first number of each measure
	groups  map[string]*group
	result  Result
	id      []byte
}

// New returns a Query.
func New(o *Options) (*Query, error) {
	q := &Query{o: *o, groups: map[string]*group{}, seed: maphash.MakeSeed()}
	if q.o.Limit == 0 {
		q.o.Limit = 10
	}
	if q.o.Limit < 0 || q.o.Limit > MaxLimit {
		return nil, fmt.Errorf("%w: limit %d: must be 1 to %d", ErrOptions, o.Limit, MaxLimit)
	}
	switch {
	case len(o.Only) > MaxOnly:
		return nil, fmt.Errorf("%w: %d groups: must be at most %d", ErrOptions, len(o.Only), MaxOnly)
	case len(o.Only) > 0 && len(o.GroupBy) == 0:
		return nil, fmt.Errorf("%w: groups needs group_by", ErrOptions)
	case len(o.Only) > 0:
		q.o.Limit, q.only = MaxOnly, map[string]bool{}
	}
	for _, value := range o.Only {
		q.only[string(profile.Key([]byte(value), nil))] = true
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
		if err := checkValue(c, v, o.Profiles[c.Column]); err != nil {
			return nil, err
		}
		q.values = append(q.values, v)
		q.keys = append(q.keys, string(profile.Key([]byte(c.Value), nil)))
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
	q.isFirst = make([]bool, len(q.o.Measures))
	for i, m := range q.o.Measures {
		isSame := func(o Measure) bool {
			return o == m || o.Column == m.Column && isAddition(o) && isAddition(m)
		}
		isCounted := m.Function == Count || m.Function == Numbers
		q.isFirst[i] = !isCounted && slices.IndexFunc(q.o.Measures, isSame) == i
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
		if !q.matches(row(c.Column), i) {
			return
		}
	}
	if q.only != nil && !q.only[string(profile.Key(row(q.o.GroupBy[0]), &q.key))] {
		return
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
		v := profile.Key(row(c), &q.key)
		q.id = binary.AppendUvarint(q.id, uint64(len(v)))
		q.id = append(q.id, v[:min(len(v), maxValue)]...)
		if len(v) > maxValue {
			q.id = binary.NativeEndian.AppendUint64(q.id, maphash.Bytes(q.seed, v))
		}
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

func isAddition(m Measure) bool { return m.Function == Sum || m.Function == Avg }

func isRange(m Measure) bool { return m.Function == Min || m.Function == Max }

func (q *Query) measure(g *group, i int, m Measure, row Row) {
	if m.Column == "" {
		return
	}
	v, t := q.read(row(m.Column), m.Column), &g.totals[i]
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
	case v.Type == profile.Date && isRange(m):
		q.dates[i]++
		t.addDate(v.Number)
	case q.isFirst[i]:
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
		if q.isFirst[i] {
			out.Ignored += min(q.dates[i], q.numbers[i])
		}
		out.Types = append(out.Types, map[bool]profile.Type{true: profile.Date, false: profile.Decimal}[q.isDates(i)])
	}
	list := make([]*group, 0, len(q.groups))
	for _, g := range q.groups {
		list = append(list, g)
	}
	if len(list) == 0 && len(q.o.GroupBy) == 0 { // no rows, which are zero
		list = append(list, &group{totals: make([]total, len(q.o.Measures))})
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
		for i, m := range q.o.Measures {
			line = append(line, q.format(g, i))
			out.Approximate = out.Approximate || isAddition(m) && g.totals[i].isFloat
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
