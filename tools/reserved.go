package tools

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode"
)

// reservedWords are the words that select a tenant's data. Such values come from the Scope, never from a model.
var reservedWords = []string{"tenant", "user", "session", "bucket", "key", "arn", "prefix", "partition"}

// propertyName is the grammar of model services. It excludes look-alikes of the reserved words.
var propertyName = regexp.MustCompile(`^[a-zA-Z0-9_.-]{1,64}$`)

// checkName rejects a property name with a reserved word, unless allow lists the name.
func checkName(name string, allow []string) error {
	if !propertyName.MatchString(name) {
		return fmt.Errorf("the name does not match %s", propertyName)
	}
	if slices.Contains(allow, name) {
		return nil
	}
	for _, w := range splitWords(name) {
		if slices.Contains(reservedWords, w) {
			return fmt.Errorf("the word %q is reserved: the scope selects the data, not the model", w)
		}
	}
	return nil
}

// splitWords splits a snake-, kebab- or camel-case name into its words, in lower case: "objectKey", "S3Key", "KEY_id"
// and "ARNList" hold "key", "key", "key" and "arn".
func splitWords(name string) []string {
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
