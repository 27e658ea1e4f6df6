package reader

import (
	"regexp"
	"slices"
	"strings"
	"unicode"
)

// guess is the title and author that the text on a cover suggests.
type guess struct{ title, author string }

var byLine = regexp.MustCompile(`(?i)^(?:written\s+)?by\s+(.+)$`)

// guessTitle guesses the title from the first paragraph. The author is a line that starts with "by", otherwise the next
// paragraph's first line, otherwise the last line of the only paragraph if it could be a name. It skips lines with
// hardly any words. The guess is often wrong, so values from it are marked.
func guessTitle(lines []string) guess {
	var g guess
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
		if !wordy(l) || isbnWord.MatchString(l) {
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
	case len(first) > 1 && couldBeName(first[len(first)-1]) && !smallWord(lastWord(first[len(first)-2])):
		g.author, first = first[len(first)-1], first[:len(first)-1]
	}
	g.title = calm(strings.Join(first, " "), true)
	g.author = calm(g.author, false)
	return g
}

// wordy reports whether a line consists of words and not of scanner noise.
func wordy(l string) bool {
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

// calm converts a line in capitals to title case, with small words in lower case.
func calm(s string, title bool) string {
	if strings.ContainsFunc(s, unicode.IsLower) {
		return s
	}
	out := strings.Fields(strings.ToLower(s))
	for i, w := range out {
		if title && i > 0 && smallWord(w) {
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

// couldBeName reports whether a line has the shape of a person's name: two to five words, none of them small.
func couldBeName(l string) bool {
	f := strings.Fields(l)
	return len(f) >= 2 && len(f) <= 5 && !slices.ContainsFunc(f, smallWord)
}

func lastWord(l string) string { return l[strings.LastIndex(l, " ")+1:] }

func smallWord(w string) bool {
	switch strings.ToLower(w) {
	case "a", "an", "and", "by", "for", "in", "of", "on", "or", "the", "to", "with":
		return true
	}
	return false
}
