package kinds_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/examples/intake/internal/kinds"
)

func TestAUnitAtTheEndOfANameOfAmounts(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]struct {
		unit string
		role kinds.Role
	}{
		"weight_kg": {"kg", kinds.Weight}, "weight_lb": {"lb", kinds.Weight}, "Weight (t)": {"t", kinds.Weight},
		"gross weight [g]": {"g", kinds.Weight}, "amount_usd": {"USD", kinds.Amount}, "Amount (EUR)": {"EUR", kinds.Amount},
		"unit price GBP": {"GBP", kinds.UnitPrice}, "qty_pcs": {"pcs", kinds.Quantity}, "on_hand_kg": {"kg", kinds.OnHand},
		"Gewicht_kg": {"kg", kinds.Weight}, "weight": {"", kinds.Weight}, "kg": {"", kinds.Weight},
		"parts_in": {"", ""}, "order_t": {"t", ""}, "supplier_m": {"m", ""}, "": {"", ""},
	} {
		require.Equal(t, want.unit, kinds.UnitOfName(name), name)
		require.Equal(t, want.role, kinds.RoleOf(name), name)
	}
}
