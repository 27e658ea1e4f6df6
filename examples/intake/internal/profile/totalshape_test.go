package profile_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// The rows are counted from 1, without the names of the columns. may is the row that has the sums of others and counts.
func TestTotalRowsAreFoundByTheirSumsInAnyLanguage(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		table string
		want  []int64
		may   int64
	}{
		"per currency":          {"sku,amount,currency\nA,100,EUR\nB,50,EUR\nC,200,USD\nTotal EUR,150,EUR\nTotal USD,200,USD", []int64{4, 5}, 0},
		"one label":             {"sku,amount,currency\nA,100,EUR\nB,50,EUR\nC,200,USD\nTotal,150,EUR\nTotal,200,USD", []int64{4, 5}, 0},
		"no label":              {"sku,amount,currency\nA,100,EUR\nB,50,EUR\nC,200,USD\n,150,EUR\n,200,USD", []int64{4, 5}, 0},
		"no label, one first":   {"sku,amount,currency\nC,200,USD\nA,100,EUR\nB,50,EUR\n,200,USD\n,150,EUR", []int64{4, 5}, 0},
		"the unit first":        {"sku,amount,currency\nA,100,EUR\nB,50,EUR\nC,200,USD\nEUR total,150,EUR\nUSD total,200,USD", []int64{4, 5}, 0},
		"any words":             {"sku,amount,currency\nA,101.15,EUR\nB,50,EUR\nC,207.17,USD\nSpolu EUR,151.15,EUR\nSpolu USD,207.17,USD", []int64{4, 5}, 0},
		"any words, one first":  {"sku,amount,currency\nC,207.17,USD\nA,101.15,EUR\nB,50,EUR\nSpolu USD,207.17,USD\nSpolu EUR,151.15,EUR", []int64{4, 5}, 0},
		"units of measure":      {"sku,qty,unit\nA,10,kg\nB,5,kg\nC,3,pcs\nTotal kg,15,kg\nTotal pcs,3,pcs", []int64{4, 5}, 0},
		"units in the values":   {"sku,amount\nA,100 EUR\nB,200 EUR\nC,50 USD\nTotal EUR,300 EUR\nTotal USD,50 USD", []int64{4, 5}, 0},
		"the unit in the label": {"sku,amount,currency\nA,100,EUR\nB,50,EUR\nC,200,USD\nTotal EUR,150,\nTotal USD,200,", []int64{4, 5}, 0},
		"then a sum of all":     {"sku,qty,unit\nA,10,kg\nB,5,kg\nC,3,pcs\nTotal kg,15,kg\nTotal pcs,3,pcs\nTotal,18,", []int64{4, 5, 6}, 0},
		"per customer":          {"customer,amount\nA,100\nB,200\nTotal A,100\nTotal B,200\nGrand total,300", []int64{3, 4, 5}, 0},
		"per region":            {"region,sku,amount\nN,A,1\nN,B,2\nN total,,3\nS,C,4\nS total,,4\n,,7", []int64{3, 5, 6}, 0},
		"an unknown label":      {"no,customer,amount\n1,X,5\n2,Y,6\nSpolu,,11", []int64{3}, 0},
		"an unknown subtotal":   {"region,month,units\nN,Jan,10\nN,Feb,20\nMezisoucet,,30\nS,Jan,5\nS,Feb,6\nMezisoucet,,11\nDohromady,,41", []int64{3, 6, 7}, 0},
		"few figures":           {"sku,qty\nA,1\nB,2\nSpolu,3", nil, 3},
		"a sum before the sum":  {"sku,qty\nA,1\nB,2\nC,3\nSpolu,6", nil, 4},
		"a sum, then Total":     {"sku,qty\nA,1\nB,2\nC,3\nTotal,6", []int64{4}, 0},
		"a sum, then a label":   {"no,sku,qty\n1,A,1\n2,B,2\n3,C,3\nGrand Total,,6", []int64{4}, 0},
		"data like a subtotal":  {"sku,qty\nA,1\nB,2\nSubtotal,3\nC,3\nTotal,6", []int64{3, 5}, 0},
		"one label, any words":  {"sku,amount,currency\nA,100,EUR\nB,50,EUR\nC,7,CHF\nKokku,150,EUR\nKokku,7,CHF", []int64{4, 5}, 0},
		"one label, one first": {"sku,amount,currency\nA,100,EUR\nB,50,EUR\nC,7,CHF\nD,8,GBP\nE,9,GBP\nKokku,7,CHF\nKokku,150,EUR\nKokku,17,GBP",
			[]int64{6, 7, 8}, 0},
		"five rows":             {"sku,qty\nA,48\nB,159\nC,344\nD,603\nE,936\nSpolu,2090\n,", nil, 6},
		"seven rows":            {"sku,qty\nA,48\nB,159\nC,344\nD,603\nE,936\nF,1343\nG,1824\nSpolu,5257", []int64{8}, 0},
		"in the middle":         {"sku,qty\nA,48\nB,159\nSpolu,207\nC,344\nD,603\nE,9", nil, 3},
		"the first row, small":  {"sku,qty\nTotal,6\nA,1\nB,2\nC,3", []int64{1}, 0},
		"a unit at the end":     {"id,qty,um\n1,1,KG\n2,2,kg\n3,3,PZ", nil, 0},
		"labels like units":     {"sku,amount,currency\nA,5,EUR\nB,6,EUR\nC,2,USD\nEUR,11,EUR\nUSD,2,USD", []int64{4, 5}, 0},
		"a dated sum":           {"date,customer,amount\n2026-01-01,X,500.5\n2026-01-02,Y,600\n2026-01-31,Spolu,1100.5", nil, 3},
		"a numbered sum":        {"no,item,amount\n1,X,500.5\n2,Y,600\n3,Spolu,1100.5", nil, 3},
		"beside an average":     {"item,price,qty,total\nA,2,5,10\nB,3,6,18\nJumlah,2.5,11,28", nil, 3},
		"unknown subtotals":     {"region,units\nN,10\nN,21\nMezisoucet,31\nS,5\nS,6\nMezisoucet,11\nDohromady,42", nil, 3},
		"many figures":          {"sku,qty\nA,12345\nB,67891\nSpolu,80236", []int64{3}, 0},
		"two columns":           {"sku,qty,amount\nA,7,1234.5\nB,9,777.25\nKokku,16,2011.75", []int64{3}, 0},
		"unknown, and first":    {"sku,qty\nSpolu,6\nA,1\nB,2\nC,3", nil, 1},
		"an empty key":          {"sku,qty,price\nA,1,2.00\nB,2,3.00\n,3,", []int64{3}, 0},
		"an empty key, one row": {"sku,qty\nA,5\n,5", nil, 2},
		"a missing key":         {"sku,warehouse,qty\nA,W1,5\n,W1,5\nB,W2,7", nil, 0},
		"a sum among data":      {"sku,qty\nA,1\nB,2\nC,3\nD,4", nil, 0},
		"a sum of a group":      {"sku,qty,unit\nA,10,kg\nB,5,kg\nC,3,pcs\nD,15,kg\nE,4,kg", nil, 4},
	} {
		lines := strings.Split(c.table, "\n")
		p := profileOf(lines[0], lines[1:]...)
		require.Equal(t, c.want, p.TotalRows, name)
		require.EqualValues(t, len(c.want), p.Totals, name)
		require.Equal(t, c.may, p.SumRow, name)
	}
	p := profileOf("sku,qty", "A,1", "B,2", "Spolu,3")
	require.Contains(t, p.Remarks(), `row 3 ("Spolu") has the sums of other rows, as a total row does, but may be data, `+
		"and counts like the others")
}

