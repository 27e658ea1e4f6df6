package intaketools

import (
	"fmt"
	"regexp"
)

// takeIn matches the prompts of TakeIn.
var takeIn = regexp.MustCompile(`^Take in the upload ([0-9a-f-]{36}), the file "`)

// TakeIn returns the message that asks an agent to take in a file, followed by the message of the person.
func TakeIn(id, name, message string) string {
	s := fmt.Sprintf("Take in the upload %s, the file %q.", id, name)
	if message != "" {
		s += "\n\n" + message
	}
	return s
}

// ParseTakeIn returns the id in a prompt of [TakeIn].
func ParseTakeIn(prompt string) (id string, ok bool) {
	m := takeIn.FindStringSubmatch(prompt)
	if m == nil {
		return "", false
	}
	return m[1], true
}
