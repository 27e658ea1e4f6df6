package intaketools

import (
	"slices"

	"github.com/carrel-go/carrel/examples/intake/internal/profile"
	"github.com/carrel-go/carrel/tools/objecttools"
)

// table returns the values of the current row by the names of columns. Of several columns with one name it has the
// first.
type table struct {
	columns []string       // of CSV
	index   map[string]int // of CSV
	join    *joinedTable   // or nil
	fields  [][]byte
	record  map[string][]byte // of JSON
	seen    map[string]bool   // names of members of records
	isJSON  bool
	twice   int64 // records that have a name twice
}

func newTable(rows *objecttools.Rows, join *joinedTable) *table {
	t := &table{
		columns: rows.Columns, index: map[string]int{}, join: join, record: map[string][]byte{}, seen: map[string]bool{},
		isJSON: rows.Format != "csv",
	}
	for i, name := range rows.Columns {
		if _, ok := t.index[name]; !ok {
			t.index[name] = i
		}
	}
	return t
}

// load takes a row, and reports whether it can be read.
func (t *table) load(row *objecttools.Row) bool {
	if t.join != nil {
		t.join.isLookedUp = false
	}
	if row.Problem != "" {
		return false
	}
	if !t.isJSON {
		t.fields = row.Fields
		return true
	}
	fields, err := profile.Flatten(row.Record)
	if err != nil || row.Cut {
		return false
	}
	clear(t.record)
	hasTwice := false
	for _, f := range fields {
		if _, isRepeated := t.record[f.Name]; isRepeated {
			hasTwice = true
			continue
		}
		t.record[f.Name] = f.Value
		if len(t.seen) < profile.MaxColumns {
			t.seen[f.Name] = true
		}
	}
	if hasTwice {
		t.twice++
	}
	return true
}

// twiceNotes returns a sentence about the records that have a name twice.
func (t *table) twiceNotes() []string {
	if t.twice == 0 {
		return nil
	}
	return []string{profile.CountOf(t.twice, "record has", "records have") + " a name twice: the first value counts"}
}

// value returns the value of a column in the current row, or nil.
func (t *table) value(name string) []byte {
	if t.join != nil {
		if i := slices.Index(t.join.columns, name); i >= 0 && name != t.join.on {
			if values := t.join.lookUp(t.own(t.join.on)); values != nil {
				return []byte(values[i])
			}
			return nil
		}
	}
	return t.own(name)
}

func (t *table) own(name string) []byte {
	if t.isJSON {
		return t.record[name]
	}
	if i, ok := t.index[name]; ok && i < len(t.fields) {
		return t.fields[i]
	}
	return nil
}

// check returns a correction for a name that is not a column. The columns of JSON are not known before it is read.
func (t *table) check(in queryIn) error { return t.checkNames(in.names()) }

func (t *table) checkNames(names []string) error {
	for _, name := range names {
		_, ok := t.index[name]
		if !ok && !t.isJSON && !slices.Contains(t.join.columnNames(), name) {
			return correctColumn(name, append(slices.Clone(t.columns), t.join.columnNames()...))
		}
	}
	return nil
}

// unseen returns the names that no record of JSON has.
func (t *table) unseen(in queryIn) (names []string) {
	if !t.isJSON || len(t.seen) >= profile.MaxColumns {
		return nil
	}
	for _, name := range in.names() {
		if !t.seen[name] && !slices.Contains(t.join.columnNames(), name) && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}
