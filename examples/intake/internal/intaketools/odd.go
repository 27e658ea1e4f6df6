package intaketools

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/carrel-go/carrel/examples/intake/internal/kinds"
	"github.com/carrel-go/carrel/examples/intake/internal/profile"
	"github.com/carrel-go/carrel/tools"
	"github.com/carrel-go/carrel/tools/objecttools"
)

// checkRecord returns a correction if the first row of JSON is an array: such rows do not name their columns.
func checkRecord(handle string, row *objecttools.Row) error {
	record := bytes.TrimSpace(row.Record)
	if row.Number > 1 || row.Cut || row.Problem != "" || !bytes.HasPrefix(record, []byte("[")) || !json.Valid(record) {
		return nil
	}
	return tools.Correct(fmt.Sprintf("the file %s is JSON whose rows are arrays, which do not have names of columns: "+
		`rows must be objects such as {"sku": "A-1", "qty": 5}`, handle))
}

// readRows returns the rows of a file, or the correction of checkRecord for the first one.
func readRows(ctx context.Context, handle string, rows *objecttools.Rows) iter.Seq2[*objecttools.Row, error] {
	return func(yield func(*objecttools.Row, error) bool) {
		for row, err := range rows.All(ctx) {
			if err == nil {
				err = checkRecord(handle, row)
			}
			if !yield(row, err) || err != nil {
				return
			}
		}
	}
}

// The days of a spreadsheet from 1954 to 2119, counted from 1899-12-30.
const minSerial, maxSerial = 20_000, 80_000

// serialRemarks returns a sentence for each column that is named like a date and has the numbers by which a spreadsheet
// stores dates.
func serialRemarks(columns []profile.Column) (list []string) {
	for i := range columns {
		c := &columns[i]
		from, err := strconv.ParseFloat(c.Min, 64)
		to, err2 := strconv.ParseFloat(c.Max, 64)
		isNumber := c.Type == profile.Integer || c.Type == profile.Decimal
		if !isNumber || err != nil || err2 != nil || from < minSerial || to > maxSerial || !kinds.IsDay(c.Name) {
			continue
		}
		day := time.Date(1899, 12, 30, 0, 0, 0, 0, time.UTC).AddDate(0, 0, int(from))
		list = append(list, fmt.Sprintf("numbers of %.60q look like dates as a spreadsheet stores them, but are read as "+
			"numbers: %s is %s there", c.Name, c.Min, day.Format(time.DateOnly)))
	}
	return list
}

// compactRemarks returns a sentence for each column whose numbers have the form of dates, but are too few to decide.
func compactRemarks(columns []profile.Column) (list []string) {
	for i := range columns {
		if c := &columns[i]; c.LikelyDates {
			list = append(list, fmt.Sprintf("numbers of %.60q look like dates, such as %.20s, but are read as numbers, because "+
				"there are few of them", c.Name, c.Max))
		}
	}
	return list
}

// The seconds from 1970 to the beginning of 2000 and of 2100.
const minEpoch, maxEpoch = 946_684_800, 4_102_444_800

// epochRemarks returns a sentence for each column that is named like a point in time and has seconds or milliseconds
// since 1970.
func epochRemarks(columns []profile.Column) (list []string) {
	for i := range columns {
		c := &columns[i]
		from, err := strconv.ParseFloat(c.Min, 64)
		to, err2 := strconv.ParseFloat(c.Max, 64)
		if c.Type != profile.Integer || err != nil || err2 != nil || !isNamedLikeTime(c.Name) {
			continue
		}
		unit, at := "seconds", from
		if from >= 1000*minEpoch {
			unit, at, to = "milliseconds", from/1000, to/1000
		}
		if at < minEpoch || to > maxEpoch {
			continue
		}
		list = append(list, fmt.Sprintf("numbers of %.60q look like %s since 1970, but are read as numbers: %s is %s", c.Name,
			unit, c.Min, time.Unix(int64(at), 0).UTC().Format(time.DateOnly)))
	}
	return list
}

func isNamedLikeTime(name string) bool {
	plain := strings.ToLower(name)
	for _, part := range []string{"time", "epoch", "created", "updated", "modified", "zeit"} {
		if strings.Contains(plain, part) {
			return true
		}
	}
	return plain == "ts" || strings.HasSuffix(plain, "_ts") || strings.HasSuffix(plain, "_at") || kinds.IsDay(name)
}

// quantity matches a number with a unit of one letter, such as 5g, which may be a name.
var quantity = regexp.MustCompile(`^[-+]?[0-9][0-9.,]*[gtmlL]$`)

// quantityRemarks returns a sentence for each column of texts whose examples are numbers with units.
func quantityRemarks(columns []profile.Column) (list []string) {
	for i := range columns {
		c := &columns[i]
		isOther := func(example string) bool { return !quantity.MatchString(example) }
		if c.Type != profile.Text || len(c.Examples) < 2 || slices.ContainsFunc(c.Examples, isOther) {
			continue
		}
		list = append(list, fmt.Sprintf("values of %.60q look like numbers with units, such as %.30q, but are read as "+
			"texts, so they cannot be added", c.Name, c.Examples[0]))
	}
	return list
}
