package reader_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/examples/intake/internal/intaketools"
)

func TestAnswersReadValuesAsTheReportDoes(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.takeIn("eu.csv", []byte("sku;preis;menge\nA1;1,5;1.001\nA2;2,5;1.002\nA3;3,5;1.003\nA4;4,5;1.004\nA5;5,5;1.005\n"))
	require.Contains(t, w.say("total menge in eu.csv"), "total menge 5015")
	w.takeIn("odd.csv", []byte("sku;menge\nA1;1.001\n"))
	text := w.say("total menge in odd.csv")
	require.Contains(t, text, "total menge 1001")
	require.Contains(t, text, "1.001 is read as 1001")
	require.Contains(t, w.say("quality of odd.csv"), "1.001 is read as 1001")
	w.takeIn("days.csv", []byte("po_number,order_date\nPO-1,31.01.2026\nPO-2,2026-02-01\n"))
	require.Contains(t, w.say("highest order date in days.csv"), "highest order_date 2026-02-01")
}

func TestAFirstRowWithoutNamesIsTold(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.takeIn("headless.csv", []byte("S-001,2026-01-13,5\nS-002,2026-01-14,6\n"))
	require.Contains(t, w.say("quality of headless.csv"), `"2026-01-13" looks like data`)
	w.takeIn("excel.csv", []byte("sep=;\nsku;menge\nA1;1\n"))
	require.Contains(t, w.say("quality of excel.csv"), "names a separator")
	w.takeIn("empty.csv", []byte("sku,quantity\n"))
	require.Contains(t, w.say("quality of empty.csv"), "does not have any rows")
}

// A number with leading zeros is a code in the report, in conditions, in groups and in joins.
func TestLeadingZerosAreKept(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.takeIn("zips.csv", []byte("sku,zip,supplier_id,qty\nA,01234,0001,5\nB,1234,1,6\nC,1234,0001,7\n"))
	require.Contains(t, w.say("quality of zips.csv"), `- "zip": text`)
	require.Contains(t, w.say("how many rows in zips.csv where zip is 01234"), "rows 1")
	require.Contains(t, w.say("how many rows in zips.csv where zip is 1234"), "rows 2")
	require.Contains(t, w.say("how many rows in zips.csv where zip is not 1234"), "rows 1")
	require.Contains(t, w.say("total qty by zip in zips.csv"), "| zip | total qty |\n| --- | --- |\n| 1234 | 13 |\n| 01234 | 5 |")
	w.takeIn("suppliers.csv", []byte("supplier_id,supplier_name\n0001,Alpha\n1,Beta\n"))
	require.Contains(t, w.say("total qty by supplier_id in zips.csv"),
		"| supplier_id | supplier_name | total qty |\n| --- | --- | --- |\n| 0001 | Alpha | 12 |\n| 1 | Beta | 6 |")
	require.Contains(t, w.say("total zip in zips.csv"), "values that are not numbers")
	w.takeIn("amounts.csv", []byte("sku,qty\nA,05\nB,7\n"))
	require.Contains(t, w.say("quality of amounts.csv"), `"qty" has codes, such as 05. They are read as texts`)
}

// A column whose name says that it has codes keeps them as they are written.
func TestCodesAreKeptByTheNameOfTheirColumn(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.takeIn("parts.csv", []byte("part_no,lot,qty\n01.02.03,01/02/26,1\n1.2.3,02/01/26,2\n1.2.03,03/01/26,4\n"))
	require.Contains(t, w.say("how many rows in parts.csv where part_no is 1.2.3"), "rows 1")
	require.Contains(t, w.say("how many rows in parts.csv where lot is 01/02/26"), "rows 1")
	require.Contains(t, w.say("total qty by part_no in parts.csv"), "| 1.2.03 | 4 |\n| 1.2.3 | 2 |\n| 01.02.03 | 1 |")
	require.Contains(t, w.say("highest lot in parts.csv"), "its name or meaning says that it has codes")
	w.takeIn("parts.json", []byte(`[{"part":"2E10","qty":1},{"part":"3E10","qty":2}]`))
	require.Contains(t, w.say("total qty by part in parts.json"), "| 3E10 | 2 |\n| 2E10 | 1 |")
}

