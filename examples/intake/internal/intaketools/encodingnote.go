package intaketools

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/carrel-go/carrel/tools/objecttools"
)

// assumedEncoding is the encoding of a text that is not UTF-8 and does not say its encoding.
const assumedEncoding = "Windows-1252"

// encodingNotes returns a sentence if a condition has letters that depend on an encoding that is assumed.
func encodingNotes(in queryIn, rows *objecttools.Rows) []string {
	isOther := func(r rune) bool { return r >= utf8.RuneSelf }
	for _, w := range in.Where {
		if rows.Encoding == assumedEncoding && w.Value != nil && strings.ContainsFunc(*w.Value, isOther) {
			return []string{fmt.Sprintf("the text is not UTF-8: it is read as %s, which is an assumption, so values such as "+
				"%.60q may not be found in it", assumedEncoding, *w.Value)}
		}
	}
	return nil
}
