package reader

import (
	"regexp"
	"slices"
	"strings"
	"unicode"
)

// titleGuess is the title and author that the text on a cover suggests.
type titleGuess struct{ title, author string }

var byLine = regexp.MustCompile(`(?i)^(?:written\s+)?by\s+(.+)$`)

// guessTitle takes the first paragraph as the title. The author is a line that starts with "by", otherwise the first
// line of the second paragraph, otherwise the last line of the only paragraph if it looks like a name. guessTitle skips
// lines with hardly any words. The guess is often wrong, so values from it get a low confidence.
func guessTitle(lines []string) titleGuess {
	var g titleGuess
	var paragraphs [][]string
	fresh := true
	for _, l := range lines {
		l = strings.TrimFunc(l, func(r rune) bool {
			return !unicode.IsLetter(r) && !unicode.IsDigit(r) && r != '.' && r != '!' && r != '?'
		})
		if l == "" {
			fresh = true
			continue
		}
		if !isText(l) || isbnWord.MatchString(l) {
			continue
		}
		if m := byLine.FindStringSubmatch(l); m != nil && len(paragraphs) > 0 {
			if g.author == "" {
				g.author = m[1]
			}
			continue
		}
		if fresh {
			paragraphs = append(paragraphs, nil)
			fresh = false
		}
		last := len(paragraphs) - 1
		paragraphs[last] = append(paragraphs[last], l)
	}
	if len(paragraphs) == 0 {
		return g
	}
	first := paragraphs[0]
	switch {
	case g.author != "":
	case len(paragraphs) > 1:
		g.author = paragraphs[1][0]
	case len(first) > 1 && isPersonName(first[len(first)-1]) && !isSmallWord(lastWord(first[len(first)-2])):
		g.author, first = first[len(first)-1], first[:len(first)-1]
	}
	g.title = fixCapitals(strings.Join(first, " "), true)
	g.author = fixCapitals(g.author, false)
	return g
}

// isText reports whether a line consists of words and not of scanner noise.
func isText(l string) bool {
	letters, others := 0, 0
	for _, r := range l {
		switch {
		case unicode.IsLetter(r):
			letters++
		case !unicode.IsSpace(r):
			others++
		}
	}
	return letters >= 3 && letters >= 3*others
}

// fixCapitals converts a line in capitals to title case. In a title, small words are in lower case.
func fixCapitals(s string, title bool) string {
	if strings.ContainsFunc(s, unicode.IsLower) {
		return s
	}
	out := strings.Fields(strings.ToLower(s))
	for i, w := range out {
		if title && i > 0 && isSmallWord(w) {
			continue
		}
		r := []rune(w)
		for j := range r {
			if j == 0 || r[j-1] == '-' || r[j-1] == '.' {
				r[j] = unicode.ToUpper(r[j])
			}
		}
		out[i] = string(r)
	}
	return strings.Join(out, " ")
}

// isPersonName reports whether a line has the shape of a person's name: two to five words, none of them small.
func isPersonName(l string) bool {
	f := strings.Fields(l)
	return len(f) >= 2 && len(f) <= 5 && !slices.ContainsFunc(f, isSmallWord)
}

func lastWord(l string) string { return l[strings.LastIndex(l, " ")+1:] }

func isSmallWord(w string) bool {
	switch strings.ToLower(w) {
	case "a", "an", "and", "by", "for", "in", "of", "on", "or", "the", "to", "with":
		return true
	}
	return false
}
