package profile_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// All of these rows count: bare and footer are the first ones that have a note.
func TestRowsAtTheEdgesThatMayNotBeDataAreTold(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		table        string
		rows         int64
		bare, footer int64
	}{
		"units under the names":  {"sku,qty,price\n,Stk,EUR\nA,5,1.5\nB,10,2", 3, 1, 0},
		"a line under the names": {"sku,qty\n---,---\nA,5\nB,10", 3, 1, 0},
		"a date in a text":       {"sku,Menge\nA,5\nB,10\nStand: 31.01.2026,", 3, 3, 0},
		"a count with a label":   {"sku,qty\nA,5\nB,10\nRecords: 2,", 3, 0, 0},
		"two notes":              {"sku,qty\nA,5\nB,10\nNotes:,\nAll in pcs,", 4, 3, 0},
		"texts":                  {"sku,name\nA,x\nB,y\nC,z", 3, 0, 0},
		"missing numbers":        {"sku,qty\nA,5\nB,\nC,7\nD,\nE,9\nF,", 6, 0, 0},
		"a block after a row":    {"sku,qty,price\nA,1,2.5\nB,2,3\nC,2,3\nD,2,3\n,,\nBy Ann,,\nDate,2026-01-01,\nVersion,3,", 7, 0, 6},
		"a block after a line":   {"sku,qty\nA,5\nB,10\nC,7\n\nVersion,3", 4, 0, 4},
		"texts after a line":     {"sku,qty\nA,5\nB,10\nC,7\n\nSummary,\nTotal,22", 5, 0, 4},
		"several lines":          {"sku,qty\nA,5\nB,10\n\nC,7\nD,7\nE,7\n\nF,3", 6, 0, 0},
		"a line at the end":      {"sku,qty\nA,5\nB,10\n", 2, 0, 0},
		"a total after a line":   {"sku,qty\nA,5\nB,10\n\nTotal,15", 3, 0, 0},
		"a second table":         {"sku,qty\nA,5\nB,10\n\nwarehouse,capacity\nW1,500", 4, 0, 0},
	} {
		p := profileNamed(c.table)
		require.Equal(t, c.rows, p.Rows, name)
		require.Equal(t, []int64{c.bare, c.footer}, []int64{p.BareRow, p.FooterRow}, name)
	}
	p := profileNamed("sku,qty,price\n,Stk,EUR\nA,5,1.5\nB,10,2\nC,10,2\nExported by Ann,,")
	require.Equal(t, []string{`2 rows, such as row 1 ("Stk"), do not have a number or a date, so they may not be data, and count ` +
		"like the others"}, p.ApartRemarks())
	require.Contains(t, p.Remarks(), p.ApartRemarks()[0])
}

func TestASecondTableOfTwoColumnsIsFound(t *testing.T) {
	t.Parallel()
	p := profileNamed("sku,Menge\nA,1\nB,2\n\nLager,Kapazität\nL1,1000\nL2,500")
	require.Contains(t, p.TableRemark(), `a second table seems to begin in row 3, with the columns "Lager", "Kapazität"`)
	require.Nil(t, profileNamed("sku,qty\nA,1\nB,2\n\nC,3\nD,4").SecondTable)
}

func TestReadingsThatTheColumnDoesNotDecideAreToldInAnswers(t *testing.T) {
	t.Parallel()
	days := strings.NewReplacer("|", "\n20260101\n20260102\n20260103\n20260104")
	for _, name := range []string{"Beleg", "Vorgang", "ticket", "case"} {
		p := profileNamed(days.Replace(name + "|"))
		require.Equal(t, []string{`all numbers of "` + name + `" have the form of dates and are read as dates, such as 2026-01-01, ` +
			"though its name does not say so"}, p.Columns[0].ReadingRemarks())
		require.Empty(t, p.Columns[0].AsCodes().ReadingRemarks())
	}
	p := profileNamed(days.Replace("order_date|"))
	require.Empty(t, p.Columns[0].ReadingRemarks())
	p = profileTable(";", []string{"1,5", "12.500"}, []string{"2,5", "7.250"})
	require.Equal(t, []string{`numbers of "b" can be read in two ways, and those of other columns decide: 12.500 is read as 12500`},
		p.Columns[1].ReadingRemarks())
	require.Empty(t, p.Columns[0].ReadingRemarks())
}
