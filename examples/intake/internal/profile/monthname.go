package profile

import (
	"bytes"
	"strings"
)

const namedMonth = "2 Jan 2006"

// maxNamedDate is the length of the longest date with the name of a month in bytes.
const maxNamedDate = 20

// parseNamedDate parses 1 Jan 2026, 01-Jan-26, 1. März 2026 and Jan 1, 2026.
func parseNamedDate(b []byte) (value, bool) {
	if len(b) < 7 || len(b) > maxNamedDate || b[len(b)-1]-'0' > 9 {
		return value{}, false
	}
	isBetween := func(r rune) bool { return strings.ContainsRune(" .-/,\u00a0", r) }
	if i, j := bytes.IndexFunc(b, isBetween), bytes.LastIndexFunc(b, isBetween); i == j {
		return value{}, false
	}
	parts := bytes.FieldsFunc(b, isBetween)
	if len(parts) != 3 {
		return value{}, false
	}
	day, month, year := parts[0], parts[1], parts[2]
	if month[0]-'0' <= 9 {
		day, month = month, day
	}
	if len(day) > 2 || len(year) != 4 && len(year) != 2 || !isDigits(day) || !isDigits(year) {
		return value{}, false
	}
	y := digits(year)
	if len(year) == 2 {
		y = fullYear(y)
	}
	v, ok := newDate(y, monthOf(string(bytes.ToLower(month))), digits(day))
	v.isShortYear = len(year) == 2
	v.format = [2]string{namedMonth, namedMonth}
	return v, ok
}

// monthOf returns the month with that name in English, German, French or Spanish, or 0.
func monthOf(name string) int {
	switch name {
	case "january", "jan", "januar", "jän", "jänner", "janvier", "janv", "enero", "ene":
		return 1
	case "february", "feb", "februar", "février", "févr", "fév", "febrero":
		return 2
	case "march", "mar", "märz", "mär", "mrz", "mars", "marzo":
		return 3
	case "april", "apr", "avril", "avr", "abril", "abr":
		return 4
	case "may", "mai", "mayo":
		return 5
	case "june", "jun", "juni", "juin", "junio":
		return 6
	case "july", "jul", "juli", "juillet", "juil", "julio":
		return 7
	case "august", "aug", "août", "aout", "agosto", "ago":
		return 8
	case "september", "sep", "sept", "septembre", "septiembre":
		return 9
	case "october", "oct", "oktober", "okt", "octobre", "octubre":
		return 10
	case "november", "nov", "novembre", "noviembre":
		return 11
	case "december", "dec", "dezember", "dez", "décembre", "déc", "diciembre", "dic":
		return 12
	}
	return 0
}
