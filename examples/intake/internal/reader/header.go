package reader

import (
	"fmt"
	"strings"

	"github.com/carrel-go/carrel/examples/intake/internal/intaketools"
)

// cutHeader returns a question without its last words that say that the first row of a file is data, and whether it has
// them.
func cutHeader(text string) (rest string, hasNoHeader bool) {
	for _, end := range []string{" without a header", " without header", " without headers"} {
		if at := len(text) - len(end); at > 0 && strings.EqualFold(text[at:], end) {
			return strings.TrimRight(text[:at], ", "), true
		}
	}
	return text, false
}

// withoutHeader returns a file whose columns have the names that query_file gives them if the first row is data.
func withoutHeader(f intaketools.ListedFile) intaketools.ListedFile {
	names := make([]string, len(f.Columns))
	for i := range names {
		names[i] = fmt.Sprintf("column %d", i+1)
	}
	f.Columns, f.Roles, f.DateColumn = names, nil, ""
	return f
}
