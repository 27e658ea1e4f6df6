package reader

import (
	"fmt"

	"github.com/carrel-go/carrel/examples/intake/internal/intaketools"
	"github.com/carrel-go/carrel/examples/intake/internal/kinds"
)

// groupBy returns the columns that group the rows of a file, and the join that adds one of them, if it needs one. It
// returns nil if neither the file nor the suppliers have the column.
func (q question) groupBy(f intaketools.ListedFile, l *found) (group []string, join map[string]any) {
	by := columnIn(f, q.by)
	if f.Kind == kinds.Suppliers {
		if by == "" {
			return nil, nil
		}
		return []string{by}, nil
	}
	if by == "" { // a column of the suppliers
		on := findColumnIn(f, string(kinds.SupplierID))
		if on == "" {
			return nil, nil
		}
		isNamed := func(other intaketools.ListedFile, c string) bool { return findColumnIn(other, q.by) == c }
		if join, name := l.joinSuppliers(on, isNamed); join != nil {
			return []string{name}, join
		}
		return nil, nil
	}
	if f.RoleOf(by) == kinds.SupplierID {
		isName := func(other intaketools.ListedFile, c string) bool {
			return other.RoleOf(c) == kinds.SupplierName && findColumn(f.Columns, c) == ""
		}
		if join, name := l.joinSuppliers(by, isName); join != nil {
			return []string{by, name}, join
		}
	}
	return []string{by}, nil
}

// joinSuppliers returns a join that adds a column of the newest suppliers that have one, by the column on.
func (l *found) joinSuppliers(
	on string, isWanted func(f intaketools.ListedFile, column string) bool,
) (join map[string]any, name string) {
	for _, other := range l.suppliers {
		id := findColumnIn(other, string(kinds.SupplierID))
		for _, c := range other.Columns {
			if id != "" && c != id && other.CanJoin() && isWanted(other, c) {
				return map[string]any{"file": other.File, "on": on, "equals": id, "columns": []string{c}}, c
			}
		}
	}
	return nil, ""
}

// tellJoin returns a sentence about the suppliers that are joined, or about those that are too large.
func (q question) tellJoin(calls []call, l *found) string {
	if q.by == "" {
		return ""
	}
	for _, c := range calls {
		if join, ok := c.args["join"].(map[string]any); ok {
			group, _ := c.args["group_by"].([]string)
			return l.tellSuppliers(group, join)
		}
	}
	var large []string
	for _, f := range l.suppliers {
		if !f.CanJoin() {
			large = append(large, fmt.Sprintf("%q", f.Name))
		}
	}
	if len(large) == 0 || roleOf(q.by) != kinds.SupplierID {
		return ""
	}
	const note = "The names of suppliers are left out: %s cannot be joined. A file to join has at most %s and %d MB."
	return fmt.Sprintf(note,
		joinSome(large, ", "), plural(intaketools.MaxJoinedRows, "row"), intaketools.MaxJoinedRead>>20)
}

// tellSuppliers returns a sentence about the file that a join adds a column of, if the column makes the groups or other
// files have it too.
func (l *found) tellSuppliers(group []string, join map[string]any) string {
	columns, _ := join["columns"].([]string)
	if len(group) == 0 || len(columns) == 0 {
		return ""
	}
	name := nameOfSuppliers(l, join["file"])
	switch others := l.otherSuppliers(join["file"], columns[0]); {
	case others > 0:
		return fmt.Sprintf("I take “%s” from %s, the newest of %d files of suppliers. The others may have other values for "+
			"the same supplier.", columns[0], name, others+1)
	case len(group) == 1:
		return fmt.Sprintf("I take “%s” from %s.", columns[0], name)
	}
	return ""
}

func nameOfSuppliers(l *found, handle any) string {
	for _, f := range l.suppliers {
		if f.File == handle {
			return fmt.Sprintf("%q", f.Name)
		}
	}
	return "the suppliers"
}