func TestWhatIsNotReadAsMeantIsNamed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.takeIn("sheet.csv", []byte("sku,order_date,qty\nA,45992,5\nB,46022,6\nSumme,,11\n"))
	text := w.say("quality of sheet.csv")
	require.Contains(t, text, `the last row looks like a total row ("Summe"), and counts like the others`)
	require.Contains(t, text, `numbers of "order_date" look like dates as a spreadsheet stores them, but are read as numbers: 45992 is 2025-12-01 there`)
	require.NotContains(t, text, "no flaws")
	require.Contains(t, w.say("total qty in sheet.csv"), `The last row looks like a total row ("Summe")`)
	_, text = w.takeIn("units.csv", []byte("sku,weight,size\nA,5g,5 XL\nB,1200g,3 kg\n"))
	require.Contains(t, text, `values of "weight" look like numbers with units, such as "5g", but are read as texts`)
	require.NotContains(t, text, `values of "size"`)
	w.takeIn("weights.csv", []byte("sku,weight\nA,5 kg\nB,1200 g\nC,3 kg\n"))
	require.Contains(t, w.say("total weight in weights.csv"), "each unit has its own result")
	require.Contains(t, w.say("how many rows in weights.csv where weight is above 4 kg"), "rows 1")
	w.takeIn("plain.csv", []byte("sku,number,qty\nTotal,45992,5\nB,46022,6\n"))
	text = w.say("quality of plain.csv")
	require.Contains(t, text, "I found no flaws.")
	require.NotContains(t, w.say("total qty in plain.csv"), "total row")
	w.takeIn("lines.jsonl", []byte("{\"sku\":\"A\",\"qty\":5}\n{\"sku\":\"Total:\",\"qty\":5}\n"))
	require.Contains(t, w.say("total qty in lines.jsonl"), `looks like a total row ("Total:")`)
	for name, content := range map[string]string{
		"rows.json": `[["sku","qty"],["A",1]]`, "rows.jsonl": "[\"sku\",\"qty\"]\n[\"A\",1]\n",
	} {
		id, text := w.takeIn(name, []byte(content))
		require.Contains(t, text, "is JSON whose rows are arrays, which do not have names of columns")
		require.Contains(t, text, "It is not taken in.")
		f, err := w.view().Get(t.Context(), id)
		require.NoError(t, err)
		why, err := intaketools.CheckTable(t.Context(), w.store, w.user, &f)
		require.NoError(t, err)
		require.Contains(t, why, "rows must be objects")
	}
	_, text = w.takeIn("numbers.json", []byte(`[1, 2]`))
	require.Contains(t, text, "2 rows and 1 column")
}

func TestRowsThatWereNotReadAreTold(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.takeIn("many.csv", []byte("sku,qty\n"+strings.Repeat("A,1\nB,2\n", 1000)))
	require.Contains(t, w.say("first 3 rows in many.csv where sku is B"),
		"From \"many.csv\", the first 3 rows that match. I read only the first 6 of 2,000:")
	require.Contains(t, w.say("first 3 rows in many.csv where sku is C"), "From \"many.csv\", 0 of 2,000 rows:")
	require.Contains(t, w.say("how many rows in many.csv where sku is B"), "From \"many.csv\", 1,000 of 2,000 rows:")
}

