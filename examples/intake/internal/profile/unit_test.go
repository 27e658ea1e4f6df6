package profile_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/examples/intake/internal/profile"
)

func TestNumbersWithUnits(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]struct{ number, unit string }{
		"5 kg": {"5", "kg"}, "5kg": {"5", "kg"}, "2,5 KG": {"2.5", "kg"}, "3 pcs": {"3", "pcs"}, "3 Stk.": {"3", "pcs"},
		"R$ 10,00": {"10", "BRL"}, "10,00 zł": {"10", "PLN"}, "5,50 kr.": {"5.5", "kr"}, "kr 5": {"5", "kr"},
		"1.234,-": {"1234", ""}, "1'234.-": {"1234", ""}, "5,-- €": {"5", "€"}, "€ 5,-": {"5", "€"}, "-5,-": {"-5", ""},
		"100 Euro": {"100", "EUR"}, "100 EUR": {"100", "EUR"}, "US$100": {"100", "USD"}, "-US$ 1.50": {"-1.5", "USD"},
		"$.50": {"0.5", "$"}, "$ -.50": {"-0.5", "$"}, "(5 kg)": {"-5", "kg"}, "\u22125 m": {"-5", "m"},
		"5 m": {"5", "m"}, "5 L": {"5", "l"}, "7 days": {"7", "days"}, "1,234.5 m³": {"1234.5", "m³"}, "5 Fr.": {"5", "CHF"},
		"7%": {"7", "%"}, "1 234 km": {"1234", "km"},
	} {
		v := profile.ReadValue([]byte(text), &profile.Column{})
		require.True(t, v.IsNumber(), text)
		require.Equal(t, want, struct{ number, unit string }{profile.FormatNumber(v), v.Unit}, text)
	}
	for _, text := range []string{
		"3M", "5m", "kg 5", "kg", "EURO 5", "5 XL", "5 kg 3", "5 kg5", "5 M", "R$", "US$", "5,-,-", ",-", "-,-", "5 kg kg", "IN 5",
		"Fr. 5", "5 zl", "SKU-5", "A$", "kr.", "5-kg",
	} {
		require.False(t, profile.ReadValue([]byte(text), nil).IsNumber(), text)
	}
	for unit, key := range map[string]string{
		"€": "eur", "Euro": "eur", "eur": "eur", "£": "gbp", "US$": "usd", "$": "$", "Stk": "pcs", "KG": "kg", "Pallet": "pallet",
		"": "", "zł": "pln",
	} {
		require.Equal(t, key, profile.UnitKey(unit), unit)
	}
	got := profileColumn("5 kg", "3 kg", "1200 g", "n/a")
	require.Equal(t, profile.Integer, got.Type)
	require.Zero(t, got.Wrong)
	require.Equal(t, []profile.FormatCount{{Format: "kg", Count: 2}, {Format: "g", Count: 1}}, got.Units)
	require.Equal(t, []string{"3", "1200"}, []string{got.Min, got.Max})
}
