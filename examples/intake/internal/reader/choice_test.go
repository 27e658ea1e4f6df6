package reader_test

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// A file is asked if its name is the one of the question, and not because its name contains that.
func TestAWholeNameNamesOneFile(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, f := range [][2]string{
		{"a.csv", "1"}, {"data.csv", "100"}, {"a.csv", "1000"}, {"march.csv", "7"}, {"2026-march.csv", "70"},
		{"april 1.csv", "3"}, {"april 2.csv", "4"},
	} {
		w.takeIn(f[0], []byte("sku,qty\nSKU-1,"+f[1]+"\n"))
	}
	for _, question := range []string{"total qty in a.csv", `total qty in "A.csv"`, "total qty in the file a.csv"} {
		text := w.say(question)
		require.Contains(t, text, "Total in 2 files together: 1001", question)
		require.NotContains(t, text, "data.csv", question)
	}
	text := w.say("total qty in march.csv")
	require.Contains(t, text, "I ask 1 file.")
	require.Regexp(t, `total qty 7$`, text)
	text = w.say("total qty in march")
	require.Regexp(t, `total qty 7$`, text)
	require.Contains(t, text, `I leave out 1 file with “march” as a part of the name: "2026-march.csv".`)
	text = w.say("total qty in april")
	require.Contains(t, text, "No file has the name “april”. I take the 2 files with that in their names.")
	require.Contains(t, text, "Total in 2 files together: 7")
	require.Contains(t, w.say("total qty in 2026"), `I take the one with that in its name: "2026-march.csv".`)
	require.Regexp(t, `files\.\s+"march.csv" is`, w.say("quality of march.csv"))
	require.Contains(t, w.say("quality of april"), `This is the newest of 2 files. The others are "april 1.csv".`)
	require.NotContains(t, w.say("quality of “march.csv”"), "2026")
}

func TestAKindIsNotAPartOfAName(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.takeIn("ship.csv", []byte(shipments+"SH-1,DHL,S-001,2026-01-13,delivered,12,x\n"))
	w.takeIn("my shipments backup.csv", []byte("thing,qty\nx,100\n"))
	text := w.say("total qty in shipments")
	require.Regexp(t, `total qty 12$`, text)
	require.Contains(t, text, `I leave out 1 file with “shipments” in the name only: "my shipments backup.csv".`)
	require.Regexp(t, `total qty 100$`, w.say(`total qty in "shipments"`), "a quoted name is not a kind")
	require.Contains(t, w.say("total qty in inventory"), `I do not find a file or a kind "inventory"`)
}

func TestCopiesOfAFileAreTold(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, content := range []string{"sku,qty\nSKU-1,5\n", "sku,qty\nSKU-1,5\n", "sku,qty\nSKU-1,50\n"} {
		w.takeIn("a.csv", []byte(content))
	}
	require.Contains(t, w.say("total qty in a.csv"), `"a.csv" and an older file "a.csv" have the same content`)
	w.takeIn("b.csv", []byte("sku,qty\nSKU-1,5\n"))
	require.NotContains(t, w.say("total qty in b.csv"), "same content", "the others are not asked")
}
