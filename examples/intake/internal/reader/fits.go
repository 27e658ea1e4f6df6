package reader

import (
	"fmt"
	"slices"
	"strings"

	"github.com/carrel-go/carrel/examples/intake/internal/intaketools"
	"github.com/carrel-go/carrel/examples/intake/internal/kinds"
)

// findColumnIn returns the column of a file that words name, or "". A name counts more than a recorded meaning, and
// that more than the usual meaning of a name.
func findColumnIn(f intaketools.ListedFile, words string) string {
	column, role := findColumn(f.Columns, words), roleOf(words)
	if role == "" || column != "" && isNameOf(column, words) {
		return column
	}
	i := slices.IndexFunc(f.Columns, func(c string) bool { return f.Roles[c] == role })
	if i < 0 {
		i = slices.IndexFunc(f.Columns, func(c string) bool { return f.RoleOf(c) == role })
	}
	if i < 0 {
		return ""
	}
	return f.Columns[i]
}

// isNameOf reports whether words are the name of a column, perhaps in the plural.
func isNameOf(column, words string) bool {
	isBetween := func(r rune) bool { return strings.ContainsRune(`_ -.\`, r) }
	plain := func(s string) string { return strings.Join(strings.FieldsFunc(strings.ToLower(s), isBetween), " ") }
	return column == words || slices.Contains(singulars(plain(words)), plain(column))
}

// otherFits returns the other columns of a file that words may mean, if they do not name the column that is taken:
// those with the same role, and those whose names have the words.
func otherFits(f intaketools.ListedFile, words, column string) (others []string) {
	if isNameOf(column, words) {
		return nil
	}
	role := roleOf(words)
	for _, c := range f.Columns {
		isSame := role != "" && f.RoleOf(c) == role || hasWords(c, words)
		if c != column && isSame && !slices.Contains(others, fmt.Sprintf("%q", c)) {
			others = append(others, fmt.Sprintf("%q", c))
		}
	}
	return others
}

// hasWords reports whether the name of a column has words in it, which may be in the plural.
func hasWords(column, words string) bool {
	isBetween := func(r rune) bool { return strings.ContainsRune(`_ -.\`, r) }
	plain := func(s string) string {
		return " " + strings.Join(strings.FieldsFunc(strings.ToLower(s), isBetween), " ") + " "
	}
	isIn := func(name string) bool { return strings.Contains(plain(column), plain(name)) }
	return strings.TrimSpace(words) != "" && slices.ContainsFunc(singulars(words), isIn)
}

// measuredColumn returns the column that a question measures, or "". A sum prefers a column whose name begins with
// total, such as “Total Price”, to one that the other words mean but do not name.
func (q question) measuredColumn(f intaketools.ListedFile) string {
	column := columnIn(f, q.column)
	if q.function != "sum" || column != "" && isNameOf(column, q.column) {
		return column
	}
	isTotal := func(c string) bool { return isNameOf(c, "total "+q.column) }
	if i := slices.IndexFunc(f.Columns, isTotal); i >= 0 {
		return f.Columns[i]
	}
	return column
}

// tellFits returns sentences about words that may mean several columns of a file.
func (q question) tellFits(l *found, calls []call) (lines []string) {
	words := []string{q.column, q.by}
	for _, w := range q.where {
		words = append(words, w.column)
	}
	for _, c := range calls {
		i := slices.IndexFunc(l.Files.Files, func(f intaketools.ListedFile) bool { return f.File == c.args["file"] })
		if i < 0 || len(lines) == maxMentioned {
			continue
		}
		f := l.Files.Files[i]
		for n, word := range words {
			column := columnIn(f, word)
			if n == 0 {
				column = q.measuredColumn(f)
			}
			if word == "" || column == "" || slices.Index(words, word) != n {
				continue
			}
			if roleOf(word) == kinds.SupplierID && f.RoleOf(column) == kinds.SupplierName {
				lines = append(lines, fmt.Sprintf("For “%s” I take %q of %q.", word, column, f.Name))
				continue
			}
			if others := otherFits(f, word, column); len(others) > 0 {
				lines = append(lines, fmt.Sprintf("For “%s” I take %q of %q, but %s may be meant too: name the column to ask that.",
					word, column, f.Name, joinSome(others, " and ")))
			}
		}
	}
	return lines
}
