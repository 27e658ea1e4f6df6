package files

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/carrel-go/carrel/examples/intake/internal/profile"
)

const (
	// MaxColumns is the number of columns that a report has.
	MaxColumns = 250
	// maxName is the length of the longest name of a column in a report, in bytes.
	maxName = 200
	// maxMeasured is the size of the measured part of a report, and maxReport that of all of it, in bytes of JSON. The
	// rest of table.MaxItem is for the name and the Ref of a shared file.
	maxMeasured = 240 << 10
	maxReport   = 390 << 10
)

// fit shortens the measured part so that it fits an item beside the recorded part, and says so.
func (r *Report) fit() error {
	columns := slices.Clone(r.Profile.Columns[:min(len(r.Profile.Columns), MaxColumns)])
	isShortened := false
	for i := range columns {
		if c := &columns[i]; len(c.Name) > maxName {
			c.Name, isShortened = shorten(c.Name, maxName), true
		}
	}
	all := len(r.Profile.Columns)
	r.Profile.Columns = nil
	rest, err := encode(r)
	if err != nil {
		return err
	}
	// Examples of values are the first to go, then columns.
	size := func(columns []profile.Column) (n int, err error) {
		raw, err := encode(columns)
		return len(rest) + len(raw), err
	}
	n, err := size(columns)
	if err == nil && n > maxMeasured {
		for i := range columns {
			columns[i].Examples = nil
		}
		r.Notes = append(r.Notes, "examples of values are not in the report, because it is too long with them")
		n, err = size(columns)
	}
	for err == nil && n > maxMeasured && len(columns) > 0 {
		columns = columns[:len(columns)*9/10]
		n, err = size(columns)
	}
	if err != nil {
		return err
	}
	if len(columns) < all {
		const note = "only the first %d of %d columns are in the report"
		r.Notes = append(r.Notes, fmt.Sprintf(note, len(columns), r.Profile.HasColumns))
	}
	if isShortened {
		r.Notes = append(r.Notes, "long names of columns are shortened")
	}
	r.Profile.Columns = columns
	return nil
}

// encode returns v as JSON in which < > & are one byte each.
func encode(v any) (string, error) {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return "", fmt.Errorf("files: encode a report: %w", err)
	}
	return b.String(), nil
}

// shorten returns the beginning of s, in whole characters.
func shorten(s string, n int) string {
	for n > 0 && s[n]&0xc0 == 0x80 {
		n--
	}
	return s[:n] + "…"
}
