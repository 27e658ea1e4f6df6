package profile_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/examples/intake/internal/kinds"
	"github.com/carrel-go/carrel/examples/intake/internal/profile"
)

// profileNamed profiles lines of CSV without quotes, whose columns are what their names say.
func profileNamed(table string) profile.Profile {
	lines := strings.Split(table, "\n")
	columns := strings.Split(lines[0], ",")
	p := profile.New(columns, len(columns))
	p.IsName = func(text string) bool { return kinds.RoleOf(text) != "" }
	p.Sense = kinds.SenseOf
	addLines(p, lines[1:])
	return p.Profile()
}

// groups returns five groups of rows with a subtotal, whose cells are those of subtotal with the name of the group.
func groups(subtotal string, isFirst bool) string {
	table := "wh,sku,qty"
	for g := range 5 {
		rows, sum := "", 0
		for k := range 6 + g%3 {
			qty := 101 + 97*(g*7+k*k+1)%800
			sum += qty
			rows += fmt.Sprintf("\nW%d,S%d,%d", g, k, qty)
		}
		total := fmt.Sprintf("\n%s,%d", strings.ReplaceAll(subtotal, "W", fmt.Sprint("W", g)), sum)
		if isFirst {
			rows = total + rows
		} else {
			rows += total
		}
		table += rows
	}
	return table
}