func TestRowsAfterATotalRowAreAboutItOrTold(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		table string
		want  []int64
		loose int64
	}{
		"with tax":          {"item,amount\nA,100\nB,200\nTotal,300\nTotal incl. VAT,357", []int64{3, 4}, 0},
		"tax":               {"item,amount\nA,100\nB,200\nSubtotal,300\nVAT 19%,57\nTotal,357", []int64{3, 4, 5}, 0},
		"tax, last":         {"item,amount\nA,100\nB,200\nTotal excl. VAT,300\nVAT 19%,57", []int64{3, 4}, 0},
		"discount":          {"item,amount\nA,100\nB,200\nSubtotal,300\nDiscount,-30\nTotal,270", []int64{3, 4, 5}, 0},
		"balance":           {"item,amount\nA,100\nB,200\nNet Total,300\nBalance,300", []int64{3, 4}, 0},
		"negative":          {"item,amount\nA,-100\nB,200\nTotal:,100\nTotal incl. VAT:,119", []int64{3, 4}, 0},
		"all three":         {"item,amount\nA,100\nB,200\nTotal excl. VAT,300\nVAT,57\nTotal incl. VAT,357\nBalance,357", []int64{3, 4, 5, 6}, 0},
		"paid in full":      {"item,amount\nA,100\nB,200\nTotal excl. VAT,300\nVAT,57\nTotal incl. VAT,357\nPaid,-357\nBalance,0", []int64{3, 4, 5, 6, 7}, 0},
		"paid":              {"item,amount\nA,100\nB,200\nTotal,300\nPaid,-50\nBalance,250", []int64{3, 4, 5}, 0},
		"without a key":     {"no,item,amount\n1,A,100\n2,B,200\n,Summe,300\n,Verpackung,10\n,Gesamt,310", []int64{3, 4, 5}, 0},
		"an unknown charge": {"item,amount\nA,100\nB,200\nTotal,300\nPackaging,50\nTotal,350", []int64{3, 5}, 4},
		"after the total":   {"item,amount\nA,100\nB,200\nTotal,300\nPackaging,50", []int64{3}, 4},
		"not the sum":       {"item,amount\nA,100\nB,200\nSubtotal,300\nVAT 19%,57\nTotal,360", []int64{3, 4, 5}, 0},
		"blocks":            {"item,amount\nA,1\nB,2\nTotal,3\nA,4\nB,5\nC,1\nD,2\nTotal,12", []int64{3, 8}, 0},
		"blocks of three":   {"r,m,units\nN,J,10\nN,F,20\nSubtotal,,30\nS,J,5\nS,F,6\nSubtotal,,11\nTotal,,41", []int64{3, 6, 7}, 0},
		"a discount in it":  {"item,amount\nA,100\nB,200\nSubtotal,300\nDiscount,-30\nC,5\nD,7\nE,9\nF,1", []int64{3}, 0},
	} {
		lines := strings.Split(c.table, "\n")
		p := profileOf(lines[0], lines[1:]...)
		require.Equal(t, c.want, p.TotalRows, name)
		require.Equal(t, c.loose, p.LooseRow, name)
	}
}
