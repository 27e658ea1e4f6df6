package profile

import "bytes"

// IsBlankRow reports whether a row of several columns has empty cells only. It does not count as a row.
func IsBlankRow(fields [][]byte, columns int) bool {
	if columns < 2 || len(fields) == 0 {
		return false
	}
	for _, f := range fields {
		if len(bytes.TrimSpace(f)) > 0 {
			return false
		}
	}
	return true
}

// IsHeaderRow reports whether a row repeats the names of the columns, of which there are at least two.
func IsHeaderRow(fields [][]byte, columns []string) bool {
	if len(columns) < 2 || len(fields) != len(columns) {
		return false
	}
	for i, f := range fields {
		if string(bytes.TrimSpace(f)) != string(bytes.TrimSpace([]byte(columns[i]))) {
			return false
		}
	}
	return true
}
