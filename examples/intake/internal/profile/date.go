package profile

import (
	"bytes"
	"time"
)

// The formats of dates. A date such as 03/04/2026 does not show whether the day or the month comes first.
const (
	isoDate      = "2006-01-02"
	isoTime      = "2006-01-02 15:04"
	slashISO     = "2006/01/02"
	dottedISO    = "2006.01.02"
	dotted       = "02.01.2006"
	dayFirst     = "31/12/2006"
	monthFirst   = "12/31/2006"
	eitherFirst  = "03/04/2006 (day or month first)"
	shortYear    = "02/01/06"
	dashDayFirst = "31-12-2006"
	compactDate  = "20060102"

	dashMonthFirst = "12-31-2006"
)

// parseDate parses a date with an optional time of day.
func parseDate(b []byte) (value, bool) {
	if len(b) < 6 || len(b) > 35 {
		return value{}, false
	}
	if b[4] == '-' || b[4] == '/' || b[4] == '.' {
		return parseYearFirst(b)
	}
	return parseYearLast(b)
}

// parseYearFirst parses 2006-12-31, 2006/12/31 and 2006.12.31. The month and the day may have one digit.
func parseYearFirst(b []byte) (value, bool) {
	y, n := leadingDigits(b)
	if n != 4 {
		return parseYearLast(b)
	}
	sep, rest := b[4], b[5:]
	m, n := leadingDigits(rest)
	if n == 0 || n > 2 || n >= len(rest) || rest[n] != sep {
		return value{}, false
	}
	rest = rest[n+1:]
	d, n := leadingDigits(rest)
	rest = rest[min(n, len(rest)):]
	if n == 0 || n > 2 || len(rest) > 0 && !isTime(rest) {
		return value{}, false
	}
	v, ok := newDate(y, m, d)
	format := isoDate
	switch {
	case sep == '/':
		format = slashISO
	case sep == '.':
		format = dottedISO
	case len(rest) > 0:
		format = isoTime
	}
	v.format, v.hasTime = [2]string{format, format}, len(rest) > 0
	return v, ok
}

// parseYearLast parses 31/12/2006, 31.12.2006, 31-12-2006 and 31/12/06.
func parseYearLast(b []byte) (value, bool) {
	a, n := leadingDigits(b)
	if n == 0 || n > 2 || n >= len(b) {
		return value{}, false
	}
	sep := b[n]
	if sep != '/' && sep != '.' && sep != '-' {
		return value{}, false
	}
	rest := b[n+1:]
	c, n := leadingDigits(rest)
	if n == 0 || n > 2 || n >= len(rest) || rest[n] != sep {
		return value{}, false
	}
	rest = rest[n+1:]
	y, n := leadingDigits(rest)
	if n != 4 && n != 2 || n < len(rest) && !isTime(rest[n:]) {
		return value{}, false
	}
	var shown evidence
	day, month := a, c
	switch {
	case sep == '.':
	case a > 12:
		shown = first
	case c > 12:
		shown, day, month = second, c, a
	case a != c:
		shown = either
	}
	if n == 2 {
		y = fullYear(y)
	}
	v, ok := newDate(y, month, day)
	v.isShortYear = n == 2
	v.format, v.evidence, v.hasTime = formatsOfDate(sep, n == 2, shown), shown, n < len(rest)
	if shown == either {
		v.number[1] = dateNumber(y, day, month)
	}
	return v, ok
}

// lastShortYear is the last year with two digits that is read as one of this century.
const lastShortYear = 68

// fullYear returns the year that two digits stand for: 69 to 99 are of the last century, as POSIX has it.
func fullYear(y int) int {
	if y > lastShortYear {
		return 1900 + y
	}
	return 2000 + y
}

// formatsOfDate returns the formats of a date with the year last in its two readings.
func formatsOfDate(separator byte, isShort bool, shown evidence) [2]string {
	formats := [2]string{dayFirst, monthFirst}
	switch {
	case isShort:
		return [2]string{shortYear, shortYear}
	case separator == '.':
		return [2]string{dotted, dotted}
	case separator == '-':
		formats = [2]string{dashDayFirst, dashMonthFirst}
	}
	switch shown {
	case first:
		formats[1] = formats[0]
	case second:
		formats[0] = formats[1]
	}
	return formats
}

// isCompactDate reports whether a number is a date such as 20260131. A single one may be another number: its column
// decides.
func isCompactDate(b []byte) bool {
	b = bytes.TrimSpace(b)
	if len(b) != 8 || !isDigits(b) || b[0] != '1' && b[0] != '2' {
		return false
	}
	_, ok := newDate(digits(b[:4]), digits(b[4:6]), digits(b[6:]))
	return ok
}

// isNearlyCompactDate reports whether a number has the form of a compact date that is not in the calendar, such as
// 20260230.
func isNearlyCompactDate(b []byte) bool {
	b = bytes.TrimSpace(b)
	if len(b) != 8 || !isDigits(b) || isCompactDate(b) {
		return false
	}
	y, m, d := digits(b[:4]), digits(b[4:6]), digits(b[6:])
	return y >= 1800 && y <= 2200 && m >= 1 && m <= 12 && d >= 1 && d <= 31
}

// newDate returns a day of the calendar.
func newDate(y, m, d int) (value, bool) {
	if y < 1800 || y > 2200 || m < 1 || m > 12 || d < 1 || d > 31 {
		return value{}, false
	}
	if d > 28 && time.Date(y, time.Month(m), d, 0, 0, 0, 0, time.UTC).Day() != d {
		return value{}, false
	}
	n := dateNumber(y, m, d)
	return value{kind: isDate, number: [2]float64{n, n}}, true
}

func dateNumber(y, m, d int) float64 { return float64(y*10000 + m*100 + d) }

// isTime reports whether b can be the time of day after a date.
func isTime(b []byte) bool {
	if b[0] != 'T' && b[0] != ' ' || len(b) < 3 {
		return false
	}
	for _, c := range b[1:] {
		isPart := c-'0' <= 9 || c == ':' || c == '.' || c == '+' || c == '-' || c == 'Z' || c == ' ' || c|0x20 == 'a' ||
			c|0x20 == 'p' || c|0x20 == 'm'
		if !isPart {
			return false
		}
	}
	return b[1]-'0' <= 9
}

func digits(b []byte) int {
	n := 0
	for _, c := range b {
		if c-'0' > 9 {
			return -1
		}
		n = n*10 + int(c-'0')
	}
	return n
}

// leadingDigits returns the number that b begins with, and the count of its digits.
func leadingDigits(b []byte) (n, count int) {
	for count < len(b) && count < 5 && b[count]-'0' <= 9 {
		n = n*10 + int(b[count]-'0')
		count++
	}
	return n, count
}
