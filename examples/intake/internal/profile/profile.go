package profile

import (
	"hash/maphash"
	"slices"
)

// The limits of a Profiler.
const (
	// MaxColumns is the number of columns that are measured.
	MaxColumns = 1000
	// maxRows is the number of distinct rows that are counted exactly.
	maxRows = 1 << 17
	// maxValues is the number of distinct values that are counted exactly, in all columns together.
	maxValues = 1 << 17
)

// FormatCount is the number of values in a format.
type FormatCount struct {
	Format string `json:"format"`
	Count  int64  `json:"count"`
}

// TypeCount is the number of values of a type.
type TypeCount struct {
	Type  Type  `json:"type"`
	Count int64 `json:"count"`
}

// Column is the profile of a column.
type Column struct {
	Name string `json:"name"`
	Type Type   `json:"type"` // of most values
	// Missing values are empty, or say so, such as "n/a". Wrong values are of another type than the column.
	Missing int64       `json:"missing"`
	Wrong   int64       `json:"wrong,omitempty"`
	Types   []TypeCount `json:"types,omitempty"`
	// Formats are those of the dates. Those of numbers are here only if the column does not decide how to read them.
	Formats []FormatCount `json:"formats,omitempty"`
	// Units are those of the numbers, such as $ or %, if some have one. An empty unit is that of numbers without one.
	Units    []FormatCount `json:"units,omitempty"`
	Min      string        `json:"min,omitempty"`
	Max      string        `json:"max,omitempty"`
	Negative int64         `json:"negative,omitempty"`
	// Formulas are texts that a spreadsheet would run.
	Formulas int64 `json:"formulas,omitempty"`
	// MissingTexts are the texts that count as missing, such as n/a.
	MissingTexts []FormatCount `json:"missing_texts,omitempty"`
	// KeepsCodes reports that NA is a value, because most values are such codes of two letters: Kept counts it. KeepsTexts
	// reports that texts such as n/a are values, because they are strings of JSON.
	KeepsCodes bool  `json:"keeps_codes,omitempty"`
	KeepsTexts bool  `json:"keeps_texts,omitempty"`
	Kept       int64 `json:"kept,omitempty"`
	// Distinct values are counted as they are compared: texts by [Key], so without their case, numbers by their value, and
	// dates by their day.
	Distinct int64 `json:"distinct"`
	// DistinctExact reports that Distinct was counted. Otherwise it is an estimate.
	DistinctExact bool     `json:"distinct_exact"`
	Examples      []string `json:"examples,omitempty"`
	// Decimal is "." or "," if the numbers show it, and DateOrder is "day" or "month": the part that comes first.
	Decimal   string `json:"decimal,omitempty"`
	DateOrder string `json:"date_order,omitempty"`
	// CompactDates reports that numbers of the column are dates such as 20260131, and read as such. Those that are not
	// in the calendar, such as 20260230, are wrong values.
	CompactDates bool `json:"compact_dates,omitempty"`
	// DatesByValues reports that CompactDates is true by the values alone, whose forms are the same as those of numbers.
	DatesByValues bool `json:"dates_by_values,omitempty"`
	// Elsewhere is a number that can be read in two ways, if those of other columns have decided: by Decimal.
	Elsewhere string `json:"elsewhere,omitempty"`
	// Codes reports that numbers of the column have leading zeros or an E, such as 00123 and 3E2, so that all of its
	// numbers are read as texts.
	Codes bool `json:"codes,omitempty"`
	// CodesByName reports that Codes is true because the name of the column, or its meaning, says that it has codes, and
	// not all of them are whole numbers in plain digits: all of its values are read as texts, also those that look like
	// dates.
	CodesByName bool `json:"codes_by_name,omitempty"`
	// Spelled reports that the numbers of the column may be codes, such as 1.10 beside 1.2, or that its name says so: they
	// are added and have an order as numbers, but are grouped and compared for equality as they are written. MayBeCodes
	// reports that the name says so, though the values look like amounts.
	Spelled    bool `json:"spelled,omitempty"`
	MayBeCodes bool `json:"may_be_codes,omitempty"`
	// LikelyDates reports that all numbers have the form of dates such as 20260131, but are too few to decide.
	LikelyDates bool `json:"likely_dates,omitempty"`
	// Whole reports that all values are whole numbers in plain digits, which are the same as numbers and as codes.
	Whole bool `json:"whole,omitempty"`
	// ShortYears is the number of dates whose years have two digits, such as ShortYear: 69 to 99 are of the last century.
	ShortYears int64  `json:"short_years,omitempty"`
	ShortYear  string `json:"short_year,omitempty"`
	// CodeExample is a code that looks like a number or a date. It may be empty if CodesByName.
	CodeExample string `json:"code_example,omitempty"`
	// Assumed is the number of values that can be read in two ways and that nothing in the file decides, such as
	// AssumedExample. They are read by Decimal or DateOrder.
	Assumed        int64  `json:"assumed,omitempty"`
	AssumedExample string `json:"assumed_example,omitempty"`
	// Repeated is the number of earlier columns with the same name.
	Repeated int `json:"repeated,omitempty"`
}

