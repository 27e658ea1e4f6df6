package kinds

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
)

const (
	// minScore is the score below which a table is Unknown.
	minScore = 4
	// sureMargin is the lead over the second kind from which a Guess is sure.
	sureMargin = 2
	// maxColumns is the number of columns that are looked at.
	maxColumns = 1000
)

// Column is a column to recognise.
type Column struct {
	Name     string
	Examples []string // values, not empty
}

// ColumnGuess is the likely meaning of a column.
type ColumnGuess struct {
	Name    string
	Role    Role   // or empty
	Meaning string // or empty
	ByValue bool   // recognised by its values
}

// Guess is a recognised table.
type Guess struct {
	Kind    Kind
	Sure    bool   // no other kind is close
	Reason  string // a sentence
	Columns []ColumnGuess
	// Next is the second most likely kind, if Kind is not sure.
	Next Kind
}

// Meanings returns the number of columns that were understood.
func (g Guess) Meanings() (n int) {
	for _, c := range g.Columns {
		if c.Role != "" {
			n++
		}
	}
	return n
}

// roles returns the role of each normalised name.
var roles = sync.OnceValue(func() map[string]roleSpec {
	m := map[string]roleSpec{}
	for _, spec := range roleSpecs() {
		for name := range strings.FieldsSeq(spec.names) {
			if _, ok := m[name]; !ok {
				m[name] = spec
			}
		}
	}
	return m
})

var meanings = sync.OnceValue(func() map[Role]string {
	m := map[Role]string{}
	for _, spec := range roleSpecs() {
		m[spec.role] = spec.meaning
	}
	return m
})

var hints = sync.OnceValue(valueHints)

// Recognize returns the kind of a table with these columns.
func Recognize(columns []Column) Guess {
	var g Guess
	for _, c := range columns[:min(len(columns), maxColumns)] {
		g.Columns = append(g.Columns, guessColumn(c))
	}
	g.nameSuppliers()
	scores := map[Kind]float64{}
	for kind, weights := range weights() {
		used := map[Role]bool{}
		for _, c := range g.Columns {
			if c.Role != "" && !used[c.Role] {
				used[c.Role] = true
				scores[kind] += weights[c.Role]
			}
		}
	}
	ranked := slices.SortedFunc(maps.Keys(scores), func(a, b Kind) int {
		if scores[a] != scores[b] {
			return int(2 * (scores[b] - scores[a]))
		}
		return strings.Compare(string(a), string(b))
	})
	g.Kind = Unknown
	if len(ranked) > 0 && scores[ranked[0]] >= minScore {
		g.Kind = ranked[0]
		if len(ranked) > 1 {
			g.Sure = scores[ranked[0]]-scores[ranked[1]] >= sureMargin
			if !g.Sure {
				g.Next = ranked[1]
			}
		}
	}
	g.Reason = g.reason()
	return g
}

// RoleOf returns the role of a column with that name, or "". Its spelling may differ, as in "PO Number", and it may be
// German, French, Spanish, Italian or Dutch. A name of amounts may end with a unit, such as weight_lb or Amount (EUR).
func RoleOf(name string) Role {
	plain := normalize(name)
	if role := roleOfName(plain); role != "" {
		return role
	}
	if stem, unit := cutUnit(plain); unit != "" {
		if role := roleOfName(stem); role.isAmount() {
			return role
		}
	}
	return ""
}

// roleOfName returns the role of a normalised name, in any of the languages that the package knows, or "".
func roleOfName(name string) Role {
	if spec, ok := roles()[name]; ok {
		return spec.role
	}
	return foreignRole(name)
}

// RoleOfValue returns the role whose values look like that, such as Article for SKU-00012, or "".
func RoleOfValue(value string) Role {
	for _, h := range hints() {
		if h.pattern.MatchString(value) {
			return h.role
		}
	}
	return ""
}

// IsDay reports whether a column with that name has days.
func IsDay(name string) bool {
	switch RoleOf(name) {
	case ShipDate, ArrivalDate, CountDate, OrderDate, DueDate, InvoiceDate:
		return true
	}
	name = strings.ToLower(name)
	isPart := func(part string) bool { return strings.Contains(name, part) }
	return slices.ContainsFunc([]string{"date", "datum", "fecha", "data_"}, isPart)
}

func guessColumn(c Column) ColumnGuess {
	g := ColumnGuess{Name: c.Name}
	// Members of nested objects have names with a dot: the last part counts if the whole name is unknown.
	names := []string{normalize(c.Name)}
	if i := strings.LastIndexByte(c.Name, '.'); i >= 0 {
		names = append(names, normalize(c.Name[i+1:]))
	}
	for _, name := range names {
		if role := roleOfName(name); role != "" {
			g.Role, g.Meaning = role, meanings()[role]
			return g
		}
	}
	if len(c.Examples) < 2 {
		return g
	}
	for _, h := range hints() {
		fits := func(s string) bool { return h.pattern.MatchString(strings.TrimSpace(s)) }
		if !slices.ContainsFunc(c.Examples, func(s string) bool { return !fits(s) }) {
			g.Role, g.Meaning, g.ByValue = h.role, meanings()[h.role], true
			return g
		}
	}
	return g
}

// reason returns a sentence with the columns that speak for the kind.
func (g Guess) reason() string {
	if g.Kind == Unknown {
		if g.Meanings() == 0 {
			return "None of its columns is one that I know."
		}
		return fmt.Sprintf("I know %d of its %d columns, but they are not typical of one kind.", g.Meanings(), len(g.Columns))
	}
	weights := weights()[g.Kind]
	columns := slices.Clone(g.Columns)
	slices.SortStableFunc(columns, func(a, b ColumnGuess) int { return int(2 * (weights[b.Role] - weights[a.Role])) })
	var names []string
	for _, c := range columns {
		if weights[c.Role] >= 1 && len(names) < 4 {
			name := fmt.Sprintf("%.40q", c.Name)
			if c.ByValue {
				name += " (by its values)"
			}
			names = append(names, name)
		}
	}
	if len(names) == 1 {
		return fmt.Sprintf("The column %s is typical of %s.", names[0], g.Kind.Label())
	}
	return fmt.Sprintf("The columns %s and %s are typical of %s.",
		strings.Join(names[:len(names)-1], ", "), names[len(names)-1], g.Kind.Label())
}
