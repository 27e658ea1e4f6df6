package agent

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/carrel-go/carrel/tools"
)

// run is the state of one run; it lives in the goroutine that ranges over the stream.
type run struct {
	agent  *Agent
	in     Input
	out    *output // the typed answer that is asked for; nil for a text
	ctx    context.Context
	cancel context.CancelFunc
	yield  func(Event, error) bool

	turns        []Turn                   // the input's, then this run's
	before       []Turn                   // what turns were before propose; nil if there is no proposal
	cuts         int                      // how often texts and results were cut for the present answer
	prompt       *Message                 // what has been said to the model and is in no turn yet; nil if nothing has
	said         []Message                // what the model is told: the turns, flattened, and the prompt
	findings     map[*tools.Media]finding // what is known of media
	withoutMedia bool                     // the model has refused the request with the media of earlier turns
	media        mediaCount               // of the results of the present calls
	ids          map[string]bool          // every call's id, of the history too
	state        *tools.State             // a copy of the input's
	usage        Usage
	skipped      map[string]int // what Models did not pass on, by kind
	spent        Usage          // the part of usage that is this life's
	reason       Reason         // why the model stopped, in the last answer
	turn         int            // how many answers have been asked for
	called       int            // calls made so far
	failing      int            // turns in a row in which no call succeeded

	resumed *work           // what a checkpoint has left to do
	over    bool            // a checkpoint says that there is nothing left to do
	partial string          // the text of an answer that did not become whole
	value   json.RawMessage // the typed answer
	last    *Checkpoint     // the last moment that the run can be resumed from; nil without an id
	failure error           // why the calls of the last turn failed, for the log

	yielding bool // the consumer's code is running
	left     bool // the consumer has left the loop
}

// emit hands an event to the consumer. When it gives false the consumer is gone, and the run ends at once.
func (r *run) emit(ev Event) bool {
	r.yielding = true
	ok := r.yield(ev, nil)
	r.yielding = false
	if !ok {
		r.left = true
		r.cancel()
	}
	return ok
}

// cost counts what the model has cost.
func (r *run) cost(u Usage) {
	r.usage.add(u)
	r.spent.add(u)
}

// skip counts a piece of an answer that the Model does not pass on.
func (r *run) skip(kind string) {
	if r.skipped == nil {
		r.skipped = map[string]int{}
	}
	r.skipped[kind]++
}

// done is what the run has come to.
func (r *run) done(stop Stop) Done {
	d := Done{Stop: stop, History: History{Turns: r.turns, State: r.state.Clone()}, Usage: r.usage, Reason: r.reason,
		Partial: r.partial, Skipped: r.skipped, Checkpoint: r.resumeFrom()}
	if stop == Complete {
		d.Output = r.value
	}
	if b, err := d.History.State.MarshalJSON(); err == nil && string(b) == "{}" {
		d.History.State = nil
	}
	return d
}

// loop takes turns until one of them ends the run. If the consumer leaves, r.left is set and what loop returns means
// nothing.
func (r *run) loop() (Stop, *RunError) {
	if failed := r.begin(); failed != nil {
		r.last = nil
		return "", failed
	}
	if r.over {
		if failed := r.checkOutput(); failed != nil {
			return "", failed
		}
		return Complete, nil
	}
	for {
		if stop, failed := r.next(); stop != "" || failed != nil || r.left {
			return stop, failed
		}
	}
}

// next takes one turn: it asks the model, unless a checkpoint has its answer, and runs the calls. It gives neither a
// stop nor an error when another turn is to follow.
func (r *run) next() (Stop, *RunError) {
	if r.ctx.Err() != nil {
		return Cancelled, nil
	}
	limits := r.agent.limits
	if r.resumed == nil && r.failing >= limits.Corrections {
		return "", r.stuck()
	}
	offered, err := r.offer()
	switch {
	case err != nil && r.ctx.Err() != nil:
		return Cancelled, nil
	case err != nil:
		return "", &RunError{Code: Internal, Message: "The tools could not be made ready.", Err: err}
	}
	if w := r.resumed; w != nil {
		r.resumed = nil
		return r.act(offered, w)
	}

	if r.turn >= limits.Turns {
		return "", r.limit("The model did not come to an end within %d turns.", limits.Turns)
	}
	ans, failed := r.answer(offered)
	if r.left {
		return "", nil
	}
	cut := r.ctx.Err() != nil && (failed != nil || len(ans.calls) > 0)
	if cut || failed != nil {
		r.partial = ans.text()
	}
	n := len(ans.calls)
	for _, c := range ans.calls {
		if r.isAnswer(c.Name) {
			n--
		}
	}
	switch {
	case cut:
		return Cancelled, nil
	case failed != nil:
		return "", failed
	case len(ans.calls) == 0 && r.out == nil:
		return r.commit(ans.message(), nil, Complete)
	case len(ans.calls) == 0 && r.isStructured():
		return r.takeText(ans)
	case len(ans.calls) == 0:
		return r.insist(ans.message())
	case r.turn == limits.Turns && n > 0:
		r.partial = ans.text()
		return "", r.limit("The model did not come to an end within %d turns.", limits.Turns)
	case r.called+n > limits.Calls:
		r.partial = ans.text()
		return "", r.limit("The model wanted to make more than %d tool calls.", limits.Calls)
	}
	r.called += n
	w := r.plan(offered, ans)
	if len(w.jobs) > 0 && !r.save(w, nil) {
		return "", nil
	}
	return r.act(offered, w)
}

