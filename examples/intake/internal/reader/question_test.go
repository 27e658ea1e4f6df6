package reader

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestQuestionsAreParsedInAnyOrder(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"total qty per supplier where carrier is DHL in ship3.csv":               "total of “qty” by “supplier” in “ship3.csv” where “carrier” is “DHL”",
		"how many rows where note is y in miss.csv":                              "number of rows in “miss.csv” where “note” is “y”",
		"total qty in ship3.csv where qty is above 8 and note is x":              "total of “qty” in “ship3.csv” where “qty” is above “8” and “note” is “x”",
		"total qty in the march file.csv by carrier where a<=3 and b!=2":         "total of “qty” by “carrier” in “march file.csv” where “a” is at most “3” and “b” is not “2”",
		"What is the average unit price for each country from \"where in.csv\"?": "average of “unit price” by “country” in “where in.csv”",
		"how many rows where status is in transit in a.csv":                      "number of rows in “a.csv” where “status” is “in transit”",
		"how many rows where note is “by truck and more” per carrier":            "number of rows by “carrier” where “note” is “by truck and more”",
		"how many rows where note is \"\" in a.csv":                              "number of rows in “a.csv” where “note” is “”",
		"how many rows where name is O'Brien in 'the b.csv'":                     "number of rows in “the b.csv” where “name” is “O'Brien”",
		"how many negative quantity in a.csv where note is present":              "number of rows in “a.csv” where “quantity” is below “0” and “note” is present",
		"how many rows where note is not missing and unit is empty in a.csv":     "number of rows in “a.csv” where “note” is present and “unit” is missing",
		"first rows of tiny where quantity is above 5":                           "first rows in “tiny” where “quantity” is above “5”",
		"how many shipments do I have where status is delayed":                   "number of rows in “shipments” where “status” is “delayed”",
		"sum of qty of a.csv":                "total of “qty” in “a.csv”",
		"first 20 rows in a.csv":             "first rows (20) in “a.csv”",
		"how many rows in bill of materials": "number of rows in “bill of materials”",
	} {
		q, ok := parseQuestion(text)
		require.True(t, ok, text)
		require.Empty(t, q.refusal, text)
		require.Equal(t, want, q.describe(), text)
	}
}

func TestWordsThatAreLeftOverAreRefused(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"total":                                    "The name of a column is missing.",
		"sum of":                                   "The name of a column is missing.",
		"total by carrier":                         "The name of a column is missing.",
		"total qty in a.csv from b.csv":            "there are two: “a.csv” and “b.csv”",
		"total qty by carrier per country":         "there are two: “carrier” and “country”",
		"total qty where carrier":                  "I do not find a comparison",
		"total qty where carrier is":               "A value is missing after “carrier is”",
		"total qty where is DHL":                   "The name of a column is missing before “is”",
		"total qty where carrier is DHL or UPS":    "I do not understand “DHL or UPS”",
		"total qty where carrier is DHL note is x": "I do not understand “DHL note is x”",
		"total qty where carrier is missing today": "I do not understand “today”",
		"total qty where carrier is DHL and":       "I do not find a comparison",
		"total negative qty":                       "only after “how many”",
		"first 51 rows in a.csv":                   "I do not understand “51 rows”. The first rows can be 1 to 50.",
		"total qty in":                             "A name is missing after “in”",
		"first delayed rows in a.csv":              "I do not understand “delayed rows”",
	} {
		q, ok := parseQuestion(text)
		require.True(t, ok, text)
		require.Contains(t, q.refusal, want, text)
	}
	_, ok := parseQuestion("which files have problems with dates")
	require.False(t, ok)
}
