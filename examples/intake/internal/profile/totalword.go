package profile

import (
	"bytes"
	"strings"
	"unicode"
)

// labelKind is the kind of a label of a row that is not data.
type labelKind int

const (
	noLabel labelKind = iota
	// mayBeName is a label that may also be the name of a company or a product, such as Total or Total Quartz.
	mayBeName
	// bareLabel is one word that may also be a name, such as Total.
	bareLabel
	// sumLabel is a label of sums only, such as Grand Total or 小计.
	sumLabel
	// figureLabel is the label of another figure about the rows above it, such as Average.
	figureLabel
)

// The figures that a row under a table may have besides sums.
const (
	average   = "average"
	rowCount  = "count"
	smallest  = "min"
	largest   = "max"
	otherWise = "other"
)

// labelWords are the words of the labels of rows that are not data, in lower case. Those of names are also names of
// companies and products.
var labelWords = struct{ names, sums, prefixes, ends, wholes, counted, figures map[string]string }{
	names: wordSet("total totals sum suma sumas somme totale totali totaal toplam razem"),
	sums: wordSet("subtotal subtotals summe zwischensumme endsumme gesamt gesamtsumme gesamtergebnis gesamtbetrag " +
		"teilsumme insgesamt subtotale subtotaal totaux eindtotaal łącznie ogółem celkem součet összesen yhteensä totalt " +
		"sammanlagt σύνολο итого итог всего сумма усього разом 合计 总计 小计 总和 總計 小計 合計 總和 総計 累計 총계 합계 소계 المجموع"),
	prefixes: wordSet("grand sub sous net gross overall final report page running ara genel gran"),
	ends:     wordSet("total totals subtotal gesamt summe ergebnis totaal totale toplam итого"),
	wholes:   wordSet("general generale geral général géneral"),
	counted:  wordSet("number row record line item"),
	figures: map[string]string{
		"average": average, "avg": average, "mean": average, "durchschnitt": average, "mittelwert": average,
		"moyenne": average, "promedio": average, "media": average, "média": average, "gemiddelde": average,
		"gemiddeld": average, "średnia": average, "ortalama": average, "среднее": average, "平均": average, "平均值": average,
		"count": rowCount, "anzahl": rowCount, "nombre": rowCount, "conteo": rowCount, "conteggio": rowCount,
		"aantal": rowCount, "liczba": rowCount, "adet": rowCount, "количество": rowCount, "计数": rowCount,
		"rows": rowCount, "records": rowCount, "lines": rowCount, "items": rowCount, "entries": rowCount,
		"zeilen": rowCount, "positionen": rowCount, "datensätze": rowCount, "einträge": rowCount, "lignes": rowCount,
		"filas": rowCount, "registros": rowCount, "righe": rowCount, "regels": rowCount, "wiersze": rowCount,
		"min": smallest, "minimum": smallest, "mindestwert": smallest, "最小值": smallest,
		"max": largest, "maximum": largest, "höchstwert": largest, "最大值": largest,
		"median": otherWise, "stdev": otherWise, "standardabweichung": otherWise,
	},
}

// wideSums are the labels that are written without a space after other words, as in 华北小计.
var wideSums = []string{"合计", "总计", "小计", "總計", "小計", "合計", "総計", "합계", "총계", "소계"}

func wordSet(words string) map[string]string {
	set := map[string]string{}
	for w := range strings.FieldsSeq(words) {
		set[w] = w
	}
	return set
}

// kindOfLabel returns the kind of a text as a label, and the figure of a figureLabel.
func kindOfLabel(value []byte) (kind labelKind, figure string) {
	value = bytes.TrimSpace(value)
	if len(value) < 3 || len(value) > maxTotalLabel || !mayBeLabel(value) {
		return noLabel, ""
	}
	text := strings.ToLower(string(value))
	words := strings.FieldsFunc(text, func(r rune) bool { return !unicode.IsLetter(r) })
	if len(words) == 0 {
		return noLabel, ""
	}
	has := func(set map[string]string, word string) bool { return set[word] != "" }
	first, last := words[0], words[len(words)-1]
	isMarked := strings.ContainsAny(text, ":：=0123456789") && len(words) == 1
	switch w := &labelWords; {
	case len(words) == 1 && has(w.figures, first):
		return figureLabel, w.figures[first]
	case has(w.sums, first), isWideSum(first), isWideSum(last):
		return sumLabel, ""
	case len(words) > 1 && has(w.prefixes, first) && (has(w.names, words[1]) || has(w.sums, words[1])):
		return sumLabel, ""
	case len(words) > 1 && has(w.ends, last):
		return sumLabel, ""
	case has(w.names, first) && (isMarked || len(words) == 2 && has(w.wholes, last)):
		return sumLabel, ""
	case has(w.names, first) && len(words) == 1:
		return bareLabel, ""
	case has(w.names, first), w.figures[last] == rowCount && (w.figures[first] == rowCount || has(w.counted, first)):
		return mayBeName, ""
	}
	return noLabel, ""
}

func isWideSum(word string) bool {
	for _, s := range wideSums {
		if strings.HasPrefix(word, s) || strings.HasSuffix(word, s) {
			return true
		}
	}
	return false
}

// mayBeLabel reports whether the first or the last word of a text may be one of the words of labels. It is fast.
func mayBeLabel(b []byte) bool {
	isLetter := func(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' || c >= 0x80 }
	start := 0
	for start < len(b) && !isLetter(b[start]) {
		start++
	}
	end := len(b)
	for end > start && !isLetter(b[end-1]) {
		end--
	}
	firstEnd, lastStart := start, end
	for firstEnd < end && isLetter(b[firstEnd]) {
		firstEnd++
	}
	for lastStart > start && isLetter(b[lastStart-1]) {
		lastStart--
	}
	return isLabelWord(b[start:firstEnd]) || isLabelWord(b[lastStart:end])
}

// isLabelWord reports whether a word is one of the words of labels, or begins or ends with one that is written without
// a space.
func isLabelWord(word []byte) bool {
	if len(word) < 3 || len(word) > maxTotalLabel {
		return false
	}
	a, b := (word[0]|0x20)-'a', (word[1]|0x20)-'a'
	switch {
	case word[0] >= 0xe0: // not a letter that has a case
		word = bytes.TrimSuffix(word, []byte("："))
		return allLabelWords[string(word)] || isWideSum(string(word))
	case a < 26 && b < 26 && !labelStarts[a][b]:
		return false
	}
	var lower [maxTotalLabel]byte
	for i, c := range word {
		if c >= 0x80 {
			return allLabelWords[strings.ToLower(string(word))]
		}
		lower[i] = c | 0x20
	}
	return allLabelWords[string(lower[:len(word)])]
}

// labelStarts are the pairs of letters that the words of labels begin with.
var labelStarts = func() (starts [26][26]bool) {
	for word := range allLabelWords {
		if a, b := word[0]-'a', word[1]-'a'; a < 26 && b < 26 {
			starts[a][b] = true
		}
	}
	return starts
}()

// allLabelWords has the words of all kinds of labels.
var allLabelWords = func() map[string]bool {
	all := map[string]bool{}
	w := labelWords
	for _, set := range []map[string]string{w.names, w.sums, w.prefixes, w.ends, w.wholes, w.counted, w.figures} {
		for word := range set {
			all[word] = true
		}
	}
	return all
}()
