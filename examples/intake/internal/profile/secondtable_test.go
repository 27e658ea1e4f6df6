package profile_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/examples/intake/internal/profile"
)

// profileOf profiles lines of CSV without quotes. A blank line is passed as such.
func profileOf(header string, lines ...string) profile.Profile {
	columns := strings.Split(header, ",")
	p := profile.New(columns, len(columns))
	p.IsName = func(text string) bool { return text == "supplier" || text == "rating" }
	addLines(p, lines)
	return p.Profile()
}

// addLines adds lines of CSV without quotes as rows, and blank lines as such.
func addLines(p *profile.Profiler, lines []string) {
	for _, line := range lines {
		if line == "" {
			p.AddBlank()
			continue
		}
		var fields [][]byte
		for f := range strings.SplitSeq(line, ",") {
			fields = append(fields, []byte(f))
		}
		p.AddRow(fields, len(fields), false)
	}
}

func TestASecondTableIsFound(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		lines []string
		want  string
	}{
		"a blank line": {[]string{"A,1,x", "", "supplier,country,rating", "S-1,DE,5"}, "a second table seems to begin in row 2, " +
			`with the columns "supplier", "country", "rating"`},
		"usual names":           {[]string{"A,1,x", "", "supplier,rating,place", "S-1,5,x"}, "begin in row 2"},
		"usual names and texts": {[]string{"A,1,x", "", "rating,place,supplier", "good,here,S-1"}, "begin in row 2"},
		"after the same names":  {[]string{"sku,qty,note", "A,1,x", "", "place,rating", "here,5"}, "begin in row 3"},
		"an empty row":          {[]string{"A,1,x", ",,", "supplier,country,rating", "S-1,DE,5"}, "begin in row 3"},
		"fewer columns":         {[]string{"A,1,x", "", "supplier,rating", "S-1,5"}, "begin in row 2"},
		"padded with blanks":    {[]string{"A,1,x", "", "supplier,rating,", "S-1,5,"}, "begin in row 2"},
		"another width alone":   {[]string{"A,1,x", "supplier,rating", "S-1,5"}, "begin in row 2"},
		"rows of another width": {[]string{"A,1,x", "B,2,y", "1,2", "3,4", "5,6"}, "from row 3 on, all rows have 2 values instead of 3"},
		"the same names":        {[]string{"A,1,x", "sku,qty,note", "B,2,y"}, "row 2 repeats the names of the columns"},
	} {
		p := profileOf("sku,qty,note", c.lines...)
		require.Contains(t, p.TableRemark(), c.want, name)
		require.Contains(t, strings.Join(p.Remarks(), "\n"), c.want, name)
	}
}

func TestOneTableIsOne(t *testing.T) {
	t.Parallel()
	for name, lines := range map[string][]string{
		"blank lines between rows":       {"A,1,x", "", "B,2,y", "", "C,3,z"},
		"texts after a blank line":       {"A,1,x", "", "B,none here,y", "C,3,z"},
		"a row with missing values":      {"A,1,x", "", "Alpha,Berlin,", "Beta,Paris,3"},
		"a blank line at the end":        {"A,1,x", "B,2,y", ""},
		"the same text twice":            {"A,1,x", "", "x,x,y", "B,2,y"},
		"names without rows":             {"A,1,x", "", "supplier,country,rating"},
		"names before texts":             {"A,1,x", "", "partner,country,rating", "S-x,DE,good"},
		"a footer":                       {"A,1,x", "B,2,y", "Total,3"},
		"rows of many widths":            {"A,1,x", "B,2", "C,3,z", "D,4", "E,5", "F,6"},
		"all rows have another width":    {"A,1", "B,2", "C,3", "D,4"},
		"a line of one value to the end": {"A,1,x", "end", "of", "file"},
	} {
		p := profileOf("sku,qty,note", lines...)
		require.Nil(t, p.SecondTable, name)
	}
}