func TestDifferentValuesDuplicatesAndTheEarliestDate(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.takeIn("ship.csv", []byte(shipments+"SH-1,DHL,S-001,2026-02-13,delivered,1,x\nSH-1,DHL,S-001,2026-02-13,delivered,1,x\n"+
		"SH-2,dhl,S-002,2026-01-13,delivered,1,x\nSH-3,UPS,,2026-03-13,lost,1,x\n"))
	for question, want := range map[string]string{
		"earliest ship_date in ship.csv":                                      "lowest ship_date 2026-01-13",
		"what is the latest ship date?":                                       "highest ship_date 2026-03-13",
		"how many different supplier_id in ship.csv":                          "3 of 4 rows:\n- 2 different values",
		"number of distinct carriers in ship.csv where status is lost":        "- 1 different value",
		"how many unique carriers are there in shipments":                     "- 2 different values",
		"how many different carriers in ship.csv where status is on the moon": "- 0 different values",
		"how many different carriers by status in ship.csv":                   "I do not count different values by group.",
		"how many different in ship.csv":                                      "The name of a column is missing.",
		"how many duplicates in ship.csv":                                     "- \"ship.csv\": 1 of 4 rows, counted exactly",
		"how many duplicate rows do I have?":                                  "- \"ship.csv\": 1 of 4 rows, counted exactly",
		"how many duplicates are there":                                       "- \"ship.csv\": 1 of 4 rows",
		"how many duplicates in nope.csv":                                     `I do not find a file or a kind "nope.csv"`,
		"how many duplicates in ship.csv where qty is 1":                      "only for whole files",
	} {
		require.Contains(t, w.say(question), want, question)
	}
	w.takeIn("other.csv", []byte(shipments+"SH-1,DHL,S-001,2026-02-13,delivered,1,x\n"))
	text := w.say("how many different carriers in shipments")
	require.Contains(t, text, "I do not add these numbers")
	require.NotContains(t, text, "together")
	text = w.say("how many duplicates in shipments")
	require.Contains(t, text, "- \"other.csv\": 0 of 1 row, counted exactly\n- \"ship.csv\": 1 of 4 rows")
}

func TestTheFlawsOfTheFirstColumnsAreNamed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	names := make([]string, 70)
	for i := range names {
		names[i] = fmt.Sprintf("c%d", i)
	}
	header := strings.Join(names, ",") + "\n"
	_, text := w.takeIn("wide.csv", []byte(header+strings.Repeat("1,", 69)+"1\n"))
	require.Contains(t, text, "I found no flaws in the first 60 columns. The report shows all.")
	require.NotContains(t, text, "this result")
	_, text = w.takeIn("empty.csv", []byte(header+strings.Repeat("1,", 69)+"1\n,"+strings.Repeat("1,", 68)+"1\n"))
	require.Contains(t, text, "- Missing values: \"c0\" 1 (50.0 %).\n- I have named the flaws of the first 60 columns.")
}

func TestASecondTableIsTold(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	_, text := w.takeIn("two.csv", []byte("sku,on_hand,warehouse\nA,5,W\nB,6,W\n\nsupplier_id,rating,country\nS-1,DE,5\nS-2,NL,4\n"))
	const remark = `econd table seems to begin in row 3, with the columns "supplier_id", "rating", "country"`
	require.Contains(t, text, remark)
	text = w.say("quality of two.csv")
	require.Contains(t, text, remark)
	require.NotContains(t, text, "no flaws")
	require.Contains(t, w.say("total on hand in two.csv"), remark)
	_, text = w.takeIn("wide.csv", []byte("\ufeffsku,qty\r\nA,5\r\nB,6\r\n\r\nS-1,x,y\r\nS-2,x,y\r\nS-3,x,y\r\n"))
	require.Contains(t, text, "from row 3 on, all rows have 3 values instead of 2")
	_, text = w.takeIn("groups.csv", []byte("sku,qty\r\nA,5\r\n\r\nB,6\r\n\r\n\r\n"))
	require.Contains(t, text, "I found no flaws.")
}

func TestFilesInOtherLanguagesAreAskedInEnglish(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	_, text := w.takeIn("bestellungen.csv", []byte("Bestellung;Lieferant;Artikelnummer;Menge;Einzelpreis;Bestelldatum\n"+
		"B-1;L-7;A-1;10;1,50;31.05.2026\nB-2;L-8;A-1;5;2,50;01.06.2026\n"))
	require.Contains(t, text, "This looks like purchase orders.")
	w.takeIn("pedidos.csv", []byte("Pedido,Proveedor,Artículo,Cantidad,Precio unitario,Fecha de pedido\nP-1,L-7,A-1,20,3,2026-06-15\n"))
	require.Contains(t, w.say("total quantity by supplier in purchase orders"), "together:\n- L-7: 30\n- L-8: 5")
	text = w.say("how many orders in June 2026")
	require.Contains(t, text, "I take “Fecha de pedido” and “Bestelldatum” as the day.")
	require.Contains(t, text, "Number in 2 files together: 2.")
}
