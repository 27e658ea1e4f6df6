package agent

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"maps"
	"reflect"
	"slices"

	"github.com/google/jsonschema-go/jsonschema"

	"github.com/carrel-go/carrel/tools"
)

// outputName is the tool by which a model gives a typed answer. An agent that is asked for one has no tool of its own
// of that name.
const outputName = "final_answer"

// validator is implemented by a T of [StreamAs] that checks more than its schema can.
type validator interface{ Validate() error }

// typedOutput is the form of a typed answer, and the tool that takes it.
type typedOutput struct {
	name string
	tool *tools.Tool
	// structured reports whether the model's service is asked for the answer as text, instead of the model for a call.
	structured bool
}

// RunAs runs a until it has answered with a T, a struct, and returns the answer: see [StreamAs]. It returns an error, a
// [*RunError], unless the run completed. If the run was cancelled or is pending, the error has the code [CodeIncomplete];
// Done is the error's and says which of the two in Outcome.
func RunAs[T any](ctx context.Context, a *Agent, in Input) (T, Done, error) {
	var v, none T
	done, err := drained(StreamAs[T](ctx, a, in))
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

// incomplete returns the error of a run that ended without the typed answer it was asked for.
func incomplete(ctx context.Context, stop Outcome) *RunError {
	if stop == OutcomePending {
		return &RunError{Code: CodeIncomplete, Message: "The answer has to wait: a tool call needs an approval."}
	}
	return &RunError{Code: CodeIncomplete, Message: "The run was cancelled before it had an answer.", Retryable: true, Err: ctx.Err()}
}

// outputMismatch returns the error of a resumed run that had been asked for an answer of another type.
func outputMismatch(cause error) *RunError {
	return &RunError{Code: CodeMalformed, Message: "The answer has another form than was asked for.", Err: cause}
}

// checkOutput returns an error if a typed answer is asked for and the answer in a checkpoint is not one.
func (r *run) checkOutput() error {
	if r.out == nil {
		return nil
	}
	if r.value == nil {
		return outputMismatch(errors.New("agent: resume: the run has no typed answer"))
	}
	if _, err := r.out.tool.Call(r.ctx, tools.NewCall(tools.CallOptions{Scope: r.in.Scope, Args: r.value})); err != nil {
		return outputMismatch(fmt.Errorf("agent: resume: %w", err))
	}
	return nil
}

// StreamAs is [Agent.Stream] for an answer that is a T, a struct. While the answer comes it yields [Partial]s; the
// whole is in Done.Output, and has been checked. A run that is cancelled or pending ends with a [*RunError] of the code
// [CodeIncomplete] instead of a Done; the Done is in the error.
//
// The schema is inferred from T by the rules of [tools.New], open maps are refused, but for the reserved names: an
// answer is data that goes to the caller and addresses nothing, so its members may be called "key" or "user". The
// answer comes as the arguments of a tool named final_answer, which every model that calls tools can do; no event but
// Partial tells of that call. An answer that does not fit goes back to the model with the reason, a text in the place
// of an answer with the request to answer, and then the model is made to; both count as turns in which no call
// succeeded. The answer ends the run. One that comes beside other calls is not taken, since it knows nothing of their
// results. In the history it is a call like any other, with its result.
//
// With [Options].StructuredOutput the answer is the model's text instead, which the service holds to the schema. It is
// yielded as Partials, not as TextDeltas, and is a text in the history. It is checked in the same way, because a service
// does not enforce every rule of a schema.
func StreamAs[T any](ctx context.Context, a *Agent, in Input) iter.Seq2[Event, error] {
	out, err := outputOf[T](a)
	if err != nil {
		return func(yield func(Event, error) bool) {
			yield(nil, &RunError{Code: CodeInternal, Message: "The form of the answer cannot be asked for.",
				Done: Done{History: in.History}, Err: err})
		}
	}
	return a.stream(ctx, in, out)
}

// outputOf makes the output for T, once for an agent.
func outputOf[T any](a *Agent) (*typedOutput, error) {
	t := reflect.TypeFor[T]()
	if known, ok := a.outputs.Load(t); ok {
		return known.(*typedOutput), nil
	}
	var names []string
	if sch, err := jsonschema.ForType(t, nil); err == nil { // if not, NewWith says why
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

// propertyNames are all names in s, at any depth.
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

// outputRequest begins the message that asks for a typed answer, and tells it from a user's message.
const outputRequest = "Give your answer now, by a call of "

// askForOutput adds a text that came instead of a typed answer to the history, and asks for the answer.
func (r *run) askForOutput(answer Message) (phase, error) {
	r.failing++
	return r.askAgain(answer, outputRequest+r.out.name+".")
}
