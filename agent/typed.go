package agent

import (
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"reflect"

	"github.com/google/jsonschema-go/jsonschema"

	"github.com/carrel-go/carrel/tools"
)

// RunAs runs a until it has answered with a T, a struct, and returns the answer: see [StreamAs]. It returns a
// [*RunError] unless the run completed. If the run was cancelled or is pending, the error has the code
// [CodeIncomplete], and the Outcome of Done distinguishes the two.
func RunAs[T any](ctx context.Context, a *Agent, in Input) (T, Done, error) {
	var v, none T
	done, err := drainRun(StreamAs[T](ctx, a, in))
	if err != nil {
		return none, done, err
	}
	if err := json.Unmarshal(done.Output, &v); err != nil {
		failed := outputMismatch(err)
		failed.Done = done
		return none, done, failed
	}
	return v, done, nil
}

// StreamAs is [Agent.Stream] for an answer that is a T, a struct. While the answer arrives it yields [Partial] events.
// The whole and validated answer is in Done.Output. A run that is cancelled or pending ends with a [*RunError] of the
// code [CodeIncomplete], which holds the Done.
//
// The schema is inferred from T by the rules of [tools.New], which reject open maps. The reserved names are accepted:
// an answer is data for the caller and does not address anything, so its members may be named "key" or "user". If T has
// a method Validate() error, the agent calls it, and the model receives the message of its error.
//
// The model answers by calling a tool named final_answer, which every model that calls tools supports. Partial is the
// only event of that call. The answer ends the run, and is a call with its result in the history. An invalid answer
// goes back to the model with the reason. If the model answers with text, the agent asks for final_answer and requires
// that tool in the next request. Both count as turns in which no call succeeded. An answer beside other calls is
// rejected, because it cannot depend on their results.
//
// With [Options].StructuredOutput the answer is the model's text instead, which the service restricts to the schema. It
// is yielded as Partials, not as TextDeltas, and is a text in the history. It is validated in the same way, because
// services do not enforce every rule of a schema.
func StreamAs[T any](ctx context.Context, a *Agent, in Input) iter.Seq2[Event, error] {
	out, err := outputOf[T](a)
	if err != nil {
		return func(yield func(Event, error) bool) {
			yield(nil, &RunError{Code: CodeInternal, Message: "The answer type is not supported.",
				Done: Done{History: in.History}, Err: err})
		}
	}
	return a.streamTyped(ctx, in, out)
}

// outputOf returns the typedOutput of T, which each agent infers once.
func outputOf[T any](a *Agent) (*typedOutput, error) {
	t := reflect.TypeFor[T]()
	if known, ok := a.outputs.Load(t); ok {
		return known.(*typedOutput), nil
	}
	var names []string
	if sch, err := jsonschema.ForType(t, nil); err == nil { // otherwise NewWith returns the error
		names = propertyNames(sch)
	}
	tool, err := tools.NewWith(outputName,
		"Gives the final answer, which ends the conversation. Call it once, alone, when you know all that it takes.",
		func(_ context.Context, _ *tools.Call, v T) (string, error) {
			for _, x := range []any{v, &v} {
				if c, ok := x.(validator); ok {
					if err := c.Validate(); err != nil {
						return "", tools.Correct("the answer is not right: " + err.Error())
					}
					break
				}
			}
			return "The answer has been taken.", nil
		}, &tools.Options{Allow: names})
	if err != nil {
		return nil, fmt.Errorf("agent: output: %w", err)
	}
	known, _ := a.outputs.LoadOrStore(t, &typedOutput{name: outputName, tool: tool, structured: a.structured})
	return known.(*typedOutput), nil
}
