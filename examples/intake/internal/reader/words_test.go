package reader_test

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestAnswersSayWhatTheyAssumeOrWhyThereIsNone(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for name, content := range map[string]string{
		"codes.csv": "po_number,zip,city,qty\n1001,01234,Ulm,5\n1002,98765,Bonn,6\n",
		"days.csv":  "sku,qty,date,weight\nA,5,2026-01-01,500 g\nB,6,2026-02-01,2 lb\nC,7,2026-02-01,3 kg\n",
		"price.csv": "po,Quantity Ordered,Unit Price,Total Price\n1,10,2,20\n2,5,3,15\n",
		"part.csv":  "sku,discount\nA,5%\nB,10%\nC,\n",
		"names.csv": "PO Number,Supplier Name,Amount\nP1,Mill,10\nP2,Pen,20\nP3,Mill,40\n",
		"euro.csv":  "Bestellnr;Lieferant;Nettobetrag in EUR\n1;A;10,50\n2;B;3,20\n",
		"white.csv": "customer,qty\nMill GmbH,1\nMill  GmbH,2\nmill\u00a0GmbH,4\n",
		"total.csv": "product,qty\nA,10\nB,12\nTotal,22\n",
	} {
		w.takeIn(name, []byte(content))
	}
	for _, c := range []struct {
		question string
		want     []string
		not      string
	}{
		{"total zip in codes.csv", []string{"could not be asked: a sum of \"zip\" needs numbers", "says that it has codes", "“how many rows by zip”"}, "(empty)"},
		{"total city in codes.csv", []string{"a sum of \"city\" needs numbers, but it has only 2 values that are not"}, "(empty)"},
		{"highest city in codes.csv", []string{"a lowest or highest value of \"city\" needs numbers"}, "(empty)"},
		{"average po_number in codes.csv", []string{"1001.50", "has codes by its name or meaning, so its sum or average may not"}, ""},
		{"total qty in codes.csv", []string{"total qty 11"}, "codes by"},
		{"highest po_number in codes.csv", []string{"highest po_number 1002"}, "may not mean"},
		{"average date in days.csv", []string{"could not be asked: dates cannot be added"}, "(empty)"},
		{"how many rows in days.csv where weight is above 1 kg",
			[]string{"rows 1\n", "In \"weight\", 2 numbers have another unit than \"1 kg\" and cannot be compared with it: g, lb."}, "not compared"},
		{"total qty per month in days.csv", []string{"I take “date” as the day. Say “by month of”", "| 2026-02 | 13 |"}, ""},
		{"total qty by month of date in days.csv", []string{"| 2026-02 | 13 |"}, "as the day"},
		{"total price in price.csv", []string{"total Total Price 35", `I take "Total Price" of "price.csv", but "Unit Price" may`}, ""},
		{"average price in price.csv", []string{"average Unit Price 2.50", `I take "Unit Price" of "price.csv", but "Total Price" may`}, ""},
		{"total unit price in price.csv", []string{"total Unit Price 5"}, "may be meant"},
		{"how many rows in part.csv where discount is above 0.07", []string{"is in percent, so 0.07 is compared as 0.07%: write 7%"}, ""},
		{"how many rows in part.csv where discount is 0.05", []string{"rows 0", "is in percent, so 0.05 is compared as"}, ""},
		{"how many rows in part.csv where discount is above 7", []string{"rows 1"}, "percent"},
		{"how many rows in part.csv where discount is above 0.5%", []string{"rows 2"}, "percent"},
		{"total amount by supplier in names.csv", []string{"| Mill | 50 |", "For “supplier” I take \"Supplier Name\""}, ""},
		{"total amount in names.csv where supplier is mill", []string{"total Amount 50"}, ""},
		{"top 1 suppliers by amount in names.csv", []string{"| Mill | 50 |\nThese are 1 of 2"}, ""},
		{"how many different suppliers in names.csv", []string{"- 2 different values"}, ""},
		{"total Nettobetrag in euro.csv", []string{"13.70", "EUR"}, ""},
		{"total qty by customer in white.csv", []string{"| Mill GmbH | 7 |"}, "GmbH | 2"},
		{"how many rows in white.csv where customer is \"mill   gmbh\"", []string{"rows 3"}, ""},
		{"how many rows does total.csv have?", []string{"rows 2"}, ""},
		{"total qty in total.csv where product is A", []string{"total qty 10"}, "total row"},
		{"total qty in total.csv", []string{"total qty 22", "1 row that looks like a total row is left out"}, ""},
		{"how many rows in days.csv where date is after weight", []string{"If it is a column: I cannot compare a column with another one."}, "rows 0"},
	} {
		text := w.say(c.question)
		for _, want := range c.want {
			require.Contains(t, text, want, c.question)
		}
		if c.not != "" {
			require.NotContains(t, text, c.not, c.question)
		}
	}
}
