package reader

import (
	"slices"

	"github.com/carrel-go/carrel/examples/intake/internal/kinds"
)

// countSuppliers returns the question for the number of different suppliers if it asks how many suppliers are in files
// whose rows are other things, that have several rows for a supplier, or that are several and may have the same one.
func (q question) countSuppliers(l *found) question {
	isCount := q.function == countRows && q.column == "" && q.by == ""
	if !isCount || q.kind != kinds.Suppliers || len(l.Files.Files) == 0 {
		return q
	}
	column := ""
	isMany := len(l.Files.Files) > 1
	for _, f := range l.Files.Files {
		isOther := q.hasFile && f.Kind != kinds.Suppliers
		if !isOther && !isMany && !f.RepeatsSuppliers {
			continue
		}
		for _, role := range []kinds.Role{kinds.SupplierID, kinds.SupplierName} {
			hasRole := func(c string) bool { return f.RoleOf(c) == role }
			if column == "" && slices.ContainsFunc(f.Columns, hasRole) {
				column = string(role)
			}
		}
	}
	if column == "" {
		return q
	}
	q.function, q.column, q.kind = distinct, column, ""
	return q
}

// otherSuppliers returns the number of files of suppliers besides the one with a handle that have a column.
func (l *found) otherSuppliers(handle any, column string) int {
	var ids []string
	for i := range l.suppliers {
		f := &l.suppliers[i]
		hasRole := func(c string) bool { return c == column || f.RoleOf(c) == kinds.RoleOf(column) && f.RoleOf(c) != "" }
		isOther := f.File != handle && f.CanJoin() && slices.ContainsFunc(f.Columns, hasRole)
		if isOther && findColumnIn(*f, string(kinds.SupplierID)) != "" && !slices.Contains(ids, f.UploadID) {
			ids = append(ids, f.UploadID)
		}
	}
	return len(ids)
}
