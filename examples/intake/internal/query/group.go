package query

import (
	"encoding/binary"
	"fmt"
	"hash/maphash"

	"github.com/carrel-go/carrel/examples/intake/internal/profile"
)

type group struct {
	names  []string
	id     string // without the unit
	unit   string
	raw    []byte // the text of the first value of a group of numbers
	rows   int64
	totals []total
}

func (q *Query) newGroup() *group { return &group{totals: make([]total, len(q.o.Measures))} }

// clone returns a copy, whose totals can be changed.
func (g *group) clone() *group {
	c := &group{names: g.names, id: g.id, unit: g.unit, totals: make([]total, len(g.totals))}
	c.merge(g)
	return c
}

// merge adds the rows of another group.
func (g *group) merge(other *group) {
	g.rows += other.rows
	for i := range g.totals {
		g.totals[i].merge(&other.totals[i])
	}
}

// nameOf returns the key of a value in a group, and its text in a result.
func (q *Query) nameOf(b []byte, column string) (key []byte, name string, v profile.Value) {
	c := q.o.Profiles[column]
	if c != nil && c.Type == profile.Date && q.o.Granularity == Time {
		c = nil
	}
	key, name, v = profile.GroupKey(b, c, &q.key)
	switch {
	case name == "":
		return key, text(b), v
	case v.Type == profile.Date:
		if v.HasTime && q.o.Granularity == "" {
			q.seen.hours++
		}
		name = q.o.Granularity.cut(name)
		return []byte(name), name, v
	}
	return key, name, v
}

// isAsked reports whether the query wants the group of a row.
func (q *Query) isAsked(row Row) bool {
	if q.only == nil {
		return true
	}
	column := q.o.GroupBy[0]
	_, name, _ := q.nameOf(row(column), column)
	return q.only[string(profile.Key([]byte(name), nil))]
}

// groupOf returns the group of a row, or nil if there are too many.
func (q *Query) groupOf(row Row, unit, unitLabel string) *group {
	q.id = append(q.id[:0], unit...)
	q.id = append(q.id, 0)
	start := len(q.id)
	var names [MaxGroupBy]string
	var value profile.Value
	for i, c := range q.o.GroupBy {
		b := row(c)
		k, name, v := q.nameOf(b, c)
		q.noteAssumed(b, v)
		names[i], value = name, v
		q.id = binary.AppendUvarint(q.id, uint64(len(k)))
		q.id = append(q.id, k[:min(len(k), maxValue)]...)
		if len(k) > maxValue {
			q.id = binary.NativeEndian.AppendUint64(q.id, maphash.Bytes(q.seed, k))
		}
	}
	g, ok := q.groups[string(q.id)]
	switch {
	case ok:
		q.noteMerged(g, row, value)
		return g
	case len(q.groups) == MaxGroups:
		return nil
	}
	g = q.newGroup()
	g.id, g.unit = string(q.id[start:]), unitLabel
	g.names = append(g.names, names[:len(q.o.GroupBy)]...)
	if value.IsNumber() {
		g.raw = append(g.raw, row(q.o.GroupBy[len(q.o.GroupBy)-1])...)
	}
	q.groups[string(q.id)] = g
	return g
}

// noteMerged notes that a group of numbers has values that are written in several ways.
func (q *Query) noteMerged(g *group, row Row, v profile.Value) {
	if q.seen.merged != "" || !v.IsNumber() || g.raw == nil {
		return
	}
	b := row(q.o.GroupBy[len(q.o.GroupBy)-1])
	if x, y := text(b), text(g.raw); x != y {
		q.seen.merged = fmt.Sprintf("%s and %s", y, x)
	}
}
