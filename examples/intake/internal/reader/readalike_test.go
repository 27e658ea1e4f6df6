package reader_test

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// A column that one of several files has as codes, or as dates, is read so in all of them.
func TestAColumnMeansTheSameInAllFilesOfAQuestion(t *testing.T) {
	t.Parallel()
	const names = "shipment_id,carrier,ref,d,qty\n"
	w := newWorld(t)
	w.takeIn("s1.csv", []byte(names+"S1,DHL,1E5,2026-01-13,1\nS2,DHL,A7,2026-03-04,2\n"))
	w.takeIn("s2.csv", []byte(names+"S3,DHL,100000,20260113,4\nS4,DHL,2000.5,20260304,8\n"))
	w.takeIn("s3.csv", []byte(names+"S5,DHL,1.10,2026-01-13,16\nS6,DHL,1.1,2026-02-01,32\n"))
	text := w.say("total qty in shipments where ref is 100000")
	require.Contains(t, text, "Total in 3 files together: 4.")
	require.Contains(t, w.say("total qty in shipments where ref is 1E5"), "Total in 3 files together: 1.")
	require.Contains(t, w.say("total qty in shipments where ref is 1.1"), "Total in 3 files together: 32.")
	text = w.say("total qty by d in shipments")
	require.Contains(t, text, "3 files together:\n- 2026-01-13: 21\n- 2026-02-01: 32\n- 2026-03-04: 10")
	require.Contains(t, w.say("latest d in shipments"), "Highest value in 3 files together: 2026-03-04.")
	require.Contains(t, w.say("how many rows in shipments where d is after 2026-01-31"), "Number in 3 files together: 3.")
	require.Contains(t, w.say("total qty by d in s2.csv"), `Numbers of "d" look like dates`)
}

func TestUnitsInTheNamesOfColumnsAreNotAddedTogether(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.takeIn("w1.csv", []byte("shipment_id,carrier,weight_kg,qty\nS1,DHL,10,1\nS2,UPS,2.5,1\n"))
	w.takeIn("w2.csv", []byte("shipment_id,carrier,weight_lb,qty\nS3,DHL,10,1\n"))
	w.takeIn("w3.csv", []byte("shipment_id,carrier,weight,qty\nS4,DHL,10 g,1\n"))
	w.takeIn("w4.csv", []byte("shipment_id,carrier,Weight (kg),qty\nS5,DHL,1,1\n"))
	require.Contains(t, w.say("total weight in shipments"), "4 files together:\n- g: 10.0\n- kg: 13.5\n- lb: 10.0")
	require.Contains(t, w.say("highest weight in shipments"), "4 files together:\n- g: 10\n- kg: 10\n- lb: 10")
	require.Contains(t, w.say("total weight by carrier in shipments"), "- DHL, kg: 11")
	require.Contains(t, w.say("how many shipments where weight is above 5"), "compared without their units, which differ")
	w.takeIn("mixed.csv", []byte("sku,weight_kg\nA,5\nB,7 lb\nC,1 kg\n"))
	require.Contains(t, w.say("total weight in mixed.csv"), "| kg | 6 |\n| lb | 7 |")
	w.takeIn("both.csv", []byte("sku,weight_kg,weight_lb\nA,1,2.2\n"))
	require.Contains(t, w.say("total weight in both.csv"), `"weight_lb"`)
	w.takeIn("p1.csv", []byte("po_number,supplier_id,amount_eur,order_date\nP1,S1,100,2026-01-01\n"))
	w.takeIn("p2.csv", []byte("po_number,supplier_id,Amount (USD),order_date\nP2,S1,500,2026-01-01\n"))
	require.Contains(t, w.say("total amount in purchase orders"), "2 files together:\n- EUR: 100\n- USD: 500")
}

// Programs write 1 as 1.0 if another row of the column is empty. Leading zeros may make another code.
func TestJoinsFindWholeNumbersWithZerosAfterThePoint(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.takeIn("ship.csv", []byte("shipment_id,carrier,supplier_id,qty\nA,DHL,1.0,1\nB,DHL,001,2\nC,DHL,2,4\nD,DHL,3.5,8\nE,DHL,,16\n"))
	w.takeIn("sup.csv", []byte("supplier_id,supplier_name,country\n1,Alpha,DE\n2.0,Beta,US\n3,Gamma,FR\n"))
	text := w.say("total qty by country in shipments")
	require.Contains(t, text, "| (empty) | 26 |\n| US | 4 |\n| DE | 1 |")
	require.Contains(t, text, `2 rows, such as "1.0", is the same whole number as one of the file "sup.csv", and is joined with it`)
	require.Contains(t, text, `of 2 rows, such as "001" (it has "1", which may be another code): their joined values are empty`)
	require.Contains(t, text, `1 row has no value of "supplier_id"`)
}
