package query_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/examples/intake/internal/query"
)

// Numbers with units of measure have a result for each unit, and are compared with those of the same one.
func TestUnitsOfMeasureAreApart(t *testing.T) {
	t.Parallel()
	const weights = "sku,weight\nA,5 kg\nB,3KG\nC,1200 g\nD,heavy\n"
	got := askMeasured(t, weights, sumOf("weight"))
	require.Equal(t, "unit", got.UnitColumn)
	require.Equal(t, []query.Line{{"g", "1200"}, {"kg", "8"}}, got.Lines)
	require.EqualValues(t, 1, got.Ignored)
	require.EqualValues(t, 1, askMeasured(t, weights, count(where("weight", "gt", "4 kg"))).Matched)
	require.EqualValues(t, 2, askMeasured(t, weights, count(where("weight", "ge", "3 kg"))).Matched)
	require.Equal(t, []string{"the numbers are in kg"}, askMeasured(t, "weight\n5 kg\n3KG\n", sumOf("weight")).Notes)
	const prices = "price\n100 Euro\n€ 5\n1 EUR\nUS$100\n"
	got = askMeasured(t, prices, sumOf("price"))
	require.Equal(t, []query.Line{{"EUR", "106"}, {"USD", "100"}}, got.Lines)
}
