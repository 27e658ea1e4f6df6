package reader

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestOrdinaryWordsAreUnderstood(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"how many shipments after 2026-06-30":                                   "number of rows in “shipments” where the day is after “2026-06-30”",
		"how many shipments since 30 June 2026":                                 "number of rows in “shipments” where the day is on or after “30 June 2026”",
		"how many shipments on 2026-06-30 by carrier":                           "number of rows by “carrier” in “shipments” where the day is “2026-06-30”",
		"shipments before 1.7.2026 per status":                                  "number of rows by “status” in “shipments” where the day is before “1.7.2026”",
		"total quantity in shipments until 2026-06-30":                          "total of “quantity” in “shipments” where the day is on or before “2026-06-30”",
		"total quantity in June 2026 in orders":                                 "total of “quantity” in “orders” where the day is on or after “2026-06-01” and the day is on or before “2026-06-30”",
		"how many shipments in February 2028":                                   "number of rows in “shipments” where the day is on or after “2028-02-01” and the day is on or before “2028-02-29”",
		"how many shipments in 2026":                                            "number of rows in “shipments” where the day is on or after “2026-01-01” and the day is on or before “2026-12-31”",
		"how many shipments in Q2 2026":                                         "number of rows in “shipments” where the day is on or after “2026-04-01” and the day is on or before “2026-06-30”",
		"how many shipments in the month of June 2026":                          "number of rows in “shipments” where the day is on or after “2026-06-01” and the day is on or before “2026-06-30”",
		"how many shipments in 2026-06":                                         "number of rows in “shipments” where the day is on or after “2026-06-01” and the day is on or before “2026-06-30”",
		"total qty in 2026":                                                     "total of “qty” in “2026”",
		"how many orders between 1 May 2026 and 1.6.26":                         "number of rows in “orders” where the day is on or after “1 May 2026” and the day is on or before “1.6.26”",
		"how many orders from 2026-05-01 to 2026-05-31":                         "number of rows in “orders” where the day is on or after “2026-05-01” and the day is on or before “2026-05-31”",
		"how many rows where qty is between 5 and ten":                          "number of rows where “qty” is at least “5” and “qty” is at most “10”",
		"how many rows where eta between 2026-01-01 and 2026-01-31 and qty > 5": "number of rows where “eta” is on or after “2026-01-01” and “eta” is on or before “2026-01-31” and “qty” is above “5”",
		"how many rows where eta is in June 2026 in a.csv":                      "number of rows in “a.csv” where “eta” is on or after “2026-06-01” and “eta” is on or before “2026-06-30”",
		"how many rows where status is in transit":                              "number of rows where “status” is “in transit”",

		"how many late orders":                     "number of rows in “orders” where “status” is “late”",
		"How many rows in a.csv are there?":        "number of rows in “a.csv”",
		"how many of the orders are late":          "number of rows in “orders” where “status” is “late”",
		"how many shipments were delayed in a.csv": "number of rows in “a.csv” where “status” is “delayed”",
		"how many orders are not late":             "number of rows in “orders” where “status” is not “late”",
		"how many orders that are late":            "number of rows in “orders” where “status” is “late”",
		"show late orders":                         "first rows in “orders” where “status” is “late”",
		"list the late orders in a.csv":            "first rows in “a.csv” where “status” is “late”",
		"how many orders before 2026":              "number of rows in “orders” where the day is before “2026-01-01”",
		"how many orders after June 2026":          "number of rows in “orders” where the day is after “2026-06-30”",
		"how many orders since Q2 2026":            "number of rows in “orders” where the day is on or after “2026-04-01”",
		"how many orders until May 2026":           "number of rows in “orders” where the day is on or before “2026-05-31”",
		"how many orders with quantity above 5":    "number of rows in “orders” where “quantity” is above “5”",
		"how many orders with the quantity 5":      "",
		"late orders by supplier":                  "number of rows by “supplier” in “orders” where “status” is “late”",
		"show the first three delayed shipments":   "first rows (3) in “shipments” where “status” is “delayed”",
		"first ten shipments":                      "first rows (10) in “shipments”",
		"first twenty rows in a.csv":               "first rows (20) in “a.csv”",
		"shipments by country":                     "number of rows by “country” in “shipments”",
		"how many shipments per carrier in a.csv":  "number of rows by “carrier” in “a.csv”",
		"how many bills of materials":              "",

		"earliest ship date":                      "lowest of “ship date”",
		"what was the oldest order date in a.csv": "lowest of “order date” in “a.csv”",
		"how many different suppliers":            "number of different values of “suppliers”",
		"how many carriers in shipments":          "number of different values of “carriers” in “shipments”",
		"how many countries are there":            "number of different values of “countries”",
		"average price per supplier":              "average of “price” by “supplier”",

		"top 5 suppliers by quantity":                              "total of “quantity” by “suppliers” (the first 5)",
		"top three suppliers by total quantity in purchase orders": "total of “quantity” by “suppliers” (the first 3) in “purchase orders”",
		"bottom 3 carriers by average weight":                      "average of “weight” by “carriers” (the last 3)",
		"top carriers by number of shipments":                      "number of rows by “carriers” (the first 5) in “shipments”",
		"top 2 countries by suppliers":                             "number of rows by “countries” (the first 2) in “suppliers”",
		"the top 10 articles by stock in june 2026 in inventory":   "total of “stock” by “articles” (the first 10) in “inventory” where the day is on or after “2026-06-01” and the day is on or before “2026-06-30”",

		"what is in stock for SKU X":             "total of “on_hand” in “inventory” where “SKU” is “X”",
		"what is in stock of SKU-00012":          "total of “on_hand” in “inventory” where “article” is “SKU-00012”",
		"how much of SKU-00012 is in stock?":     "total of “on_hand” in “inventory” where “article” is “SKU-00012”",
		"how many SKU-00012 do we have on hand":  "total of “on_hand” in “inventory” where “article” is “SKU-00012”",
		"what is in stock":                       "total of “on_hand” by “article” in “inventory”",
		"what is in stock by warehouse in a.csv": "total of “on_hand” by “warehouse” in “a.csv”",
		"how many rows in stock":                 "number of rows in “stock”",
		"how many rows where note is in stock":   "number of rows where “note” is “in stock”",
		"total quantity for supplier S-001":      "total of “quantity” where “supplier” is “S-001”",
		"total quantity of SKU-00012 in orders":  "total of “quantity” in “orders” where “article” is “SKU-00012”",
		"total qty for the carrier Harbour & Co": "total of “qty” where “carrier” is “Harbour & Co”",
		"total qty of stock march.csv":           "total of “qty” in “stock march.csv”",
		"total qty in orders for june.csv":       "total of “qty” in “orders for june.csv”",
		"how many rows in sales after 2026.csv":  "number of rows in “sales after 2026.csv”",
	} {
		q, ok := parseQuestion(text)
		require.True(t, ok, text)
		if want == "" {
			continue
		}
		require.Empty(t, q.refusal, text)
		require.Equal(t, want, q.describe(), text)
	}
}

