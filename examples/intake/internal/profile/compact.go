package profile

import (
	"cmp"
	"slices"
)

// hasCompactDates reports whether the column has dates such as 20260131: at least three of its numbers have their form,
// no number has another one, and more of them are in the calendar than not. One is enough if the name says that the
// column has days, and none are if it says that it has amounts. Beside dates of other forms, one is enough if most
// numbers and dates are dates then.
func (c *column) hasCompactDates(sense Sense) bool {
	numbers := c.counts[isInteger] + c.counts[isDecimal]
	if dates := c.counts[isDate]; dates > 0 {
		return c.compact > 0 && dates+c.compact > numbers-c.compact
	}
	isEnough := numbers >= 3 && sense != Amounts || sense == Days
	return isEnough && c.hasOnlyCompactDates()
}

// hasOnlyCompactDates reports whether all numbers have the form of dates, and most of them are in the calendar.
func (c *column) hasOnlyCompactDates() bool {
	return c.compact+c.nearly == c.counts[isInteger]+c.counts[isDecimal] && c.compact > c.nearly
}

// AsDates returns the column as it is read if its numbers are dates such as 20260131, if they may be.
func (c *Column) AsDates() *Column {
	if !c.LikelyDates {
		return c
	}
	out := *c
	out.Type, out.CompactDates, out.Whole, out.Spelled = Date, true, false, false
	return &out
}

// profileDates adds the results about the dates of a column in one of their readings.
func (c *column) profileDates(out *Column, reading int, isAssumed bool) {
	days := []float64{c.dates.min[reading].Number, c.dates.max[reading].Number}
	switch {
	case !out.CompactDates:
		out.Formats = c.formatsOf(isDate, reading, isAssumed)
	case !c.dates.hasRange:
		days = []float64{float64(c.days[0]), float64(c.days[1])}
	default:
		out.Formats = append(c.formatsOf(isDate, reading, isAssumed), FormatCount{compactDate, c.compact})
		slices.SortStableFunc(out.Formats, mostFirst)
		days = append(days, float64(c.days[0]), float64(c.days[1]))
	}
	out.Min, out.Max = formatDate(slices.Min(days)), formatDate(slices.Max(days))
	if isAssumed {
		out.Assumed, out.AssumedExample = c.dates.counts[either], c.dates.example
	}
}

// mostFirst orders formats by their counts, the most frequent one first.
func mostFirst(a, b FormatCount) int { return cmp.Compare(b.Count, a.Count) }
