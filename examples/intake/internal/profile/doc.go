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
// over the whole table: each result has a flag that says which. The memory of a Profiler depends neither on the number
// of rows nor on their length: at most about 12 MB.
//
// The package does not read files and does not interpret the data: see package kinds.
package profile
