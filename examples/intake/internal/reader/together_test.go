package reader_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const skus = "shipment_id,sku,quantity,ship_date,carrier\n"

// A group that is not among the first ones of any file can be the first one of all.
func TestARankOverSeveralFilesIsThatOfAllGroups(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, file := range []string{"a", "b", "c"} {
		var s strings.Builder
		for i := range 60 {
			fmt.Fprintf(&s, "%s-%d,%s-SKU%d,10,2026-01-02,DHL\n", file, i, file, i)
		}
		fmt.Fprintf(&s, "%s-X,X,9,2026-01-02,DHL\n", file)
		w.takeIn(file+".csv", []byte(skus+s.String()))
	}
	text := w.say("top 1 sku by quantity in shipments")
	require.Contains(t, text, "Total in 3 files together:\n- X: 27\nThese are 1 of 181 groups.")
	text = w.say("bottom 1 sku by quantity in shipments")
	require.Contains(t, text, "- a-SKU0: 10\nThese are 1 of 181 groups.\n179 more groups have the same value")
	require.Contains(t, w.say("top 1 sku by quantity in a.csv"), "59 more groups have the same value as the last one of the")
	text = w.say("average quantity by sku in shipments")
	require.Contains(t, text, "Average in 3 files together:\n- a-SKU0: 10\n")
}

func TestARankOverFilesOfManyGroupsIsExact(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	random, sums := rand.New(rand.NewPCG(7, 19)), map[string]int{}
	for file := range 3 {
		var s strings.Builder
		for i := range 900 {
			sku, n := fmt.Sprintf("SKU%05d", random.IntN(400)), 1+random.IntN(9)
			sums[sku] += n
			fmt.Fprintf(&s, "%d-%d,%s,%d,2026-01-02,DHL\n", file, i, sku, n)
		}
		w.takeIn(fmt.Sprintf("s%d.csv", file), []byte(skus+s.String()))
	}
	byValue := func(a, b string) int { return 1000*(sums[b]-sums[a]) + strings.Compare(a, b) }
	ranked := slices.SortedFunc(maps.Keys(sums), byValue)
	want := ""
	for _, sku := range ranked[:5] {
		want += fmt.Sprintf("- %s: %d\n", sku, sums[sku])
	}
	require.Contains(t, w.say("top 5 sku by quantity in shipments"), "together:\n"+want)
	slices.SortFunc(ranked, func(a, b string) int { return 1000*(sums[a]-sums[b]) + strings.Compare(a, b) })
	want = ""
	for _, sku := range ranked[:5] {
		want += fmt.Sprintf("- %s: %d\n", sku, sums[sku])
	}
	require.Contains(t, w.say("bottom 5 sku by quantity in shipments"), "together:\n"+want)
}

// Numbers of several units are not added, even if each file has one unit, and columns may have other names.
func TestGroupsTogetherKeepTheirUnits(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.takeIn("a.csv", []byte("shipment_id,sku,weight,carrier\n1,A,5 kg,X\n2,B,7 kg,X\n3,C,1 kg,X\n"))
	w.takeIn("b.csv", []byte("shipment_id,article,weight,carrier\n1,a,8 lb,X\n2,B,2 lb,X\n3,D,9 lb,X\n"))
	text := w.say("top 1 sku by weight in shipments")
	require.Contains(t, text, "Total in 2 files together:\n- B, kg: 7\n- D, lb: 9\nThese are 2 of 6 groups")
}

func TestDatesAndNumbersHaveNoRankTogether(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.takeIn("a.csv", []byte(skus+"1,A,5,2026-01-02,X\n2,B,6,2026-01-03,X\n"))
	w.takeIn("b.csv", []byte(skus+"1,A,5,46000,X\n2,B,6,46001,X\n"))
	text := w.say("top 1 sku by latest ship_date in shipments")
	require.Contains(t, text, "I do not give a result for all of them together: some files have dates and others have numbers.")
}

// Codes that a spreadsheet has written with a point are the same as those without, and empty groups have a name.
func TestCodesWithZerosAfterThePointAreOneGroupOverFiles(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.takeIn("p1.csv", []byte(orders+"P1,101.0,2026-01-01,1,5\nP2,,2026-01-01,1,7\n"))
	w.takeIn("p2.csv", []byte(orders+"P1,101,2026-01-01,1,5\nP2,0102,2026-01-01,1,5\n"))
	const note = "Numbers that differ only by zeros after the point are one group, such as 101 and 101.0."
	require.Contains(t, w.say("total quantity by supplier in purchase orders"),
		"together:\n- 101: 10\n- (empty): 7\n- 0102: 5\n"+note)
	require.Contains(t, w.say("top 1 supplier by quantity"), "together:\n- 101: 10\nThese are 1 of 3 groups.\n"+note)
	w.takeIn("suppliers.csv", []byte("supplier_id,name,country\n101,Acme,DE\n102,B,AT\n"))
	require.Contains(t, w.say("total quantity by supplier in purchase orders"),
		"together:\n- 101, Acme: 10\n- (empty): 7\n- 0102: 5\n"+note)
	text := w.say("top 2 supplier by quantity")
	require.Contains(t, text, "together:\n- 101, Acme: 10\n- (empty): 7\nThese are 2 of 3 groups.\n"+note)
}
