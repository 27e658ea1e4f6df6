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
// Values are compared and grouped in the type of their column: 1.50 is 1.5, and a date is its day. Numbers that may be
// codes, such as 1.10 beside 1.2, are equal only as they are written, but are added and ordered as numbers. Numbers of
// several units, such as EUR and USD, have a result for each. Rows that look like total rows are left out of measures.
//
// It holds at most [MaxGroups] groups; rows of further ones are counted together and said to be left out. Without
// groups and measures it returns the first matching rows. Values that differ only by case are one
// group, with the spelling of its first row. It does not sort more than its groups and does not read files.
package query

import (
	"cmp"
	"errors"
	"fmt"
	"hash/maphash"
	"slices"

	"github.com/carrel-go/carrel/examples/intake/internal/profile"
)

// The limits of a Query.
const (
	MaxGroups = 10_000
	MaxLimit  = 50
	// MaxGroupBy is the number of columns that make the groups.
	MaxGroupBy = 3
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
	Where       []Condition
	GroupBy     []string
	Measures    []Measure
	Columns     []string    // of the rows, without groups and measures
	Only        []string    // values of the first column of GroupBy: the only groups, all of which are returned
	Limit       int         // of groups or rows; zero means 10
	Ascending   bool        // of the first measure
	Granularity Granularity // of the columns of GroupBy that have dates; empty means Day
	// Units has the columns with the units of measured columns, such as currency for amount.
	Units map[string]string
	// NamedUnits has the units that the names of measured columns have, such as kg for weight_kg: those of numbers without
	// one.
	NamedUnits map[string]string
	// ConditionUnits has the columns with the units of columns that conditions compare.
	ConditionUnits map[string]string
	// Profiles has the profiles of columns by name. They decide how numbers and dates are read.
	Profiles map[string]*profile.Column
}

// ErrOptions is returned for invalid options.
var ErrOptions = errors.New("query: invalid options")

// Query is a query in progress. It is not safe for concurrent use.
type Query struct {
	o       Options
	tests   []test          // of the conditions
	only    map[string]bool // nil for all groups
	isFirst []bool          // of a sum and an average of the same column, the first one counts ignored values
	key     []byte          // a buffer
	seed    maphash.Seed
	numbers []int64 // read for each measure
	dates   []int64
	read    []profile.Value // of each measure in the current row
	units   unitCounts
	groups  map[string]*group
	totals  *group // the rows that look like total rows, without groups
	result  Result
	seen    findings
	id      []byte
	// isTogether reports that the groups are those of several queries, see Together: numbers without a unit are apart.
	isTogether bool
}

// New returns a Query.
func New(o *Options) (*Query, error) {
	q := &Query{o: *o, groups: map[string]*group{}, seed: maphash.MakeSeed(), units: unitCounts{}}
	if q.o.Limit == 0 {
		q.o.Limit = 10
	}
	if q.o.Limit < 0 || q.o.Limit > MaxLimit {
		return nil, fmt.Errorf("%w: limit %d: must be 1 to %d", ErrOptions, o.Limit, MaxLimit)
	}
	switch {
	case len(o.Only) > MaxOnly:
		return nil, fmt.Errorf("%w: %d groups: must be at most %d", ErrOptions, len(o.Only), MaxOnly)
	case len(o.GroupBy) > MaxGroupBy:
		return nil, fmt.Errorf("%w: group_by: must be at most %d columns", ErrOptions, MaxGroupBy)
	case len(o.Only) > 0 && len(o.GroupBy) == 0:
		return nil, fmt.Errorf("%w: groups needs group_by", ErrOptions)
	case len(o.Only) > 0:
		q.o.Limit, q.only = MaxOnly, map[string]bool{}
	}
	for _, value := range o.Only {
		q.only[string(profile.Key([]byte(value), nil))] = true
	}
	if !slices.Contains(Granularities(), cmp.Or(o.Granularity, Day)) {
		return nil, fmt.Errorf("%w: granularity %.20q: must be one of %s", ErrOptions, o.Granularity,
			joinTexts(Granularities()))
	}
	if o.Granularity != "" && !slices.ContainsFunc(o.GroupBy, q.hasDates) {
		return nil, fmt.Errorf("%w: granularity %s: a column of group_by must have dates", ErrOptions, o.Granularity)
	}
	for _, c := range o.Where {
		t, err := q.newTest(c)
		if err != nil {
			return nil, err
		}
		q.tests = append(q.tests, t)
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
	q.read, q.totals = make([]profile.Value, len(q.o.Measures)), q.newGroup()
	q.numbers, q.dates = make([]int64, len(q.o.Measures)), make([]int64, len(q.o.Measures))
	return q, nil
}