// Profile is the result.
type Profile struct {
	Rows int64 `json:"rows"`
	// Ragged rows of CSV have more or fewer fields than columns. Malformed rows cannot be read. Cut rows were read in
	// part. Twice is the number of records of JSON that have a name twice.
	Ragged    int64 `json:"ragged,omitempty"`
	Malformed int64 `json:"malformed,omitempty"`
	Cut       int64 `json:"cut,omitempty"`
	Twice     int64 `json:"twice,omitempty"`
	// Blank rows have empty cells only, and Headers are rows that repeat the names of the columns. They do not count as
	// rows.
	Blank   int64 `json:"blank,omitempty"`
	Headers int64 `json:"headers,omitempty"`
	// Totals is the number of rows that look like total rows, wherever they are. TotalRows are the numbers of the first
	// 5,000 of them, from 1, and TotalLabel is the label of the first one.
	Totals     int64   `json:"totals,omitempty"`
	TotalRows  []int64 `json:"total_rows,omitempty"`
	TotalLabel string  `json:"total_label,omitempty"`
	// Labeled is the number of rows that have the label of a total row, but not its numbers, so that they are data.
	// LabeledRow is the number of the first one, and Label its label.
	Labeled    int64  `json:"labeled,omitempty"`
	LabeledRow int64  `json:"labeled_row,omitempty"`
	Label      string `json:"label,omitempty"`
	// TotalRow is the label of the last row, such as "Total", if it looks like a total row.
	TotalRow string `json:"total_row,omitempty"`
	// SumRows is the number of rows that have the sums of rows before them, but may be data, so that they count like the
	// others. SumRow is the number of the first one, and SumLabel its label.
	SumRows  int64  `json:"sum_rows,omitempty"`
	SumRow   int64  `json:"sum_row,omitempty"`
	SumLabel string `json:"sum_label,omitempty"`
	// Loose is the number of rows between two total rows, or after the last one, that are data by their form, and may be
	// about the total, such as a tax. LooseRow is the number of the first one, and LooseLabel its label.
	Loose      int64  `json:"loose,omitempty"`
	LooseRow   int64  `json:"loose_row,omitempty"`
	LooseLabel string `json:"loose_label,omitempty"`
	// Bare is the number of the first and the last rows that have neither a number nor a date, though most rows have one,
	// and Footer that of the last rows if they are few and follow the only empty row. They count. BareRow and FooterRow
	// are the numbers of the first ones, and BareLabel and FooterLabel their labels.
	Bare        int64  `json:"bare,omitempty"`
	BareRow     int64  `json:"bare_row,omitempty"`
	BareLabel   string `json:"bare_label,omitempty"`
	Footer      int64  `json:"footer,omitempty"`
	FooterRow   int64  `json:"footer_row,omitempty"`
	FooterLabel string `json:"footer_label,omitempty"`
	// SecondTable is where a second table seems to begin, or nil.
	SecondTable *SecondTable `json:"second_table,omitempty"`
	// Duplicates are rows that equal an earlier one. Rows that were cut are not compared.
	Duplicates      int64    `json:"duplicates"`
	DuplicatesExact bool     `json:"duplicates_exact"`
	Columns         []Column `json:"columns"`
	// HasColumns is the number of columns that the table has. It is larger than that of Columns if there are too many.
	HasColumns int `json:"has_columns"`
}

