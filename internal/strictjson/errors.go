package strictjson

import "fmt"

// Kind classifies an [Error].
type Kind int

// The kinds of defects. Of several defects in one input, which one is reported is unspecified.
const (
	NotUTF8   Kind = iota + 1 // bytes that are not UTF-8
	Syntax                    // violates the grammar of JSON, or is empty
	Trailing                  // more data after the value
	Surrogate                 // an escape that is half of a surrogate pair
	Duplicate                 // a name that appears twice in one object
	Depth                     // nested more than MaxDepth levels deep
	NotObject                 // valid JSON, but not an object where one is required
	Unknown                   // a name that the target of Decode does not have
	Mismatch                  // a value that the target of Decode does not take
)

// Error describes one defect of an input.
type Error struct {
	Kind   Kind
	Offset int    // of the defect, in bytes; not set for Unknown and Mismatch
	Name   string // the name of Duplicate and Unknown

	detail string
	err    error
}

// Error returns the defect as a phrase that completes "the input is …".
func (e *Error) Error() string {
	switch e.Kind {
	case NotUTF8:
		return fmt.Sprintf("not valid UTF-8 at byte %d", e.Offset)
	case Trailing:
		return fmt.Sprintf("more than one JSON value: more data follows at byte %d", e.Offset)
	case Surrogate:
		return fmt.Sprintf("not valid text: the escape at byte %d is half of a surrogate pair", e.Offset)
	case Duplicate:
		return fmt.Sprintf("ambiguous: the name %.60q appears twice in one object", e.Name)
	case Depth:
		return fmt.Sprintf("nested more than %d levels deep", MaxDepth)
	case NotObject:
		return "not a JSON object"
	case Unknown:
		return fmt.Sprintf("not acceptable: unknown field %.60q", e.Name)
	case Mismatch:
		return "not acceptable: " + e.detail
	default:
		return fmt.Sprintf("not valid JSON: %s at byte %d", e.detail, e.Offset)
	}
}

// Unwrap returns the error of encoding/json behind a Mismatch, otherwise nil.
func (e *Error) Unwrap() error { return e.err }
