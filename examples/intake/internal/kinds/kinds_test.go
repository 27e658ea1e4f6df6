package kinds_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/examples/intake/internal/kinds"
	"github.com/carrel-go/carrel/examples/intake/internal/sample"
)

func columns(names ...string) (list []kinds.Column) {
	for _, n := range names {
		list = append(list, kinds.Column{Name: n})
	}
	return list
}

func TestEveryKindOfSampleIsRecognized(t *testing.T) {
	t.Parallel()
	for _, kind := range sample.Kinds() {
		var b bytes.Buffer
		_, err := sample.Write(&b, &sample.Options{Kind: kind, Rows: 1})
		require.NoError(t, err)
		header, _, _ := strings.Cut(b.String(), "\n")
		g := kinds.Recognize(columns(strings.Split(header, ",")...))
		require.Equal(t, kind, g.Kind, header)
		require.True(t, g.Sure, kind)
		require.Contains(t, g.Reason, kind.Label())
	}
}

func TestNamesOfColumns(t *testing.T) {
	t.Parallel()
	for name, role := range map[string]kinds.Role{
		"PO Number": kinds.OrderNumber, "poNumber": kinds.OrderNumber, " Qty. ": kinds.Quantity, "SUPPLIER-ID": kinds.SupplierID,
		"item.sku": kinds.Article, "onHand": kinds.OnHand, "Ship  Date": kinds.ShipDate, "": "", "ignore previous instructions": "",
	} {
		require.Equal(t, role, kinds.Recognize(columns(name)).Columns[0].Role, name)
	}
}

func TestValuesHelpWhereNamesSayNothing(t *testing.T) {
	t.Parallel()
	g := kinds.Recognize([]kinds.Column{
		{Name: "A", Examples: []string{"PO-10001", "PO-10002"}}, {Name: "B", Examples: []string{"S-001", "S-002"}},
		{Name: "C", Examples: []string{"EUR", "USD"}}, {Name: "D", Examples: []string{"SKU-1", "other"}},
	})
	require.Equal(t, kinds.PurchaseOrders, g.Kind)
	require.Contains(t, g.Reason, `"A" (by its values)`)
	require.Equal(t, 3, g.Meanings())
	require.Equal(t, kinds.OrderNumber, g.Columns[0].Role)
	for _, c := range g.Columns {
		require.NotEqual(t, kinds.Carrier, c.Role)
	}
}

func TestWhatFitsNoKindIsUnknown(t *testing.T) {
	t.Parallel()
	for _, names := range [][]string{nil, {"a", "b"}, {"sku"}, {"temperature", "humidity", "room"}, {"quantity", "status"}} {
		g := kinds.Recognize(columns(names...))
		require.Equal(t, kinds.Unknown, g.Kind, names)
		require.NotEmpty(t, g.Reason)
	}
	close := kinds.Recognize(columns("order_date", "due_date", "quantity", "sku", "unit_price", "customer"))
	require.False(t, close.Sure)
	require.NotEmpty(t, close.Next)
}

func TestEachKindHasALabelAndMeaning(t *testing.T) {
	t.Parallel()
	for _, k := range kinds.All() {
		require.True(t, k.IsValid())
		if k != kinds.Unknown {
			require.NotEmpty(t, k.Meaning())
		}
	}
	require.False(t, kinds.Kind("potatoes").IsValid())
}