// Profiler measures a table. It is not safe for concurrent use.
type Profiler struct {
	// Separator is that of the fields of CSV. A semicolon is a sign of decimal commas.
	Separator string
	// IsName reports whether a text is a usual name of a column. It helps to find a second table. If nil, no text is.
	IsName func(text string) bool
	// Sense returns what the name of a column says about its values. If nil, only the values decide.
	Sense func(name string) Sense

	seed    maphash.Seed
	names   []string
	seen    int64 // rows, with those that do not count
	totals  totalFinder
	columns []*column
	byName  map[string]int // of records
	has     int
	rows    distinct
	hash    maphash.Hash
	tables  tableFinder
	out     Profile
}

// New returns a Profiler of a table with these columns. The columns of records are found in the records. has is the
// number of columns that the table has, if that is more.
func New(columns []string, has int) *Profiler {
	p := &Profiler{
		seed: maphash.MakeSeed(), rows: newDistinct(maxRows), byName: map[string]int{}, has: max(has, len(columns)),
	}
	p.hash.SetSeed(p.seed)
	p.names = columns
	columns = columns[:min(len(columns), MaxColumns)]
	for _, name := range columns {
		p.columns = append(p.columns, newColumn(name, max(16, min(4096, maxValues/max(len(columns), 1)))))
	}
	return p
}

// AddMalformed counts a row that cannot be read.
func (p *Profiler) AddMalformed() {
	p.seen++
	p.out.Rows++
	p.out.Malformed++
}

// AddRow adds a row of fields. count is the number of fields that the row has, and isCut reports that a part is
// missing.
func (p *Profiler) AddRow(fields [][]byte, count int, isCut bool) {
	p.seen++
	p.lookForTable(fields, count)
	switch {
	case isCut:
		p.out.Cut++
	case IsBlankRow(fields, p.has):
		p.out.Blank++
		p.totals.apart.noteGap()
		return
	case count == p.has && IsHeaderRow(fields, p.names):
		p.out.Headers++
		return
	}
	p.out.Rows++
	if count != p.has {
		p.out.Ragged++
	}
	p.hash.Reset()
	var label []byte
	labelAt := -1
	for i, f := range fields {
		if i < maxLabeled && label == nil {
			if label = totalLabel(f); label != nil {
				labelAt = i
			}
		}
		if i < len(p.columns) {
			p.columns[i].add(f, p.seed, p.seen, notJSON)
		}
		_, _ = p.hash.Write(f)
		_ = p.hash.WriteByte(0)
	}
	for i := len(fields); i < len(p.columns); i++ {
		p.columns[i].counts[isEmpty]++
	}
	p.noteTotal(label, labelAt)
	if !isCut {
		p.rows.add(p.hash.Sum64())
	}
}

// Profile returns the results so far.
func (p *Profiler) Profile() Profile {
	out := p.out
	out.Duplicates, out.DuplicatesExact = p.rows.repeats()
	out.DuplicatesExact = out.DuplicatesExact && out.Cut == 0
	if out.Rows < 2 {
		out.TotalRow = ""
	}
	if !p.settleFirst(&out) {
		p.settlePending(&out)
	}
	p.settleRuns(&out)
	p.settleEdge(&out)
	out.HasColumns = max(p.has, len(p.columns))
	out.SecondTable = p.tables.result(p.seen)
	p.settleApart(&out)
	out.Columns = make([]Column, 0, len(p.columns))
	seen := map[string]int{}
	file := p.evidence()
	for _, c := range p.columns {
		column := c.profile(file, p.senseOf(c))
		column.Missing = max(0, p.out.Rows-p.out.Malformed-(sum(c.counts)-c.counts[isEmpty])-column.Kept)
		column.Repeated = seen[c.name]
		seen[c.name]++
		out.Columns = append(out.Columns, column)
	}
	return out
}

// Column returns the column with that name, or nil.
func (p *Profile) Column(name string) *Column {
	if i := slices.IndexFunc(p.Columns, func(c Column) bool { return c.Name == name }); i >= 0 {
		return &p.Columns[i]
	}
	return nil
}

func sum(counts [numTypes]int64) (n int64) {
	for _, c := range counts {
		n += c
	}
	return n
}
