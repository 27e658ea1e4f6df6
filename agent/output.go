package agent

import (
	"maps"
	"slices"
	"strings"

	"github.com/google/jsonschema-go/jsonschema"

	"github.com/carrel-go/carrel/tools"
)

// outputName is the tool by which a model gives a typed answer. The name is reserved in runs with a typed answer.
const outputName = "final_answer"

// validator is implemented by a T of [StreamAs] that checks more than its schema can.
type validator interface{ Validate() error }

// typedOutput is the type of a typed answer, and the tool that accepts it.
type typedOutput struct {
	name string
	tool *tools.Tool
	// structured reports whether the answer is requested as text in the service's structured output instead of as a call.
	structured bool
}

// outputMismatch returns the error of an answer that does not have the requested type.
func outputMismatch(cause error) *RunError {
	return &RunError{Code: CodeMalformed, Message: "The answer has another form than was asked for.", Err: cause}
}

// propertyNames returns all names in s, at any depth.
func propertyNames(s *jsonschema.Schema) []string {
	if s == nil {
		return nil
	}
	names := slices.Collect(maps.Keys(s.Properties))
	for _, p := range s.Properties {
		names = append(names, propertyNames(p)...)
	}
	return append(names, propertyNames(s.Items)...)
}

// outputRequest begins the message that requests a typed answer, and distinguishes it from a user's message.
const outputRequest = "Give your answer now, by a call of "

// rejection begins the message that rejects a typed answer, and distinguishes it from a user's message.
const rejection = "Your answer was not taken: "

// continueRequest is the message after an answer that the service has paused.
const continueRequest = "Your turn was paused before it was complete. Continue where you stopped."

// isRequest reports whether a text is one of the agent's requests for another answer. They must not be reworded,
// because stored histories contain them. If a user's message is such a text, a compaction keeps the user's message
// before it.
func isRequest(text string) bool {
	return strings.HasPrefix(text, outputRequest) || strings.HasPrefix(text, rejection) || text == continueRequest
}

// requestSpec returns the Request.Output: the name and the schema of the answer.
func (o *typedOutput) requestSpec() *tools.Spec {
	return &tools.Spec{Name: o.name, Description: "The answer.", Schema: o.tool.Spec().Schema}
}
