package reader

import (
	"strconv"
	"strings"
	"time"

	"github.com/carrel-go/carrel/examples/intake/internal/profile"
	"github.com/carrel-go/carrel/examples/intake/internal/query"
)

// maxDayWords is the number of words of a day such as 30 June 2026.
const maxDayWords = 3

// dayAt returns the day that begins at word i as it was written, and the number of its words, or 0.
func (p *parser) dayAt(i int) (text string, size int) {
	for size = min(maxDayWords, len(p.words)-i); size > 0; size-- {
		text = joinWords(p.words[i : i+size])
		if profile.ReadValue([]byte(text), nil).Type == profile.Date {
			return text, size
		}
	}
	return "", 0
}

// spanAt returns the first and the last day of the month, the quarter or the year that begins at word i, such as June
// 2026, 2026-06, Q2 2026 or 2026, and the number of its words, or 0.
func (p *parser) spanAt(i int) (from, to string, size int) {
	at := i
	for p.isAt(at, "the", "of", "month", "year") {
		at++
	}
	if at >= len(p.words) || p.words[at].quoted {
		return "", "", 0
	}
	first := strings.ToLower(p.words[at].text)
	if month, err := time.Parse("2006-01", first); err == nil {
		return spanOf(month.Year(), month.Month(), 1, at+1-i)
	}
	if year, ok := readYear(first); ok {
		return spanOf(year, time.January, 12, at+1-i)
	}
	next := at + 1
	if p.isAt(next, "of", "in") {
		next++
	}
	if next >= len(p.words) {
		return "", "", 0
	}
	year, ok := readYear(p.words[next].text)
	if !ok {
		return "", "", 0
	}
	if len(first) == 2 && first[0] == 'q' && first[1] >= '1' && first[1] <= '4' {
		return spanOf(year, time.Month(3*int(first[1]-'1')+1), 3, next+1-i)
	}
	month := monthOf(first)
	if month == 0 {
		return "", "", 0
	}
	return spanOf(year, month, 1, next+1-i)
}

// spanOf returns the first and the last day of months.
func spanOf(year int, month time.Month, months, size int) (from, to string, _ int) {
	first := time.Date(year, month, 1, 0, 0, 0, 0, time.UTC)
	return first.Format(time.DateOnly), first.AddDate(0, months, -1).Format(time.DateOnly), size
}

func readYear(text string) (int, bool) {
	year, err := strconv.Atoi(text)
	return year, err == nil && len(text) == 4 && year >= 1800 && year <= 2200
}

// monthOf returns the month with that name as a profile reads it, or 0.
func monthOf(name string) time.Month {
	v := profile.ReadValue([]byte("1 "+name+" 2000"), nil)
	if v.Type != profile.Date || strings.ContainsAny(name, "0123456789") {
		return 0
	}
	return time.Month(int(v.Number) / 100 % 100)
}

// relativeAt returns the words from word i on that name days by today, such as "last month", or "".
func (p *parser) relativeAt(i int) string {
	switch {
	case p.isAt(i, "today", "yesterday", "tomorrow"):
		return p.words[i].text
	case !p.isAt(i, "last", "this", "next", "past", "current", "previous"):
		return ""
	}
	for at := i + 1; at < len(p.words) && at <= i+2; at++ {
		if p.isAt(at, "day", "days", "week", "weeks", "month", "months", "quarter", "quarters", "year", "years") {
			return joinWords(p.words[i : at+1])
		}
	}
	return ""
}

// refuseRelative refuses the first words of a question, or of a part of it, that name days by today.
func (p *parser) refuseRelative(part *parser) {
	for i := range part.words {
		if words := part.relativeAt(i); words != "" {
			p.refuse(notToday, words)
			return
		}
	}
}

const notToday = "I do not know what day it is, so I cannot say when “%s” is. Name the days, for example “in June " +
	"2026” or “between 2026-06-01 and 2026-06-30”."

// period is the conditions of words such as "after 2026-06-30", about the day of the kind of data. The size of a
// missing period is 0.
type period struct {
	conditions []where
	size       int
}

// periodAt returns the period that begins at word i.
func (p *parser) periodAt(i int) period {
	switch {
	case p.isAt(i, "in", "during"):
		from, to, size := p.spanAt(i + 1)
		isYear := size == 1 && len(p.words[i+1].text) == 4
		if size == 0 || isYear && !p.hasSource {
			return period{}
		}
		return period{between("", from, to), 1 + size}
	case p.isAt(i, "between", "from"):
		from, to, size := p.rangeAt(i + 1)
		if size > 0 && profile.ReadValue([]byte(from), nil).Type == profile.Date {
			return period{between("", from, to), 1 + size}
		}
	}
	f, n := p.phraseAt(i, phrases)
	if p.isAt(i, "on") && n == 0 {
		f, n = phrase{"on", query.Equal, false}, 1
	}
	if n == 0 || !f.isOrder && !p.isAt(i, "on") {
		return period{}
	}
	if day, size := p.dayAt(i + n); size > 0 {
		return period{[]where{{"", f.operator, day}}, n + size}
	}
	from, to, size := p.spanAt(i + n)
	isYear := size == 1 && len(p.words[i+n].text) == 4
	if size == 0 || !f.isOrder || isYear && !p.hasSource {
		return period{}
	}
	if f.operator == query.Above || f.operator == query.AtMost { // after June is after its last day
		from = to
	}
	return period{[]where{{"", f.operator, from}}, n + size}
}

// rangeAt returns the values of "A and B" or "A to B" that begin at word i, and the number of their words, or 0. A
// value is a day, or one number.
func (p *parser) rangeAt(i int) (from, to string, size int) {
	at := i
	for _, value := range []*string{&from, &to} {
		text, n := p.dayAt(at)
		if n == 0 && at < len(p.words) {
			text, n = readNumeral(p.words[at].text), 1
		}
		if n == 0 || !isMeasured(text) {
			return "", "", 0
		}
		*value = text
		at += n
		if value == &from {
			if !p.isAt(at, "and", "to", "until") {
				return "", "", 0
			}
			at++
		}
	}
	return from, to, at - i
}

func between(column, from, to string) []where {
	return []where{{column, query.AtLeast, from}, {column, query.AtMost, to}}
}
