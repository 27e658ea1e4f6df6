package reader

import (
	"slices"
	"strings"

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
	want := plain(words)
	if want == "" {
		return ""
	}
	if slices.Contains(columns, words) {
		return words
	}
	for _, c := range columns {
		if plain(c) == want || plain(c) == strings.TrimSuffix(want, "s") {
			return c
		}
	}
	for _, name := range []string{words, strings.TrimSuffix(words, "s")} {
		role := kinds.RoleOf(name)
		for _, c := range columns {
			if role != "" && kinds.RoleOf(c) == role {
				return c
			}
		}
	}
	return ""
}
