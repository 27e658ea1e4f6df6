package reader

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/examples/intake/internal/profile"
)

// Each format of dates that a profile has gets a name made of letters, not an example.
func TestFormatsOfDatesHaveNames(t *testing.T) {
	t.Parallel()
	for date, want := range map[string]string{
		"2026-01-31": "YYYY-MM-DD", "2026-01-31 10:20": "YYYY-MM-DD hh:mm", "2026/01/31": "YYYY/MM/DD",
		"31.01.2026": "DD.MM.YYYY", "31/01/2026": "DD/MM/YYYY", "01/31/2026": "MM/DD/YYYY", "31-01-2026": "DD-MM-YYYY",
		"31/01/26": "DD/MM/YY", "03/04/2026": "DD/MM/YYYY or MM/DD/YYYY",
	} {
		p := profile.New([]string{"day"}, 1)
		p.AddRow([][]byte{[]byte(date)}, 1, false)
		formats := p.Profile().Columns[0].Formats
		require.Len(t, formats, 1, date)
		require.Equal(t, want, formatName(formats[0].Format), date)
	}
	require.Equal(t, "YYYYMMDD", formatName("20060102"))
	require.Equal(t, "1.234,5", formatName("1.234,5"))
}
