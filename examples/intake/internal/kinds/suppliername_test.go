package kinds_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/examples/intake/internal/kinds"
)

// A table of the numbers and names of suppliers is one of suppliers, unless its rows are other things.
func TestATableOfSuppliersMayCallTheirNameName(t *testing.T) {
	t.Parallel()
	for header, kind := range map[string]kinds.Kind{
		"supplier_id,name,country":              kinds.Suppliers,
		"Lieferantennr,Name,Land,Ort,PLZ":       kinds.Suppliers,
		"numero_fournisseur,nom,pays":           kinds.Suppliers,
		"vendor_no,Name,City,Status":            kinds.Suppliers,
		"sku,name,category,supplier_id":         kinds.Products,
		"po_number,supplier_id,name,quantity":   kinds.PurchaseOrders,
		"invoice_no,invoice_date,supplier,name": kinds.Invoices,
		"name,country":                          kinds.Unknown,
		"supplier_id,quantity,name":             kinds.Unknown,
	} {
		g := kinds.Recognize(columns(strings.Split(header, ",")...))
		require.Equal(t, kind, g.Kind, header)
		if kind == kinds.Suppliers {
			require.Equal(t, kinds.SupplierName, g.Columns[1].Role, header)
		}
	}
	require.Equal(t, kinds.SupplierName, kinds.RoleOf("Name des Lieferanten"))
	require.Equal(t, kinds.Amount, kinds.RoleOf("Nettobetrag in EUR"))
	require.Equal(t, "EUR", kinds.UnitOfName("Nettobetrag in EUR"))
	require.Empty(t, kinds.UnitOfName("parts_in"))
}
