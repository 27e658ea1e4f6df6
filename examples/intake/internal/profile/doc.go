// Package profile measures a table of data in one pass and constant memory: the types of its columns, their ranges,
// missing and wrong values, formats of dates, negative numbers, and duplicate rows.
//
//	p := profile.New(columns)
//	for row := range rows {
//		p.AddRow(row) // or AddRecord, for a record of JSON
//	}
//	result := p.Profile()
//
// Use it for data of any size. Counts of rows, missing values, types, ranges and formats are exact. Distinct values
// and duplicate rows are counted exactly up to a number of them, and beyond it estimated from a sample that is spread
// over the whole table: each result has a flag that says which. Duplicates are estimated beyond 131,072 different rows.
// Distinct values of a column are estimated beyond 4,096; in a table of more than 32 columns beyond 131,072 divided by
// their number, but not less than 16. Of records of JSON, they are estimated beyond 1,024, and beyond 64 for the
// columns after the 64th. The memory of a Profiler depends neither on the number
// of rows nor on their length: at most about 12 MB.
//
// A number such as 1.234 and a date such as 03/04/2026 can be read in two ways. The other values of the column decide,
// then the other columns, then the separator of the fields. Values that only the separator or a default decides are
// counted, see [Column] and [Profile.Remarks]. [ReadValue] reads a value as its column is read.
//
// Distinct values, groups, joins and conditions compare texts by [Key]: without the white space around them and without
// their case. S-01 and s-01 are one value. Numbers are compared by their value and dates by their day, see [GroupKey].
//
// Rows of empty cells, and rows that repeat the names of the columns, do not count. Rows that look like total rows do,
// and [Profile.TotalRows] has their numbers. A row is one if it has a label such as Subtotal and the sums of rows
// before it: of all, of those after the last total row, or of those with the same unit, currency or other text. In any
// language, a row is one if all of its numbers are such sums and a value is missing that each row before has, unless
// its label stands where the others have codes. Rows after a total row that are about it, such as VAT and a second
// total, are total rows too.
//
// Rows that may not be data, but count, have a note: each other row with a label such as Subtotal, see
// Profile.LabeledRow, and each row with the sums of others that may be data, see Profile.SumRow. That is the first or
// the last row if it is the sum of three or more others, and the rows of a group, such as W1,ALL,15 after W1,A,5 and
// W1,B,10, if three of four groups have one, whatever their other cells are. The first and the last rows have a note if
// they have neither a number nor a date and most rows do, and the last ones if they are few and follow the only empty
// row, see [Profile.ApartRemarks].
//
// The name of a column may say that it has codes, amounts or days, see [Sense]. If it does not decide, the values do:
// numbers with leading zeros are codes, numbers such as 1.10 beside 1.2 may be codes (see [Column]), and three numbers
// such as 20260131 are dates. [Column.ReadingRemarks] tells so if the name is not that of days.
//
// The package does not read files and does not interpret the data: see package kinds.
package profile
