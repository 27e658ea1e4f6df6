package reader

import (
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/carrel-go/carrel/examples/intake/internal/profile"
)

// word is a word, a comparison sign or a quoted text of a question. A quoted text is never a keyword.
type word struct {
	text   string
	quoted bool
}

func (w word) is(words ...string) bool {
	return !w.quoted && slices.Contains(words, strings.ToLower(w.text))
}

var closingQuotes = map[rune]rune{'"': '"', '“': '”', '„': '“', '\'': '\'', '‘': '’'}

const signs = "<>=!"

// splitWords splits a question at spaces, around the comparison signs, and at quotes that are closed.
func splitWords(s string) (list []word) {
	for {
		s = strings.TrimLeft(s, " ")
		if s == "" {
			return list
		}
		first, size := utf8.DecodeRuneInString(s)
		if closing, ok := closingQuotes[first]; ok {
			// An apostrophe within a word does not close a quote.
			if text, rest, ok := cutQuoted(s[size:], closing); ok {
				list, s = append(list, word{text, true}), rest
				continue
			}
		}
		end := strings.IndexAny(s, " "+signs)
		switch {
		case end < 0:
			end = len(s)
		case end == 0: // a sign
			end = len(s) - len(strings.TrimLeft(s, signs))
		}
		if text := strings.TrimSuffix(s[:end], ","); text != "" {
			list = append(list, word{text, false})
		}
		s = s[end:]
	}
}

// cutQuoted returns the text before a closing quote that a space, a comma, a sign or the end follows.
func cutQuoted(s string, closing rune) (text, rest string, ok bool) {
	for i, r := range s {
		if r != closing {
			continue
		}
		after := s[i+utf8.RuneLen(r):]
		if after == "" || strings.ContainsAny(after[:1], " ,"+signs) {
			return s[:i], strings.TrimPrefix(after, ","), true
		}
	}
	return "", "", false
}

func joinWords(words []word) string {
	texts := make([]string, len(words))
	for i, w := range words {
		texts[i] = w.text
	}
	return strings.Join(texts, " ")
}

// isMeasured reports whether a text is a number or a date.
func isMeasured(text string) bool {
	v := profile.ReadValue([]byte(text), nil)
	return v.IsNumber() || v.Type == profile.Date
}

// singulars returns the words that a plural may be the plural of, and the words themselves first.
func singulars(words string) []string {
	list := []string{words}
	lower := strings.ToLower(words)
	switch {
	case strings.HasSuffix(lower, "ies"):
		list = append(list, words[:len(words)-3]+"y")
	case strings.HasSuffix(lower, "ses"), strings.HasSuffix(lower, "xes"), strings.HasSuffix(lower, "ches"):
		list = append(list, words[:len(words)-2])
	}
	if strings.HasSuffix(lower, "s") && !strings.HasSuffix(lower, "ss") {
		list = append(list, words[:len(words)-1])
	}
	return list
}
