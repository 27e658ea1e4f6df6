package agent

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/carrel-go/carrel/internal/strictjson"
	"github.com/carrel-go/carrel/tools"
)

// offer is what the model may call in one turn: the agent's tools, and the one that takes the typed answer.
type offer struct {
	tools.Resolved
	out *output // may be nil
}

// offer resolves the tools for this turn.
func (r *run) offer() (offer, error) {
	set, err := r.agent.tools.Resolve(r.ctx, r.in.Scope, r.state)
	if err != nil {
		return offer{}, err
	}
	if r.out == nil || r.out.structured {
		return offer{Resolved: set}, nil
	}
	if _, taken := set.Lookup(r.out.name); taken {
		return offer{}, fmt.Errorf("agent: a tool has the name of the typed answer's, %q", r.out.name)
	}
	return offer{set, r.out}, nil
}

// isOutput reports whether name is that of the tool that takes the typed answer.
func (o offer) isOutput(name string) bool { return o.out != nil && name == o.out.name }

func (o offer) lookup(name string) (*tools.Tool, bool) {
	if o.isOutput(name) {
		return o.out.tool, true
	}
	return o.Lookup(name)
}

// specs are ordered by name.
func (o offer) specs() []tools.Spec {
	specs := slices.Collect(o.Specs())
	if o.out == nil {
		return specs
	}
	spec := o.out.tool.Spec()
	i, _ := slices.BinarySearchFunc(specs, spec, func(a, b tools.Spec) int { return strings.Compare(a.Name, b.Name) })
	return slices.Insert(specs, i, spec)
}

// String lists them for the model.
func (o offer) String() string {
	specs := o.specs()
	if len(specs) == 0 {
		return "No tools are offered."
	}
	names := make([]string, len(specs))
	for i, s := range specs {
		names[i] = s.Name
	}
	return "The tools are: " + strings.Join(names, ", ") + "."
}

// work is an answer, and the calls in it that are to be run.
type work struct {
	answer Message
	jobs   []job
	notes  []Part // about the calls that could not be read
}

// job is one call that can be run.
type job struct {
	ToolUse
	index   int           // its place among all calls of the answer
	key     string        // its idempotency key; empty in a run without an id
	result  *tools.Result // nil if it is still to be run
	stopgap *tools.Result // what the history says in place of the result if the turn ends without one
}

// plan says what is to be done about an answer with calls. Those that cannot be read are refused.
func (r *run) plan(offered offer, ans *answer) *work {
	w := &work{answer: ans.message()}
	for i, c := range ans.calls {
		if c.unreadable != nil {
			r.agent.refused(r.ctx, r.in.Scope, c.Name, c.unreadable)
			w.notes = append(w.notes, Part{Text: note(offered, i, c)})
			continue
		}
		j := job{ToolUse: c.ToolUse, index: i, key: idempotencyKey(r.in.Scope, r.in.Run, r.turn-1, i, c.ToolUse)}
		if r.isAnswer(c.Name) && len(ans.calls) > 1 {
			res := failure("Not taken: it came beside other calls. Call it alone, once you know all results.")
			j.result = &res
		}
		w.jobs = append(w.jobs, j)
	}
	return w
}

// onlyCall returns the name of the only call, or "" if there is not exactly one.
func (w *work) onlyCall() string {
	if len(w.jobs) != 1 || len(w.notes) > 0 {
		return ""
	}
	return w.jobs[0].Name
}

// isOpen reports whether a call is without a result.
func (w *work) isOpen() bool {
	return slices.ContainsFunc(w.jobs, func(j job) bool { return j.result == nil })
}

// results returns what the model is told: every result in call order, and then the notes. A call without a result has
// its stopgap, or an empty result while it is to be run.
func (w *work) results() *Message {
	m := &Message{Role: User}
	for _, j := range w.jobs {
		res := &ToolResult{ID: j.ID}
		if had := cmp.Or(j.result, j.stopgap); had != nil {
			res.Result = *had
		}
		m.Parts = append(m.Parts, Part{Result: res})
	}
	m.Parts = append(m.Parts, w.notes...)
	return m
}

// maxQuoted is how many bytes of arguments that could not be read are quoted to the model.
const maxQuoted = 1000

// note tells the model which call could not be read, by its place in the answer, and quotes the arguments. They are
// text here, since no service takes them as a call's.
func note(offered offer, index int, c call) string {
	name := "a tool"
	if _, ok := offered.lookup(c.Name); ok {
		name = c.Name
	}
	quoted := string(strictjson.Repair(c.Input))
	if len(quoted) > maxQuoted {
		quoted = cutText(quoted, maxQuoted)
	}
	return fmt.Sprintf("Call %d of your answer, of %s, was not run: %v. "+
		"Make the whole call again, with one JSON object as arguments. The arguments were: %s",
		index+1, name, c.unreadable, quoted)
}