func TestWhatCannotBeKnownIsRefusedInPlainWords(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"how many shipments last month":           "I do not know what day it is, so I cannot say when “last month” is. Name the days, for example “in June 2026”",
		"total qty in shipments this year":        "when “this year” is",
		"how many orders in the last 30 days":     "when “last 30 days” is",
		"how many orders yesterday":               "when “yesterday” is",
		"top suppliers":                           "I do not know by what to sort. Ask for example “top 5 suppliers by quantity”.",
		"top 500 suppliers by quantity":           "I list 1 to 50 groups.",
		"top 0 suppliers by quantity":             "I list 1 to 50 groups.",
		"top 5 suppliers by":                      "A name is missing after “by”.",
		"top":                                     "I do not know by what to sort.",
		"top 5 by quantity":                       "I do not know by what to sort.",
		"how many units in shipments":             "“How many units” can be a total or a number of rows. Ask for “total units”",
		"how many carriers by country":            "I do not count different values by group.",
		"first rows in a.csv by carrier":          "I show rows or groups, but not rows by group.",
		"what is in stock today":                  "I do not know what “today” is.",
		"how many rows where eta is in June":      "",
		"how many orders on 31.02.2026":           "I do not understand “on 31.02.2026” after “orders”. Say it for example with “where status is late”",
		"how many orders for S1":                  "I do not understand “for S1” after “orders”.",
		"how many orders are late and open":       "I do not understand “are late and open” after “orders”.",
		"how many suppliers have late orders":     "I do not understand “have late orders” after “suppliers”.",
		"how many orders in may":                  "“may” may be a month or a file. Say “in may 2026”",
		"orders between 30.6.2026 and 1.5.2026":   "“30.6.2026” is after “1.5.2026”, so nothing is between them.",
		"how many rows where qty between 9 and 5": "“9” is after “5”",
		"how many shipments between 5 and":        "",
		"total qty where eta is between a and b":  "I do not understand “between”",
	} {
		q, ok := parseQuestion(text)
		require.True(t, ok, text)
		require.Contains(t, q.refusal, want, text)
	}
	for _, text := range []string{"shipments", "late", "by country", "hello there", "which one is best"} {
		_, ok := parseQuestion(text)
		require.False(t, ok, text)
	}
}

func TestNumbersAsWords(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"five": "5", "Twenty-Five": "25", "twenty five": "25", "a hundred": "100", "two hundred five": "205", "ten": "10",
		"three thousand two hundred": "3200", "a thousand": "1000", "zero": "0", "one hundred twelve": "112",
		"five six": "five six", "a": "a", "a few": "a few", "hundred": "hundred", "SKU-1": "SKU-1", "": "", "ten twenty": "ten twenty",
		"2026-06-30": "2026-06-30", "thousand thousand": "thousand thousand", "one two": "one two",
	} {
		require.Equal(t, want, readNumeral(text), text)
	}
}

// A question of keywords alone is parsed in a short time, whatever their order.
func TestKeywordsAloneAreParsed(t *testing.T) {
	t.Parallel()
	for _, word := range []string{"for", "of", "in", "by", "between", "where", "is", "top", "and", "from", "the", "after", "last"} {
		for _, start := range []string{"", "how many ", "top 5 ", "what is in stock ", "first "} {
			text := start + strings.Repeat(word+" ", 90)
			parseQuestion(text[:min(len(text), maxQuestion)])
		}
	}
}
