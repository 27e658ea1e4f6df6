package query

import (
	"cmp"
	"math"
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

// noteOtherUnit counts a number that is not compared, because it has another unit than the value of the condition.
func (t *test) noteOtherUnit(unit string) {
	t.other++
	isSame := func(u string) bool { return u == unit || UnitKey(u) == UnitKey(unit) }
	if len(t.otherUnits) < maxTestUnits && !slices.ContainsFunc(t.otherUnits, isSame) {
		t.otherUnits = append(t.otherUnits, unit)
	}
}

// isFraction reports whether numbers in percent are compared with one below 1 that may be meant as a part of 1.
func (t *test) isFraction() bool {
	isPercent := len(t.units) == 1 && UnitKey(t.units[0]) == UnitKey("%")
	return isPercent && t.want.Unit == "" && t.want.Number != 0 && math.Abs(t.want.Number) < 1
}

// DescribeUnits returns units as a list, with a word for numbers without one.
func DescribeUnits(units []string) string {
	named := make([]string, len(units))
	for i, u := range units {
		named[i] = cmp.Or(u, "none")
	}
	return strings.Join(named, ", ")
}
