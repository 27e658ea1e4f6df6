package reader

import (
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/carrel-go/carrel/examples/bookshelf/internal/book"
)

var (
	politeTail     = regexp.MustCompile(`(?i)(?:,?\s+(?:please|thanks|thank\s+you))+[.!]*$`)
	contrastClause = regexp.MustCompile(`(?:,\s+(?:and\s+)?not|\s+instead\s+of|\s+rather\s+than)\s.*$`)
	noValue        = regexp.MustCompile(`^(?:not|wrong|incorrect|missing|unknown|false|misspelled|bad|right|correct|fine|ok)\b`)
)

// quotedValue returns the quoted text at the beginning of s and its length in bytes.
func quotedValue(s string) (v string, used int, ok bool) {
	lead := len(s) - len(strings.TrimLeft(s, " "))
	open, size := utf8.DecodeRuneInString(s[lead:])
	closing := map[rune]string{'"': `"`, '“': "”", '„': "“", '«': "»", '‘': "’"}[open]
	if closing == "" {
		return "", 0, false
	}
	inside, _, found := strings.Cut(s[lead+size:], closing)
	if !found || strings.TrimSpace(inside) == "" {
		return "", 0, false
	}
	return strings.TrimSpace(inside), lead + size + len(inside) + len(closing), true
}

// plainValue cuts a value at the end of its sentence and removes polite words and the final stop. It returns "" if the
// text is not a value, for example a question, "not …" or "wrong".
func plainValue(f book.Field, v string) string {
	v = strings.TrimSpace(strings.ReplaceAll(v, "\r\n", "\n"))
	if f != book.Description {
		v, _, _ = strings.Cut(v, "\n")
		v = v[:sentenceEnd(f, v)]
		v = contrastClause.ReplaceAllString(v, "")
	}
	v = politeTail.ReplaceAllString(v, "")
	v = strings.TrimRight(v, " ,;")
	if f != book.Title { // a title may end in an exclamation mark
		v = strings.TrimRight(v, "!")
	}
	isWordRune := func(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }
	isQuestion := strings.HasSuffix(v, "?") && f != book.Title
	if noValue.MatchString(v) || isQuestion || !strings.ContainsFunc(v, isWordRune) {
		return ""
	}
	if f != book.Description && strings.HasSuffix(v, ".") && !isAbbreviated(v) {
		v = strings.TrimSuffix(v, ".")
	}
	return strings.TrimSpace(v)
}

// sentenceEnd returns the end of the first sentence of v. A sentence ends with a stop that is followed by a space and a
// capital, unless the stop belongs to an initial or an abbreviation. In a title, only a full stop ends a sentence.
func sentenceEnd(f book.Field, v string) int {
	stops := ".!?"
	if f == book.Title {
		stops = "."
	}
	for i := 0; i+2 < len(v); i++ {
		if !strings.ContainsRune(stops, rune(v[i])) || v[i+1] != ' ' {
			continue
		}
		next, _ := utf8.DecodeRuneInString(strings.TrimLeft(v[i+1:], " "))
		if unicode.IsUpper(next) && (v[i] != '.' || !isAbbreviated(v[:i+1])) {
			return i + 1
		}
	}
	return len(v)
}

// isAbbreviated reports whether the stop at the end of v belongs to its last word, as in "J." or "Jr.".
func isAbbreviated(v string) bool {
	v = strings.TrimSuffix(v, ".")
	last := v[strings.LastIndexAny(v, " .-")+1:]
	switch last {
	case "Jr", "Sr", "Dr", "Mr", "Mrs", "Ms", "St", "Co", "Inc", "Ltd", "Vol", "No", "ed", "al", "Bros", "Ph", "Prof":
		return true
	}
	return utf8.RuneCountInString(last) == 1 && unicode.IsUpper([]rune(last)[0])
}
