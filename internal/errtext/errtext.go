// Package errtext writes the text of errors that have a code, a public message and a cause.
package errtext

import "strings"

// Join returns "prefix: code: message: cause" without the parts that are empty. A cause that already has the code and
// the message is printed alone, and one that only repeats the message is left out, so that nothing is printed twice.
// The cause loses its package's name if the prefix begins with the same.
func Join(prefix, code, message string, cause error) string {
	var head string
	switch {
	case code == "":
		head = message
	case message == "":
		head = code
	default:
		head = code + ": " + message
	}
	text := ""
	if cause != nil {
		name, _, _ := strings.Cut(prefix, ": ")
		text = strings.TrimPrefix(cause.Error(), name+": ")
	}
	if text == message {
		text = ""
	}
	if text != "" && strings.Contains(text, head) {
		head = ""
	}
	for _, part := range []string{head, text} {
		if part != "" {
			prefix += ": " + part
		}
	}
	return prefix
}
