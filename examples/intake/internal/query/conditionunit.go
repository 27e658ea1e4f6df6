package query

import (
	"cmp"
	"slices"
	"strings"
)

// maxTestUnits is the number of units that a condition names.
const maxTestUnits = 5

// ConditionUnits are the units of the numbers that a condition has compared, at most five. An empty one is that of
// numbers without a unit.
type ConditionUnits struct {
	Column string   `json:"column"`
	Units  []string `json:"units"`
}

// noteUnit keeps the unit of a compared number: that of its cell, and otherwise that of the column of units.
func (t *test) noteUnit(unit string) {
	if t.isTotal || len(t.units) == maxTestUnits {
		return
	}
	if unit == "" && len(t.unit) > 0 {
		unit = text(t.unit)
	}
	if !slices.ContainsFunc(t.units, func(u string) bool { return u == unit || UnitKey(u) == UnitKey(unit) }) {
		t.units = append(t.units, unit)
	}
}

// DescribeUnits returns units as a list, with a word for numbers without one.
func DescribeUnits(units []string) string {
	named := make([]string, len(units))
	for i, u := range units {
		named[i] = cmp.Or(u, "none")
	}
	return strings.Join(named, ", ")
}
