package kinds

import "slices"

// nameSuppliers sets the role of the column called name to the name of the supplier if a column has numbers of
// suppliers and none of the others is a part of another kind than suppliers.
func (g *Guess) nameSuppliers() {
	weights := weights()[Suppliers]
	name, hasSupplier := -1, false
	for i, c := range g.Columns {
		switch plain := foldAccents(normalize(c.Name)); {
		case slices.Contains([]string{"name", "nom", "nome", "nombre", "naam", "bezeichnung"}, plain):
			name = i
		case c.Role == SupplierName, c.Role != "" && weights[c.Role] == 0 && c.Role != Status && c.Role != Category &&
			c.Role != Currency:
			return
		}
		hasSupplier = hasSupplier || c.Role == SupplierID
	}
	if hasSupplier && name >= 0 {
		g.Columns[name].Role, g.Columns[name].Meaning = SupplierName, meanings()[SupplierName]
	}
}
