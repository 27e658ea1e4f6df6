package reader

import (
	"fmt"
	"slices"
	"strings"

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

// joinCondition adds a join to the arguments of a call that adds a column of the suppliers for a condition. It returns
// the name of the column, or "". The status of a supplier is not that of the row.
func (q question) joinCondition(f intaketools.ListedFile, l *found, args map[string]any, words string) string {
	on := findColumnIn(f, string(kinds.SupplierID))
	if on == "" || f.Kind == kinds.Suppliers || roleOf(words) == kinds.Status {
		return ""
	}
	isNamed := func(other intaketools.ListedFile, c string) bool { return findColumnIn(other, words) == c }
	join, name := l.joinSuppliers(on, isNamed)
	if join == nil || !addJoin(args, join) {
		return ""
	}
	return name
}

// addJoin adds a join to the arguments of a call. It reports whether that is possible, since a call joins one file.
func addJoin(args, join map[string]any) bool {
	own, ok := args["join"].(map[string]any)
	if !ok {
		args["join"] = join
		return true
	}
	columns, _ := own["columns"].([]string)
	added, _ := join["columns"].([]string)
	for _, c := range added {
		if !slices.Contains(columns, c) {
			columns = append(columns, c)
		}
	}
	own["columns"] = columns
	return own["file"] == join["file"] && own["on"] == join["on"] && len(columns) <= maxJoined
}

// maxJoined is the number of columns that a call of query_file can join.
const maxJoined = 5

// tellJoin returns a sentence about the suppliers that are joined, or about those that are too large.
func (q question) tellJoin(calls []call, l *found) string {
	for _, c := range calls {
		if join, ok := c.args["join"].(map[string]any); ok {
			used, _ := c.args["group_by"].([]string)
			if len(used) > 1 {
				used = nil // the column of the file itself and the name that belongs to it
			}
			wheres, _ := c.args["where"].([]map[string]any)
			for _, w := range wheres {
				used = append(slices.Clone(used), fmt.Sprint(w["column"]))
			}
			return l.tellSuppliers(used, join)
		}
	}
	if q.by == "" {
		return ""
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

// tellSuppliers returns sentences about the file that a join adds columns of: those that make the groups or are in
// conditions, and those that other files have too.
func (l *found) tellSuppliers(used []string, join map[string]any) string {
	columns, _ := join["columns"].([]string)
	name := nameOfSuppliers(l, join["file"])
	var list []string
	for _, c := range columns {
		switch others := l.otherSuppliers(join["file"], c); {
		case others > 0:
			list = append(list, fmt.Sprintf("I take “%s” from %s, the newest of %d files of suppliers. The others may have "+
				"other values for the same supplier.", c, name, others+1))
		case slices.Contains(used, c):
			list = append(list, fmt.Sprintf("I take “%s” from %s.", c, name))
		}
	}
	return strings.Join(list, " ")
}

func nameOfSuppliers(l *found, handle any) string {
	for _, f := range l.suppliers {
		if f.File == handle {
			return fmt.Sprintf("%q", f.Name)
		}
	}
	return "the suppliers"
}
