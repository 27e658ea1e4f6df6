package reader

import (
	"maps"
	"slices"

	"github.com/carrel-go/carrel/examples/intake/internal/intaketools"
)

// use is a column of a file that a call compares, groups by or measures.
type use struct {
	call       int
	column     string
	isMeasured bool
}

// readAlike adds to the calls for several files how the columns are read that some of the files have as codes or as
// dates, so that a value means the same in all of them.
func readAlike(calls []call, l *found) {
	if len(calls) < 2 {
		return
	}
	byPlace := map[string][]use{}
	for i, c := range calls {
		wheres, _ := c.args["where"].([]map[string]any)
		for n, w := range wheres {
			column, _ := w["column"].(string)
			place := "where " + string(rune('0'+n))
			byPlace[place] = append(byPlace[place], use{call: i, column: column})
		}
		if group, _ := c.args["group_by"].([]string); len(group) > 0 {
			byPlace["group"] = append(byPlace["group"], use{call: i, column: group[0]})
		}
		measures, _ := c.args["measures"].([]map[string]any)
		for _, m := range measures[:min(len(measures), 1)] {
			if column, ok := m["column"].(string); ok {
				byPlace["measure"] = append(byPlace["measure"], use{call: i, column: column, isMeasured: true})
			}
		}
	}
	for _, place := range slices.Sorted(maps.Keys(byPlace)) {
		addReadAs(calls, byPlace[place], l)
	}
}

// addReadAs adds how the columns of several files that are used in one place are read.
func addReadAs(calls []call, uses []use, l *found) {
	isCodes := func(u use) bool { return slices.Contains(l.fileOf(calls[u.call]).Codes, u.column) }
	isDates := func(u use) bool { return slices.Contains(l.fileOf(calls[u.call]).Dates, u.column) }
	hasCodes, hasDates := slices.ContainsFunc(uses, isCodes), slices.ContainsFunc(uses, isDates)
	for _, u := range uses {
		as := ""
		switch {
		case isCodes(u), isDates(u):
		case hasDates:
			as = "dates"
		case hasCodes && !u.isMeasured:
			as = "codes"
		}
		if as == "" {
			continue
		}
		args := calls[u.call].args
		list, _ := args["read_as"].([]map[string]any)
		args["read_as"] = append(list, map[string]any{"column": u.column, "as": as})
	}
}

// fileOf returns the file that a call reads.
func (l *found) fileOf(c call) intaketools.ListedFile {
	i := slices.IndexFunc(l.Files.Files, func(f intaketools.ListedFile) bool { return f.File == c.args["file"] })
	if i < 0 {
		return intaketools.ListedFile{}
	}
	return l.Files.Files[i]
}
