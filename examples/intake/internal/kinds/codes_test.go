package kinds_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/examples/intake/internal/kinds"
)

func TestNamesOfColumnsOfCodes(t *testing.T) {
	t.Parallel()
	for _, name := range []string{
		"sku", "Article No.", "part", "Part-Number", "tracking", "HS Code", "hs", "lot", "lot_number", "rev", "Revision",
		"version", "order_no", "PO", "supplier_id", "shipment", "postal code", "ZIP", "Artikelnummer", "codigo postal",
		"item.sku", "bin", "cost_center", "Zeichnungsnummer", "Seriennummer", "Kd-Nr",
	} {
		require.True(t, kinds.HoldsCodes(name), name)
	}
	for _, name := range []string{
		"", "qty", "Menge", "number", "no", "price", "weight_kg", "order_date", "lead_time", "level", "total", "lot_size",
		"número de piezas", "rating", "quantity per", "qty_per_lot", "Price per SKU", "total_no", "a", "stock", "revenue",
	} {
		require.False(t, kinds.HoldsCodes(name), name)
	}
}
