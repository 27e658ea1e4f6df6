package tools

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode"
)

// reserved are the words that name whose data is meant. They come from the Scope, never from a model.
var reserved = []string{"tenant", "user", "session", "bucket", "key", "arn", "prefix", "partition"}

// propertyName keeps look-alikes of the reserved words out, and is what model services take.
var propertyName = regexp.MustCompile(`^[a-zA-Z0-9_.-]{1,64}$`)

// checkName refuses a property name that holds a reserved word, unless allow lists the name itself.
func checkName(name string, allow []string) error {
	if !propertyName.MatchString(name) {
		return fmt.Errorf("the name does not match %s", propertyName)
	}
	if slices.Contains(allow, name) {
		return nil
	}
	for _, w := range words(name) {
		if slices.Contains(reserved, w) {
			return fmt.Errorf("the word %q is reserved: it is the scope that says whose data is meant", w)
		}
	}
	return nil
}

// words splits a snake-, kebab- or camel-case name into its words, in lower case: "objectKey", "S3Key", "KEY_id" and
// "ARNList" hold "key", "key", "key" and "arn".
func words(name string) []string {
	var out []string
	rs := []rune(name)
	start := 0
	flush := func(end int) {
		if end > start {
			out = append(out, strings.ToLower(string(rs[start:end])))
		}
	}
	for i, r := range rs {
		switch {
		case !unicode.IsLetter(r):
			flush(i)
			start = i + 1
		case unicode.IsUpper(r) && i > start:
			// A word begins where lower turns to upper ("objectKey"), and at the last capital of a run that a
			// lower-case letter follows ("ARNList").
			if unicode.IsLower(rs[i-1]) || i+1 < len(rs) && unicode.IsLower(rs[i+1]) {
				flush(i)
				start = i
			}
		}
	}
	flush(len(rs))
	return out
}