// act runs the calls of an answer and adds the turn to the history, unless calls are left pending.
func (r *run) act(offered offer, w *work) (Stop, *RunError) {
	b := r.runBatch(offered, w)
	switch {
	case r.left:
		return "", nil
	case b.waiting:
		r.save(w, nil)
		return Pending, nil
	case w.isOpen():
		if b.settled { // otherwise the moment before the calls is still the one to go on from
			r.keep(w)
		}
		r.add(w.answer, w.results())
		if b.fatal != nil {
			return "", b.fatal
		}
		return Cancelled, nil
	}
	r.failing++
	if b.succeeded {
		r.failing = 0
	}
	r.failure = b.err
	switch {
	case b.succeeded && r.isAnswer(w.onlyCall()):
		value, err := r.out.tool.Validate(w.jobs[0].Input) // the form that decodes into the caller's type
		if err != nil {
			return "", otherForm(err)
		}
		r.value = value
		return r.commit(w.answer, w.results(), Complete)
	case r.ctx.Err() != nil:
		return r.commit(w.answer, w.results(), Cancelled)
	}
	return r.commit(w.answer, w.results(), "")
}

// add puts a whole turn into the history: what was said to the model and is in no turn yet, its answer, and the
// results. An answer without content leaves no message, since no service takes an empty one back.
func (r *run) add(answer Message, results *Message) *Turn {
	var t Turn
	if r.prompt != nil {
		t.Messages = append(t.Messages, *r.prompt)
		r.prompt = nil
	}
	if len(answer.Parts) > 0 {
		t.Messages = append(t.Messages, answer)
		r.say(answer)
	}
	if results != nil {
		t.Messages = append(t.Messages, *results)
		r.say(*results)
	}
	if len(t.Messages) == 0 {
		return nil
	}
	r.turns = append(r.turns, t)
	return &t
}

// commit adds a whole turn to the history and says so.
func (r *run) commit(answer Message, results *Message, stop Stop) (Stop, *RunError) {
	ended := r.add(answer, results)
	r.over = stop == Complete
	if !r.save(nil, ended) {
		return "", nil
	}
	return stop, nil
}

// stuck returns the failure of a run that has used up its Corrections.
func (r *run) stuck() *RunError {
	n := r.agent.limits.Corrections
	if r.out != nil && r.prompt != nil {
		return r.limit("The model did not answer in the form asked for in %d turns in a row.", n)
	}
	failed := r.limit("None of the model's tool calls succeeded in %d turns in a row.", n)
	failed.Err = r.failure // of a typed answer nothing else tells
	return failed
}

func (r *run) limit(format string, n int) *RunError {
	return &RunError{Code: LimitReached, Message: fmt.Sprintf(format, n)}
}

// request is what the model is asked in this turn. Its slices are clipped: what an adapter appends is its own.
func (r *run) request(offered offer) *Request {
	q := &Request{
		System:    r.agent.system,
		Messages:  r.messages(),
		Tools:     offered.specs(),
		MaxTokens: r.agent.limits.MaxTokens,
		Cache:     r.agent.cache,
		Load:      r.agent.loader(r.in.reach()),
	}
	switch {
	case r.isStructured():
		q.Output = r.out.request()
	case r.out != nil && r.turn > 1 && r.prompt != nil: // it has been told to answer, and nothing else
		q.Choice = Choice{Name: r.out.name}
	}
	return q
}
