package query

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/carrel-go/carrel/examples/intake/internal/profile"
)

// unitCounts is the number of measured numbers by the key of their unit. The empty key is that of numbers without one.
type unitCounts map[string]*unitCount

type unitCount struct {
	label string
	count int64
}

// maxUnits is the number of units that are counted. Those after them are one unit.
const maxUnits = 50

func (u unitCounts) add(key, label string) {
	if u[key] == nil {
		u[key] = &unitCount{label: label}
	}
	u[key].count++
}

// named returns the keys of the units, without the empty one, in order.
func (u unitCounts) named() []string {
	keys := slices.Sorted(maps.Keys(u))
	return slices.DeleteFunc(keys, func(k string) bool { return k == "" })
}

// hasSeveral reports whether the numbers have several units, so that each has a result.
func (u unitCounts) hasSeveral() bool { return len(u.named()) > 1 }

// describe returns the units and how many numbers have them.
func (u unitCounts) describe() string {
	var list []string
	for _, k := range append(u.named(), "") {
		if c := u[k]; c != nil {
			list = append(list, fmt.Sprintf("%s (%d)", cmp.Or(c.label, "none"), c.count))
		}
	}
	return strings.Join(list, ", ")
}

// UnitKey returns the form in which units are compared, see [profile.UnitKey].
func UnitKey(unit string) string { return profile.UnitKey(unit) }

func takesUnit(m Measure) bool { return isAddition(m) || isRange(m) }

// unitOf returns the unit of the measured values of a row, and counts it if one of them is a number. The unit in a cell
// counts more than the column of units, and that more than the name of the column.
func (q *Query) unitOf(row Row) (key, label string) {
	var done [4]string // columns
	n := 0
	for i, m := range q.o.Measures {
		if !takesUnit(m) || slices.Contains(done[:n], m.Column) {
			continue
		}
		if n < len(done) {
			done[n] = m.Column
			n++
		}
		v := q.read[i]
		unit := v.Unit
		if column := q.o.Units[m.Column]; unit == "" && column != "" {
			unit = text(row(column))
		}
		unit = cmp.Or(unit, q.o.NamedUnits[m.Column])
		k := UnitKey(unit)
		if k != "" && q.units[k] == nil && len(q.units) >= maxUnits {
			k, unit = "…", "other units"
		}
		if v.IsNumber() {
			q.units.add(k, unit)
		}
		if k != "" && !strings.Contains(key, k) {
			key, label = joinUnits(key, k), joinUnits(label, unit)
		}
	}
	return key, label
}

func joinUnits(a, b string) string {
	if a == "" {
		return b
	}
	return a + ", " + b
}

// unitColumn returns the name of the column that has the units in a result.
func (q *Query) unitColumn() string {
	name := ""
	for _, m := range q.o.Measures {
		column := q.o.Units[m.Column]
		if takesUnit(m) && column != name {
			if name != "" || column == "" {
				return "unit"
			}
			name = column
		}
	}
	return cmp.Or(name, "unit")
}
