package reader

import (
	"slices"
	"strings"

	"github.com/carrel-go/carrel/examples/intake/internal/intaketools"
	"github.com/carrel-go/carrel/examples/intake/internal/kinds"
)

// kindOf returns the kind that words name, such as "purchase orders" or "bom", or "".
func kindOf(words string) kinds.Kind {
	words = strings.ToLower(strings.ReplaceAll(words, "_", " "))
	for _, k := range kinds.All() {
		name := strings.ReplaceAll(string(k), "_", " ")
		if k != kinds.Unknown && (words == name || words == strings.TrimSuffix(name, "s")) {
			return k
		}
	}
	switch words {
	case "bom", "boms":
		return kinds.BillOfMaterials
	case "orders", "pos":
		return kinds.PurchaseOrders
	case "stock":
		return kinds.Inventory
	case "vendors":
		return kinds.Suppliers
	}
	return ""
}

// findColumn returns the column that words name, or "".
func findColumn(columns []string, words string) string {
	isBetween := func(r rune) bool { return strings.ContainsRune(`_ -.\`, r) }
	plain := func(s string) string { return strings.Join(strings.FieldsFunc(strings.ToLower(s), isBetween), " ") }
	if plain(words) == "" {
		return ""
	}
	if slices.Contains(columns, words) {
		return words
	}
	for _, name := range singulars(plain(words)) {
		if i := slices.IndexFunc(columns, func(c string) bool { return plain(c) == name }); i >= 0 {
			return columns[i]
		}
	}
	role := roleOf(words)
	i := slices.IndexFunc(columns, func(c string) bool { return role != "" && kinds.RoleOf(c) == role })
	if i < 0 {
		return ""
	}
	return columns[i]
}

// roleOf returns the role of a column that words name, which may be in the plural, or "".
func roleOf(words string) kinds.Role {
	for _, name := range singulars(words) {
		if role := kinds.RoleOf(name); role != "" {
			return role
		}
	}
	return ""
}

// dayColumn returns the column of a file that tells the day of its rows: that of the kind of data, by the recorded
// meanings or the names of columns, and otherwise the only one that is named like a date or that has dates. It returns
// "" for a file without such a column.
func dayColumn(f intaketools.ListedFile) string {
	role := map[kinds.Kind]kinds.Role{
		kinds.Shipments: kinds.ShipDate, kinds.Inventory: kinds.CountDate, kinds.PurchaseOrders: kinds.OrderDate,
		kinds.SalesOrders: kinds.OrderDate, kinds.Invoices: kinds.InvoiceDate,
	}[f.Kind]
	isRecorded := func(c string) bool { return role != "" && f.Roles[c] == role }
	isOfKind := func(c string) bool { return role != "" && f.RoleOf(c) == role }
	for _, is := range []func(string) bool{isRecorded, isOfKind} {
		if i := slices.IndexFunc(f.Columns, is); i >= 0 {
			return f.Columns[i]
		}
	}
	if f.DateColumn != "" {
		return f.DateColumn
	}
	var named []string
	for _, c := range f.Columns {
		if kinds.IsDay(c) {
			named = append(named, c)
		}
	}
	if len(named) != 1 || f.MoreColumns > 0 {
		return ""
	}
	return named[0]
}
