package reader

import (
	"slices"
	"strings"

	"github.com/carrel-go/carrel/examples/intake/internal/intaketools"
	"github.com/carrel-go/carrel/examples/intake/internal/query"
)

// period returns the column of dates that a question groups by, and how much of them makes a group: “by month”, “by
// month of ship date”. It returns "" if the question groups by something else.
func (q question) period(f intaketools.ListedFile) (column, granularity string) {
	first, rest, _ := strings.Cut(q.by, " ")
	granularity = strings.ToLower(first)
	isKnown := slices.Contains([]string{string(query.Day), string(query.Month), string(query.Year)}, granularity)
	if !isKnown || columnIn(f, q.by) != "" {
		return "", ""
	}
	name, isOf := strings.CutPrefix(rest, "of ")
	switch {
	case rest == "":
		return dayColumn(f), granularity
	case isOf:
		return columnIn(f, strings.TrimPrefix(name, "the ")), granularity
	}
	return "", ""
}
