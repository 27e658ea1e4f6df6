package query

import "strings"

// Bucket is how much of a date makes a group.
type Bucket string

// The buckets. Time is a date as it is written, with its time of day.
const (
	Time  Bucket = "time"
	Day   Bucket = "day"
	Month Bucket = "month"
	Year  Bucket = "year"
)

// Buckets returns the buckets.
func Buckets() []Bucket { return []Bucket{Time, Day, Month, Year} }

// cut returns the part of a day, such as 2026-01-31, that makes a group.
func (b Bucket) cut(day string) string {
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
