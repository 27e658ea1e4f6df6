package kinds

import (
	_ "embed" // for names.txt
	"slices"
	"strings"
	"sync"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// foreignNames has lines of a role and some of its names in German, French, Spanish, Italian and Dutch. The names are
// without accents, without smallWords, and with underscores between their words.
//
//go:embed names.txt
var foreignNames string

// smallWords are the words between the others of a name, such as de in fecha de entrega.
func smallWords() []string {
	return []string{
		"de", "del", "della", "dello", "delle", "dei", "degli", "di", "du", "des", "d", "la", "le", "les", "el", "los",
		"las", "il", "l", "van", "het", "der", "die", "das", "am", "den", "dem", "n°",
	}
}

// foreignRoles returns the role of each foreign name.
var foreignRoles = sync.OnceValue(func() map[string]Role {
	m := map[string]Role{}
	for line := range strings.Lines(foreignNames) {
		role, names, _ := strings.Cut(line, ":")
		for name := range strings.FieldsSeq(names) {
			m[name] = Role(role)
		}
	}
	return m
})

// foreignRole returns the role of a normalised name in another language than English, or "".
func foreignRole(name string) Role {
	name = foldAccents(name)
	if role := foreignRoles()[name]; role != "" {
		return role
	}
	words := slices.DeleteFunc(strings.Split(name, "_"), func(w string) bool { return slices.Contains(smallWords(), w) })
	return foreignRoles()[strings.Join(words, "_")]
}

// foldAccents returns a text without its accents: é is e.
func foldAccents(s string) string {
	isMark := func(r rune) bool { return unicode.Is(unicode.Mn, r) }
	return strings.Map(func(r rune) rune {
		if isMark(r) {
			return -1
		}
		return r
	}, norm.NFD.String(strings.ReplaceAll(s, "ß", "ss")))
}