// A row that may be a sum is left out or has a note: total are the rows that are left out, sum is the first one that
// counts with the sums of others, and label the first one that counts with the label of a total row.
func TestARowThatMayBeASumIsLeftOutOrTold(t *testing.T) {
	t.Parallel()
	between := func(cells string) string {
		fill := strings.NewReplacer("|", cells)
		return fill.Replace("wh,sku,qty\nW1,A,5\nW1,B,10\nW1,|,15\nW2,A,1\nW2,B,2\nW2,|,3")
	}
	for name, c := range map[string]struct {
		table      string
		total      []int64
		sum, label int64
	}{
		"an empty cell":     {between(""), nil, 3, 0},
		"all":               {between("ALL"), nil, 3, 0},
		"a dash":            {between("-"), nil, 3, 0},
		"a star":            {between("*"), nil, 3, 0},
		"a zero":            {between("0"), nil, 3, 0},
		"then a sum of all": {between("") + "\n,,18", nil, 3, 0},
		"then a total":      {between("") + "\n,,total", nil, 3, 7},
		"dates": {"date,sku,qty\n2026-01-01,A,5\n2026-01-01,B,10\n2026-01-01,Tagessumme,15\n2026-01-02,A,1\n2026-01-02,B,2\n" +
			"2026-01-02,Tagessumme,3", nil, 3, 0},
		"two columns": {"region,product,qty,value\nN,Bolt,3,31.5\nN,Nut,4,12.25\nN,All,7,43.75\nS,Pin,10,99.1\nS,Bolt,1,10.5\n" +
			"S,All,11,109.6", nil, 3, 0},
		"many rows":                            {groups("W,ALL", false), nil, 7, 0},
		"many rows, an empty cell":             {groups("W,", false), nil, 7, 0},
		"many rows, sums first":                {groups("W,", true), nil, 1, 0},
		"a word, first":                        {"wh,sku,qty\nAll,All,18\nW1,All,15\nW1,A,5\nW1,B,10\nW2,All,3\nW2,A,1\nW2,B,2", nil, 2, 0},
		"outline, first":                       {"wh,sku,qty\nW1,,15\n,A,5\n,B,10\nW2,,3\n,A,1\n,B,2", nil, 1, 0},
		"a label, first":                       {"wh,sku,qty\nTotal,Total,18\nW1,Total,15\nW1,A,5\nW1,B,10\nW2,Total,3\nW2,A,1\nW2,B,2", nil, 2, 1},
		"a label, first in an outline":         {"wh,sku,qty\nTotal,,18\nW1,,15\n,A,5\n,B,10\nW2,,3\n,A,1\n,B,2", nil, 2, 1},
		"a number in each row":                 {"no,item,amount\n1,X,5\n2,Y,6\n3,Z,7\n4,All,18", nil, 4, 0},
		"with tax":                             {"sku,amount\nA,100\nB,50\nTotal TTC,180", nil, 0, 3},
		"another total":                        {"sku,amount\nA,100\nB,50\nTotal général,999", nil, 0, 3},
		"an amount":                            {"sku,amount\nA,100.00\nB,50.00\nTotal amount,178.50", nil, 0, 3},
		"in the middle":                        {"sku,amount\nA,100\nB,50\nSubtotal,151\nC,1", nil, 0, 3},
		"tax in the middle":                    {"Artikel,Betrag\nA,100\nB,50\nSumme inkl. 19% MwSt,178.5\nC,1", nil, 0, 3},
		"gross":                                {"Artikel,Betrag\nA,100\nB,50\nGesamtbetrag brutto,178.5", nil, 0, 3},
		"first, not the sum":                   {"sku,qty\nTotal,999\nA,100\nB,50", nil, 0, 1},
		"a count and a sum":                    {"sku,qty\nA,5\nB,10\nC,7\nTotal items,3\nTotal qty,22", nil, 0, 4},
		"a count and a sum after a blank line": {"sku,qty\nA,5\nB,10\nC,7\n\nTotal items,3\nTotal qty,22", nil, 0, 4},
		"a German count":                       {"sku,qty\nA,5\nB,10\nC,7\nAnzahl Positionen,3\nGesamtmenge,22", nil, 0, 4},
		"a French count":                       {"sku,qty\nA,5\nB,10\nC,7\nNombre de lignes,3\nTotal général,22", nil, 0, 4},
		"lines":                                {"sku,desc,qty\nA,x,5\nB,y,10\nC,z,7\nLines,,3\nUnits,,22", []int64{4, 5}, 0, 0},
		"rows":                                 {"sku,qty\nA,5\nB,10\nC,7\nRows,3", []int64{4}, 0, 0},
		"records":                              {"sku,qty\nA,5\nB,10\nC,7\nRecords,3", []int64{4}, 0, 0},
		"a count in a text":                    {"sku,qty\nA,5\nB,10\nRecords: 2,", nil, 0, 3},
		"a count of rows":                      {"sku,qty\nA,5\nB,10\nC,7\nRow count,3", nil, 0, 4},
		"a code and a zero":                    {"sku,qty,loc\nA,7,x\nB,0,y\nC,7,", nil, 3, 0},
		"no code and a zero":                   {"thing,qty,loc\nA,7,x\nB,0,y\nC,7,", nil, 3, 0},
		"a code":                               {"sku,on_hand,reserved,bin\nA,4,1,x\nB,4,1,y\nC,8,2,", nil, 3, 0},
		"a code with digits, then data":        {"sku,qty\nA-1,20\nA-2,31\nA-3,51\nA-4,7", nil, 0, 0},
		"a word, then data":                    {"sku,qty\nA-1,20\nA-2,31\nKokku,51\nA-4,7", nil, 3, 0},
		"a code, then data":                    {"sku,on_hand,reserved,bin\nA,4,1,x\nB,4,1,y\nC,8,2,\nD,3,0,z", nil, 3, 0},
		"the root of a bill":                   {"id,parent,weight\nC1,P,10\nC2,P,20\nP,,30", nil, 3, 0},
		"two roots of a bill":                  {"id,parent,weight\nC1,P,10\nC2,P,20\nP,,30\nD,,30", nil, 3, 0},
		"currencies":                           {"sku,amount,currency\nA,100,EUR\nB,50,EUR\nC,200,USD\nSpolu EUR,150,EUR\nSpolu USD,200,USD", []int64{4, 5}, 0, 0},
		"a code after a total":                 {"sku,qty\nA,5\nTotal,5\nB,5", []int64{2}, 0, 0},
		"a code with a gap after a total":      {"sku,qty,bin\nA,5,x\nB,6,y\nTotal,11,\nC,7,", []int64{3}, 0, 0},
		"a word beside codes":                  {"no,customer,amount\n1,X,5\n2,Y,6\nSpolu,,11", []int64{3}, 0, 0},
		"first of two, not the sum":            {"sku,qty\nTotal,5\nB,6", nil, 0, 0},
		"small numbers":                        {"sku,qty\nA,5\nB,3\nC,2", nil, 0, 0},
		"units":                                {"sku,lead_time\nA,5 days\nB,2 weeks\nC,3", nil, 0, 0},
		"numbers of lines": {"order,line,sku,qty\nO1,1,A,7\nO1,2,B,7\nO1,3,C,9\nO2,1,A,4\nO2,2,B,8\nO2,3,C,11\nO3,1,A,4\nO3,2,B,9\n" +
			"O3,3,C,20", nil, 0, 0},
		"a sum in one group": {"wh,sku,qty\nW1,A,5\nW1,B,10\nW1,C,15\nW2,A,1\nW2,B,2", nil, 0, 0},
		"sums in half of the groups": {"wh,sku,qty\nW1,A,5\nW1,B,10\nW1,C,15\nW2,A,1\nW2,B,2\nW2,C,3\nW3,A,1\nW3,B,2\nW3,C,7\n" +
			"W4,A,1\nW4,B,2\nW4,C,8", nil, 0, 0},
		"numbers of several units": {"sku,lead_time\nA,9 days\nB,2 weeks\nC,3 days\nD,4 days", nil, 0, 0},
		"groups of data":           {"wh,sku,qty\nW1,A,5\nW1,B,10\nW1,C,15\nW2,A,1\nW2,B,2\nW2,C,4\nW3,A,1\nW3,B,2\nW3,C,7", nil, 0, 0},
		"names of things":          {"sku,name,qty\nA,fishing lines,5\nB,small items,7\nC,count me,2", nil, 0, 0},
		"labels of a unit":         {"sku,uom,qty\nA,items,5\nB,items,7\nC,rows,2", nil, 0, 0},
	} {
		p := profileNamed(c.table)
		require.Equal(t, c.total, p.TotalRows, name)
		require.Equal(t, c.sum, p.SumRow, name)
		require.Equal(t, c.label, p.LabeledRow, name)
	}
	p := profileNamed(groups("W,ALL", false))
	require.Contains(t, p.SumRemark(), "5 rows, such as row 7, have the sums of other rows")
}
