package library

import "github.com/carrel-go/carrel/scope/table"

// ParseRow reads the text of a row.
func ParseRow(sort, text string) (Book, error) {
	return parseRow(table.Item{Sort: sort, Attr: map[string]table.Value{dataAttr: text}})
}
