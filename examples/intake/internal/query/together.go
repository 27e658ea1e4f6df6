package query

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/carrel-go/carrel/examples/intake/internal/profile"
)

// MaxTogether is the number of groups that a Together holds.
const MaxTogether = 50_000

// The errors of queries that do not have a result together.
var (
	ErrTypes     = errors.New("query: some files have dates and others have numbers")
	ErrLongNames = fmt.Errorf("query: some names of groups are longer than %d bytes", maxValue)
)

// Together adds the groups of several queries with the same measures, such as one for each file, so that its order is
// that of all of them. Groups are the same if the first of their names is, see [FoldCode], and their unit.
type Together struct{ q *Query }

// Add adds the groups of a query. The query must not be used afterwards. unit is that of all of its numbers, or empty.
func (t *Together) Add(other *Query, unit string) error {
	r := other.result
	list := other.lines(&r)
	if t.q == nil {
		t.q = other.withoutGroups()
	}
	q := t.q
	if !slices.Equal(functionsOf(q.o.Measures), functionsOf(other.o.Measures)) || len(other.o.GroupBy) == 0 {
		return fmt.Errorf("%w: all queries must have group_by and the same functions in measures", ErrOptions)
	}
	hasValues := other.numbers[0]+other.dates[0] > 0
	if hasValues && q.numbers[0]+q.dates[0] > 0 && q.isDates(0) != other.isDates(0) {
		return ErrTypes
	}
	for i := range q.numbers {
		q.numbers[i] += other.numbers[i]
		q.dates[i] += other.dates[i]
	}
	if !other.isByDate() {
		q.o.Profiles = nil
	}
	if len(other.o.GroupBy) > len(q.o.GroupBy) {
		q.o.GroupBy = other.o.GroupBy
	}
	q.result.Read += other.result.Read
	q.result.Matched += other.result.Matched
	q.result.LeftOut += other.result.LeftOut
	for _, g := range list {
		if r.UnitColumn == "" {
			g.unit = unit
		}
		if err := q.addGroup(g); err != nil {
			return err
		}
	}
	return nil
}

// FoldCode returns the form in which names of groups of several files are compared: that of [profile.Key], and without
// zeros after the point of a whole number, such as 101 for 101.0. isFolded reports that it leaves out such zeros.
func FoldCode(name string) (key string, isFolded bool) {
	key = string(profile.Key([]byte(name), nil))
	whole, fraction, isFloat := strings.Cut(key, ".")
	isOther := func(r rune) bool { return r < '0' || r > '9' }
	isWhole := whole != "" && !strings.ContainsFunc(whole, isOther)
	if !isWhole || !isFloat || fraction == "" || strings.Trim(fraction, "0") != "" {
		return key, false
	}
	return whole, true
}

// addGroup adds a group of another query, with the longer list of names.
func (q *Query) addGroup(g *group) error {
	if len(g.names) == 0 {
		return nil
	}
	if strings.HasSuffix(g.names[0], "…") {
		return ErrLongNames
	}
	unit := UnitKey(g.unit)
	g.id, _ = FoldCode(g.names[0])
	id := unit + "\x00" + g.id
	switch own := q.groups[id]; {
	case own != nil:
		q.noteFolded(own, g)
		own.merge(g)
		_, isFolded := FoldCode(own.names[0])
		if len(g.names) > len(own.names) || isFolded && len(g.names) == len(own.names) {
			own.names = g.names
		}
	case len(q.groups) == MaxTogether:
		q.result.LeftOut += g.rows
	default:
		q.groups[id] = g
		q.units.add(unit, g.unit)
	}
	return nil
}

// noteFolded notes that a group has the names of two whole numbers, one of which has zeros after its point.
func (q *Query) noteFolded(own, g *group) {
	if q.result.Folded == "" && !strings.EqualFold(own.names[0], g.names[0]) {
		a, isFolded := FoldCode(own.names[0])
		b, isOtherFolded := FoldCode(g.names[0])
		if a == b && isFolded != isOtherFolded {
			q.result.Folded = own.names[0] + " and " + g.names[0]
		}
	}
}

// Result returns the first groups of all queries, in the order of the first query and with its limit.
func (t *Together) Result() Result {
	q := t.q
	if q == nil {
		return Result{Lines: []Line{}}
	}
	q.result.Columns = slices.Clone(q.o.GroupBy)
	for _, m := range q.o.Measures {
		q.result.Columns = append(q.result.Columns, m.Name())
	}
	for _, g := range q.groups {
		for len(g.names) < len(q.o.GroupBy) {
			g.names = append(g.names, "")
		}
	}
	return q.Result()
}

// withoutGroups returns a query of the same groups and measures for the groups of several.
func (q *Query) withoutGroups() *Query {
	o := Options{
		GroupBy: q.o.GroupBy, Measures: q.o.Measures, Limit: q.o.Limit, Ascending: q.o.Ascending,
		Granularity: q.o.Granularity, Profiles: map[string]*profile.Column{},
	}
	for _, c := range o.GroupBy {
		if q.hasDates(c) {
			o.Profiles[c] = &profile.Column{Type: profile.Date}
		}
	}
	n := len(o.Measures)
	all := &Query{
		o: o, groups: map[string]*group{}, units: unitCounts{}, isFirst: make([]bool, n), isTogether: true,
		numbers: make([]int64, n), dates: make([]int64, n), read: make([]profile.Value, n),
	}
	all.totals = all.newGroup()
	return all
}

func functionsOf(measures []Measure) (list []Function) {
	for _, m := range measures {
		list = append(list, m.Function)
	}
	return list
}
