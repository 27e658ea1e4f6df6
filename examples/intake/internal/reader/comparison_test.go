package reader

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestComparisonsAreUnderstood(t *testing.T) {
	t.Parallel()
	for words, want := range map[string]where{
		"ship_date is after 2026-06-30":        {"ship_date", "gt", "2026-06-30"},
		"ship_date after 30 June 2026":         {"ship_date", "gt", "30 June 2026"},
		"ship_date is not after 2026-06-30":    {"ship_date", "le", "2026-06-30"},
		"ship_date is before 2026-06-30":       {"ship_date", "lt", "2026-06-30"},
		"ship_date isn't before 2026-06-30":    {"ship_date", "ge", "2026-06-30"},
		"ship_date is since 2026-06-30":        {"ship_date", "ge", "2026-06-30"},
		"ship_date since 2026-06-30":           {"ship_date", "ge", "2026-06-30"},
		"ship_date is from 2026-06-30":         {"ship_date", "ge", "2026-06-30"},
		"ship_date is until 2026-06-30":        {"ship_date", "le", "2026-06-30"},
		"ship_date is later than 2026-06-30":   {"ship_date", "gt", "2026-06-30"},
		"ship_date is no later than 1.7.2026":  {"ship_date", "le", "1.7.2026"},
		"ship_date is on or after 2026-06-30":  {"ship_date", "ge", "2026-06-30"},
		"ship_date is on 2026-06-30":           {"ship_date", "eq", "2026-06-30"},
		"status is on hold":                    {"status", "eq", "on hold"},
		"status is not in transit":             {"status", "ne", "in transit"},
		"qty is not above 50":                  {"qty", "le", "50"},
		"qty is above five":                    {"qty", "gt", "5"},
		"qty is at least twenty-five":          {"qty", "ge", "25"},
		"qty is below two hundred":             {"qty", "lt", "200"},
		"qty is at most a thousand":            {"qty", "le", "1000"},
		"qty is exactly 100":                   {"qty", "eq", "100"},
		"qty is not exactly 100":               {"qty", "ne", "100"},
		"qty is at most 50":                    {"qty", "le", "50"},
		"qty is not at least 50":               {"qty", "lt", "50"},
		"qty is no more than 50":               {"qty", "le", "50"},
		"qty is not less than 50":              {"qty", "ge", "50"},
		"qty is >= 100":                        {"qty", "ge", "100"},
		"qty is not = 100":                     {"qty", "ne", "100"},
		"qty is greater than or equal to 100":  {"qty", "ge", "100"},
		"qty are not missing":                  {"qty", "present", ""},
		"over stock is 5":                      {"over stock", "eq", "5"},
		"express is no":                        {"express", "eq", "no"},
		`note is "about 100"`:                  {"note", "eq", "about 100"},
		`status is above "late"`:               {"status", "gt", "late"},
		`"days from order" is not below "5"`:   {"days from order", "ge", "5"},
		"carrier is DHL":                       {"carrier", "eq", "DHL"},
		"net weight = 12,5":                    {"net weight", "eq", "12,5"},
		"qty up to 5":                          {"qty", "le", "5"},
		"note contains above":                  {"note", "contains", "above"},
		"number of days is fewer than 3":       {"number of days", "lt", "3"},
		"ship_date is earlier than 31.12.2026": {"ship_date", "lt", "31.12.2026"},
	} {
		q, ok := parseQuestion("how many rows in a.csv where " + words)
		require.True(t, ok, words)
		require.Empty(t, q.refusal, words)
		require.Equal(t, []where{want}, q.where, words)
	}
	q, _ := parseQuestion("how many rows where ship_date is after 2026-06-30 and qty is not over 5 from a.csv")
	require.Equal(t, "number of rows in “a.csv” where “ship_date” is after “2026-06-30” and “qty” is at most “5”", q.describe())
}

func TestUnknownComparisonsAreRefused(t *testing.T) {
	t.Parallel()
	for words, want := range map[string]string{
		"qty is about 100":           "I do not understand “about” in “qty is about 100”. I understand “is”,",
		"qty is between 5 and many":  "I do not understand “between”",
		"qty is not between 5 and 7": "I do not understand “between”",
		"sku is beginning with X":    "I do not understand “beginning”",
		"sku is not like X":          "I do not understand “like”",
		"car is older than 5":        "I do not understand “older”",
		"qty is above some":          "“some” is not a number or a date, but “qty is above” needs one.",
		"qty < many":                 "“many” is not a number or a date",
		"status is under review":     "“review” is not a number or a date",
		"qty is not not 5":           "I do not understand “not”",
		"note does not contain x":    "I do not find a comparison in “note does not contain x”. I understand “is”,",
		"qty is 100 or more":         "I do not understand “100 or more” as one value.",
		"ship_date is after":         "A value is missing after “ship_date is after”.",
		"ship_date is from in a.csv": "is not a number or a date",
	} {
		q, ok := parseQuestion("how many rows where " + words)
		require.True(t, ok, words)
		require.Contains(t, q.refusal, want, words)
	}
}
