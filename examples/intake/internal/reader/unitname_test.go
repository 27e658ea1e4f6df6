package reader_test

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestColumnsOfUnitsHaveTheirNamesInOtherLanguages(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, name := range []string{
		"UM", "U.M.", "UoM", "UOM", "ME", "Einheit", "Mengeneinheit", "unité", "Unité de mesure", "unidad", "Unidad de medida",
		"unità", "eenheid", "单位", "qty_um", "QTY UoM",
	} {
		w.takeIn(name+".csv", []byte("sku,qty,"+name+"\nA,5,kg\nB,500,g\nC,7,kg\n"))
		text := w.say(`total qty in "` + name + `.csv"`)
		require.Contains(t, text, "| g | 500 |\n| kg | 12 |", name)
		require.NotContains(t, text, "512", name)
	}
	for _, name := range []string{"name", "datum", "volume", "theme"} {
		w.takeIn(name+".csv", []byte("sku,qty,"+name+"\nA,5,x\nB,500,y\n"))
		require.Contains(t, w.say("total qty in "+name+".csv"), "total qty 505", name)
	}
}

func TestARecordThatHasANameTwiceIsToldInAnswers(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.takeIn("twice.jsonl", []byte(`{"sku":"A","qty":5,"qty":7}`+"\n"+`{"sku":"B","qty":6}`))
	text := w.say("total qty in twice.jsonl")
	require.Contains(t, text, "total qty 11")
	require.Contains(t, text, "1 record has a name twice: the first value counts.")
	w.takeIn("once.jsonl", []byte(`{"sku":"A","qty":5}`+"\n"+`{"sku":"B","qty":6}`))
	require.NotContains(t, w.say("total qty in once.jsonl"), "twice:")
}
