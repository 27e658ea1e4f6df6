package reader

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/carrel-go/carrel/examples/intake/internal/intaketools"
	"github.com/carrel-go/carrel/examples/intake/internal/kinds"
	"github.com/carrel-go/carrel/examples/intake/internal/profile"
)

const maxNamed = 6 // columns in a sentence

// describeQuality reports the measured numbers, and which of them are estimates.
func describeQuality(r *intaketools.Report) string {
	p := &r.Profile
	lines := []string{fmt.Sprintf("I have read the whole file, %s: %s and %s. It is %s in %s.", bytesText(r.Size),
		plural(int(p.Rows), "row"), plural(p.HasColumns, "column"), formatText(r), r.Encoding)}
	add := func(format string, args ...any) { lines = append(lines, "- "+fmt.Sprintf(format, args...)) }
	if s := count(p, func(c *profile.Column) int64 { return c.Missing }); s != "" {
		add("Missing values: %s.", s)
	}
	if s := count(p, func(c *profile.Column) int64 { return c.Wrong }); s != "" {
		add("Values of another type than the rest of the column: %s.", s)
	}
	if s := count(p, func(c *profile.Column) int64 {
		if !isAmount(c.Name) {
			return 0
		}
		return c.Negative
	}); s != "" {
		add("Amounts below zero: %s.", s)
	}
	for _, c := range p.Columns {
		if len(c.Formats) > 1 {
			var formats []string
			for _, f := range c.Formats {
				formats = append(formats, fmt.Sprintf("%s (%s)", formatName(f.Format), number(f.Count)))
			}
			add("%q has values in several formats: %s.", c.Name, strings.Join(formats, ", "))
		}
	}
	for _, c := range p.Columns {
		if c.Codes && isAmount(c.Name) {
			add("%q has codes, such as %s. They are read as texts, so they cannot be added.", c.Name, c.CodeExample)
		}
	}
	if s := count(p, func(c *profile.Column) int64 { return c.Formulas }); s != "" {
		add("Texts that a spreadsheet would run as formulas: %s.", s)
	}
	if p.Duplicates > 0 {
		add("Rows that repeat an earlier one: %s, %s.", number(p.Duplicates), exactness(p.DuplicatesExact))
	}
	if p.Ragged > 0 {
		add("Rows with more or fewer values than columns: %s.", number(p.Ragged))
	}
	if p.Malformed > 0 {
		add("Rows that cannot be read: %s.", number(p.Malformed))
	}
	for _, note := range r.Notes {
		add("%s.", note)
	}
	switch isPart := r.Shown != ""; {
	case len(lines) == 1 && isPart:
		add("I found no flaws in the first %s. The report shows all.", plural(len(p.Columns), "column"))
	case len(lines) == 1:
		add("I found no flaws.")
	case isPart:
		add("I have named the flaws of the first %s. The report shows all.", plural(len(p.Columns), "column"))
	}
	return strings.Join(lines, "\n")
}

// formatName returns the name of a format of dates. It returns a format of numbers unchanged.
func formatName(format string) string {
	switch format {
	case "2006-01-02":
		return "YYYY-MM-DD"
	case "2006-01-02 15:04":
		return "YYYY-MM-DD hh:mm"
	case "20060102":
		return "YYYYMMDD"
	case "2006/01/02":
		return "YYYY/MM/DD"
	case "2006.01.02":
		return "YYYY.MM.DD"
	case "02.01.2006":
		return "DD.MM.YYYY"
	case "31/12/2006":
		return "DD/MM/YYYY"
	case "12/31/2006":
		return "MM/DD/YYYY"
	case "31-12-2006":
		return "DD-MM-YYYY"
	case "12-31-2006":
		return "MM-DD-YYYY"
	case "02/01/06":
		return "DD/MM/YY"
	case "03/04/2006 (day or month first)":
		return "DD/MM/YYYY or MM/DD/YYYY"
	}
	return format
}

func exactness(isExact bool) string {
	if isExact {
		return "counted exactly"
	}
	return "estimated from a sample of all rows"
}

func formatText(r *intaketools.Report) string {
	switch r.Format {
	case "csv":
		names := map[string]string{",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}
		return "CSV with " + cmp.Or(names[r.Separator], fmt.Sprintf("the separator %q", r.Separator))
	case "jsonl":
		return "JSON Lines"
	}
	return "JSON"
}

// isAmount reports whether a negative number in the column is suspicious.
func isAmount(name string) bool {
	switch kinds.RoleOf(name) {
	case kinds.Quantity, kinds.OnHand, kinds.QuantityPer, kinds.ReorderPoint, kinds.Weight, kinds.UnitPrice,
		kinds.LeadTime, kinds.ListPrice:
		return true
	}
	return false
}

// count lists the columns with a number above zero.
func count(p *profile.Profile, of func(*profile.Column) int64) string {
	var named []string
	more := 0
	for i := range p.Columns {
		n := of(&p.Columns[i])
		switch {
		case n == 0:
		case len(named) == maxNamed:
			more++
		default:
			text := fmt.Sprintf("%q %s", p.Columns[i].Name, number(n))
			if p.Rows > 0 {
				text += fmt.Sprintf(" (%s)", percent(n, p.Rows))
			}
			named = append(named, text)
		}
	}
	s := strings.Join(named, ", ")
	if more > 0 {
		s += fmt.Sprintf(", and %s more", plural(more, "column"))
	}
	return s
}

// summarize returns the summary that is recorded.
func summarize(r *intaketools.Report, g kinds.Guess) string {
	p := &r.Profile
	what := g.Kind.Label()
	flaws := int64(0)
	for i := range p.Columns {
		c := &p.Columns[i]
		flaws += c.Missing + c.Wrong
		if isAmount(c.Name) {
			flaws += c.Negative
		}
	}
	s := fmt.Sprintf("%s: %s in %s.", strings.ToUpper(what[:1])+what[1:], plural(int(p.Rows), "row"),
		plural(p.HasColumns, "column"))
	if flaws > 0 {
		s += fmt.Sprintf(" %s missing, of the wrong type or negative.", plural(int(flaws), "value"))
	}
	if p.Duplicates > 0 {
		s += fmt.Sprintf(" %s of rows, %s.", plural(int(p.Duplicates), "repetition"), exactness(p.DuplicatesExact))
	}
	return s
}

func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return number(int64(n)) + " " + what + "s"
}

// number writes a number with commas.
func number(n int64) string {
	s := fmt.Sprint(n)
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

func percent(n, of int64) string {
	share := 100 * float64(n) / float64(of)
	if share < 0.05 {
		return "under 0.1 %"
	}
	return fmt.Sprintf("%.1f %%", share)
}

func bytesText(n int64) string {
	switch {
	case n < 1000:
		return plural(int(n), "byte")
	case n < 1000_000:
		return fmt.Sprintf("%.1f kB", float64(n)/1000)
	case n < 1000_000_000:
		return fmt.Sprintf("%.1f MB", float64(n)/1e6)
	}
	return fmt.Sprintf("%.1f GB", float64(n)/1e9)
}
