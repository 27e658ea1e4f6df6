package agent

import (
	"bytes"
	"context"
	"encoding/json"
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

// Validator may be implemented by the T of [RunAs] and [StreamAs] for what its schema cannot say. The error's words go
// to the model, which may answer anew.
type Validator interface{ Validate() error }

// output is the tool that takes a typed answer.
type output struct {
	name string
	tool *tools.Tool
}

// RunAs is a run whose answer is a T, a struct: [StreamAs] drained, and its Output decoded. On an error, or where the
// run did not come to a [Complete], the T is the zero one, so look at Done.Stop.
func RunAs[T any](ctx context.Context, a *Agent, in Input) (T, Done, error) {
	var v T
	done, err := drained(StreamAs[T](ctx, a, in))
	if err != nil || done.Stop != Complete {
		return v, done, err
	}
	if err := json.Unmarshal(done.Output, &v); err != nil {
		var none T // it may come from a checkpoint of a run that was asked for something else
		return none, done, &RunError{Code: BadOutput, Message: "The answer has another form than was asked for.", Done: done, Err: err}
	}
	return v, done, nil
}

// StreamAs is [Agent.Stream] for an answer that is a T, a struct. While the answer comes it yields [Partial]s; the
// whole is in Done.Output, and has been checked.
//
// The schema is inferred from T by the rules of [tools.New], open maps are refused, but for the reserved names: an
// answer is data that goes to the caller and addresses nothing, so its members may be called "key" or "user". The
// answer comes as the arguments of a tool named final_answer, which every model that calls tools can do; no event but
// Partial tells of that call. An answer that does not fit goes back to the model with the reason, a text in the place
// of an answer with the request to answer, and then the model is made to; both count as turns in which no call
// succeeded. The answer ends the run. One that comes beside other calls is not taken, since it knows nothing of their
// results. In the history it is a call like any other, with its result.
func StreamAs[T any](ctx context.Context, a *Agent, in Input) iter.Seq2[Event, error] {
	out, err := outputOf[T](a)
	if err != nil {
		return func(yield func(Event, error) bool) {
			yield(nil, &RunError{Code: Internal, Message: "The form of the answer cannot be asked for.",
				Done: Done{History: in.History}, Err: err})
		}
	}
	return a.stream(ctx, in, out)
}

// outputOf makes the output for T, once for an agent.
func outputOf[T any](a *Agent) (*output, error) {
	t := reflect.TypeFor[T]()
	if known, ok := a.outputs.Load(t); ok {
		return known.(*output), nil
	}
	var names []string
	if sch, err := jsonschema.ForType(t, nil); err == nil { // if not, NewWith says why
		names = propertyNames(sch)
	}
	tool, err := tools.NewWith(outputName,
		"Gives the final answer, which ends the conversation. Call it once, alone, when you know all that it takes.",
		func(_ context.Context, _ *tools.Call, v T) (string, error) {
			for _, x := range []any{v, &v} {
				if c, ok := x.(Validator); ok {
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
	known, _ := a.outputs.LoadOrStore(t, &output{name: outputName, tool: tool})
	return known.(*output), nil
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

// insistence is how insist begins, which tells it from what a user says.
const insistence = "Give your answer now, by a call of "

// insist takes a text that came in the place of a typed answer into the history, and asks for the answer.
func (r *run) insist(answer Message) (Stop, *RunError) {
	ended := r.add(answer, nil)
	if r.failing++; r.failing >= r.agent.limits.Corrections {
		return "", r.limit("The model did not answer in the form asked for in %d turns in a row.", r.agent.limits.Corrections)
	}
	r.prompt = &Message{Role: User, Parts: []Part{{Text: insistence + r.out.name + "."}}}
	r.say(*r.prompt)
	if !r.save(nil, ended) {
		return "", nil
	}
	return "", nil
}

// grow tells of a typed answer as far as it has come; it gives false when the consumer is gone.
func (r *run) grow(ans *answer, d UseDelta) bool {
	p := ans.growing[d.ID]
	if p == nil {
		if ans.growing == nil {
			ans.growing = map[string]*prefix{}
		}
		p = &prefix{}
		ans.growing[d.ID] = p
	}
	p.write(d.Input)
	whole := p.json()
	if whole == nil || bytes.Equal(whole, p.told) {
		return true
	}
	p.told = whole
	ans.began = true
	return r.emit(Partial{ID: d.ID, JSON: whole})
}

// whole tells of a typed answer that came all at once, from a Model that gives no UseDelta.
func (r *run) whole(ans *answer, u ToolUse) bool {
	if r.out == nil || u.Name != r.out.name || ans.growing[u.ID] != nil || len(u.Input) == 0 || checkObject(u.Input) != nil {
		return true
	}
	ans.began = true
	return r.emit(Partial{ID: u.ID, JSON: u.Input})
}
