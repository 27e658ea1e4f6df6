package bedrocktest

import (
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strings"
)

// The messages of the service's ValidationException. Each check returns such a message, or an empty string.

const notEmpty = "Member must have length greater than or equal to 1"

func constraintMessage(value any, at, rule string) string {
	return fmt.Sprintf("1 validation error detected: Value '%v' at '%s' failed to satisfy constraint: %s", value, at, rule)
}

func checkEnum(value, at string, values ...string) string {
	if slices.Contains(values, value) {
		return ""
	}
	return constraintMessage(value, at, "Member must satisfy enum value set: ["+strings.Join(values, ", ")+"]")
}

// checkPattern requires that a value matches an anchored pattern.
func checkPattern(value, at string, p *regexp.Regexp) string {
	if p.MatchString(value) {
		return ""
	}
	return constraintMessage(value, at, "Member must satisfy regular expression pattern: "+strings.Trim(p.String(), "^$"))
}

// checkUnion requires that exactly one member of a union is set. The fields of a union have the members' JSON names.
func checkUnion(object, at string, union any) string {
	var keys []string
	set := 0
	v := reflect.ValueOf(union)
	for _, f := range reflect.VisibleFields(v.Type()) {
		if f.Anonymous {
			continue
		}
		key, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		keys = append(keys, key)
		if !v.FieldByIndex(f.Index).IsZero() {
			set++
		}
	}
	if set == 1 {
		return ""
	}
	return oneKeyMessage(object, at, keys...)
}

func oneKeyMessage(object, at string, keys ...string) string {
	return fmt.Sprintf("The %s object at %s must set one of the following keys: %s.", object, at, strings.Join(keys, ", "))
}

func checkBlank(text, object, at string) string {
	if !isBlank(text) {
		return ""
	}
	const format = "The text field in the %s object at %s is blank. Add text to the text field, and try again."
	return fmt.Sprintf(format, object, at)
}

func isBlank(s string) bool { return strings.TrimSpace(s) == "" }

func emptyContentMessage(object, at, member string) string {
	const format = "The content field in the %s object at %s is empty. Add a %s object to the content field and try again."
	return fmt.Sprintf(format, object, at, member)
}

func objectMessage(at string) string {
	return fmt.Sprintf("The format of the value at %s is invalid. Provide a json object for the field and try again.", at)
}

// misplacedMessage is the refusal of a block that belongs to the other role.
func misplacedMessage(kind, at, role string) string {
	is, should := "an assistant", "a user"
	if role == "user" {
		is, should = should, is
	}
	return fmt.Sprintf("The %s block at %s is in %s message. Move it to %s message and try again.", kind, at, is, should)
}

func unsupportedFieldMessage(name string) string {
	return fmt.Sprintf("This model doesn't support the %s field. Remove %s and try again.", name, name)
}

// modelErrorMessage returns the service's form of a message of the model.
func modelErrorMessage(msg string) string { return "The model returned the following errors: " + msg }

func malformedMessage(msg string) string {
	return "Malformed input request: " + msg + ", please reformat your input and try again."
}

// extraneousMessage is Amazon Nova's refusal of a member of a block.
func extraneousMessage(at, key string) string {
	pointer := "#/" + strings.ReplaceAll(at, ".", "/")
	return modelErrorMessage(malformedMessage(fmt.Sprintf("%s: extraneous key [%s] is not permitted", pointer, key)))
}
