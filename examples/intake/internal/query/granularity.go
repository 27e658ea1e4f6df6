package query

import "strings"

// Granularity is how much of a date makes a group.
type Granularity string

// The granularities. Time is a date as it is written, with its time of day.
const (
	Time  Granularity = "time"
	Day   Granularity = "day"
	Month Granularity = "month"
	Year  Granularity = "year"
)

// Granularities returns the granularities.
func Granularities() []Granularity { return []Granularity{Time, Day, Month, Year} }

// cut returns the part of a day, such as 2026-01-31, that makes a group.
func (b Granularity) cut(day string) string {
	switch b {
	case Month:
		return day[:len("2006-01")]
	case Year:
		return day[:len("2006")]
	}
	return day
}

func joinTexts[T ~string](list []T) string {
	texts := make([]string, len(list))
	for i, t := range list {
		texts[i] = string(t)
	}
	return strings.Join(texts, ", ")
}
