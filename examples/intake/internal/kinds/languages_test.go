package kinds_test

import (
	_ "embed"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/examples/intake/internal/kinds"
)

// headers has lines of a kind and a header.
//
//go:embed testdata/headers.txt
var headers string

// Headers as programs in each language write them have the same kind as in English.
func TestHeadersInOtherLanguages(t *testing.T) {
	t.Parallel()
	for line := range strings.Lines(headers) {
		kind, header, _ := strings.Cut(strings.TrimSpace(line), ": ")
		var columns []kinds.Column
		for name := range strings.SplitSeq(header, ";") {
			columns = append(columns, kinds.Column{Name: name})
		}
		g := kinds.Recognize(columns)
		require.Equal(t, kinds.Kind(kind), g.Kind, "%s: %v", header, g)
		require.Less(t, len(columns)-g.Meanings(), 2, "%s: %v", header, g)
	}
}

func TestSpellingsInOtherLanguages(t *testing.T) {
	t.Parallel()
	for name, role := range map[string]kinds.Role{
		"Menge": kinds.Quantity, "MENGE": kinds.Quantity, "LieferantenNr": kinds.SupplierID,
		"Lieferanten-Nr.": kinds.SupplierID,
		"Stückpreis":      kinds.UnitPrice, "Stueckpreis": kinds.UnitPrice, "Quantita\u0300": kinds.Quantity,
		"fecha_entrega":       kinds.DueDate,
		"Fecha de la entrega": kinds.DueDate, "données": "", "de": "", "la": "", "über": "", "Notiz": "", "note": "",
		"lines.menge": kinds.Quantity, "# names": "",
	} {
		require.Equal(t, role, kinds.Recognize([]kinds.Column{{Name: name}}).Columns[0].Role, name)
	}
	require.True(t, kinds.IsDay("Bestelldatum"))
	require.False(t, kinds.IsDay("Menge"))
}
