package catalogue

import (
	"strings"
	"unicode"
)

// splitWords splits text into comparable words. It converts them to lower case and removes accents, punctuation and
// small words. It joins words that are hyphenated at the end of a line, and replaces misread digits in words by
// letters.
func splitWords(s string) []string {
	s = strings.ReplaceAll(s, "\u00ad", "") // soft hyphen
	s = strings.ReplaceAll(s, "-\r\n", "")
	s = strings.ReplaceAll(s, "-\n", "")
	s = strings.Map(func(r rune) rune {
		if r == '\'' || r == '’' {
			return -1 // hitchhiker's, O'Reilly: one word
		}
		r = removeAccent(unicode.ToLower(r))
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return r
		}
		return ' '
	}, s)
	var out []string
	for _, w := range strings.Fields(s) {
		if w = fixMisreadDigits(w); !isSmallWord(w) {
			out = append(out, w)
		}
	}
	return out
}

// fixMisreadDigits replaces digits by similar letters in a word that has letters.
func fixMisreadDigits(w string) string {
	if !strings.ContainsFunc(w, unicode.IsLetter) {
		return w
	}
	return strings.NewReplacer("0", "o", "1", "l", "5", "s", "8", "b").Replace(w)
}

// isSmallWord reports whether a word does not help to identify a book, for example an article or a single letter.
func isSmallWord(w string) bool {
	switch w {
	case "a", "an", "and", "by", "in", "of", "on", "or", "the", "to":
		return true
	}
	return len(w) == 1 && !unicode.IsDigit(rune(w[0]))
}

// removeAccent removes accents from the Latin letters in book titles.
func removeAccent(r rune) rune {
	const with, without = "àáâãäåāçćčèéêëēìíîïīłñńòóôõöøōśšùúûüūýÿžźż", "aaaaaaaccceeeeeiiiiilnnooooooossuuuuuyyzzz"
	if i := strings.IndexRune(with, r); i >= 0 {
		return rune(without[len([]rune(with[:i]))])
	}
	return r
}
