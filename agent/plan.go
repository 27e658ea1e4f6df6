package agent

import (
	"fmt"

	"github.com/carrel-go/carrel/internal/strictjson"
)

// resolveTools returns the tools of this turn. If the run has been cancelled, it returns the phase that ends it
// instead.
func (r *run) resolveTools() (toolset, phase, error) {
	if r.ctx.Err() != nil {
		return toolset{}, finished{outcome: OutcomeCancelled}, nil
	}
	set, err := r.agent.tools.Resolve(r.ctx, r.in.Scope, r.state)
	if err == nil && r.out != nil {
		if _, taken := set.Lookup(r.out.name); taken && !r.out.structured {
			err = fmt.Errorf("agent: the tool name %q is reserved for the typed answer", r.out.name)
		}
	}
	switch {
	case err != nil && r.ctx.Err() != nil:
		return toolset{}, finished{outcome: OutcomeCancelled}, nil
	case err != nil:
		return toolset{}, nil, &RunError{Code: CodeInternal, Message: "The tools could not be prepared.", Err: err}
	case r.out == nil || r.out.structured:
		return toolset{Resolved: set}, nil, nil
	}
	return toolset{set, r.out}, nil, nil
}

// planCalls checks that the calls of an answer fit the limits, yields a checkpoint and returns the phase that makes
// them.
func (r *run) planCalls(set toolset, ans *answer) (phase, error) {
	limits := r.agent.limits
	n := len(ans.calls)
	for _, c := range ans.calls {
		if r.isOutputCall(c.Name) {
			n--
		}
	}
	switch {
	case r.answers == limits.Turns && n > 0:
		return nil, withPartial(limitError("The model did not finish within %d turns.", limits.Turns), ans.joinText())
	case n > 0 && r.isOverBudget():
		return nil, withPartial(r.budgetError(), ans.joinText())
	case r.called+n > limits.Calls:
		return nil, withPartial(limitError("The model wanted to make more than %d tool calls.", limits.Calls), ans.joinText())
	}
	r.called += n
	b := r.newBatch(set, ans)
	if len(b.calls) > 0 {
		if err := r.emitCheckpoint(r.newCheckpoint(b), nil); err != nil {
			return nil, err
		}
	}
	return callPhase{set, b}, nil
}

// isOverBudget reports whether the run has used up Limits.Tokens.
func (r *run) isOverBudget() bool {
	budget := r.agent.limits.Tokens
	return budget > 0 && r.usage.total() >= budget
}

func (r *run) budgetError() *RunError {
	return limitError("The run has used its budget of %d tokens.", r.agent.limits.Tokens)
}

// newBatch returns the batch of an answer. It reports and refuses invalid calls.
func (r *run) newBatch(set toolset, ans *answer) *batch {
	b := &batch{answer: ans.buildMessage()}
	b.calls = make([]batchCall, 0, len(ans.calls))
	var args []byte
	for i, c := range ans.calls {
		if c.invalid != nil {
			r.agent.auditCall(r.ctx, r.in.Scope, c.Name, c.invalid)
			b.invalid = fmt.Errorf("agent: call of %.64q: %w", c.Name, c.invalid)
			b.notes = append(b.notes, Part{Text: describeInvalid(set, i, c)})
			continue
		}
		call := batchCall{ToolUse: c.ToolUse, index: i}
		if r.in.Run != "" {
			args = c.args.AppendCanonical(args[:0])
			call.key = idempotencyKey(r.in.Scope, r.in.Run, r.answers-1, i, c.Name, args)
		}
		if r.isOutputCall(c.Name) && len(ans.calls) > 1 {
			res := failedResult("Not taken: it came beside other calls. Call it alone, once you know all results.")
			call.result = &res
		}
		b.calls = append(b.calls, call)
	}
	return b
}

// maxQuoted is how many bytes of invalid arguments are quoted to the model.
const maxQuoted = 1000

// describeInvalid returns the note about an invalid call. It identifies the call by its place in the answer, and quotes
// the arguments as text, because services do not accept them as the arguments of a call.
func describeInvalid(set toolset, index int, c answerCall) string {
	name := "a tool"
	if _, ok := set.lookupTool(c.Name); ok {
		name = c.Name
	}
	quoted := string(strictjson.Repair(c.Input))
	if len(quoted) > maxQuoted {
		quoted = cutText(quoted, maxQuoted)
	}
	return fmt.Sprintf("Call %d of your answer, of %s, was not run: %v. "+
		"Make the whole call again, with one JSON object as arguments. The arguments were: %s",
		index+1, name, c.invalid, quoted)
}
