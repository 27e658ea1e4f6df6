package agent

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/carrel-go/carrel/tools"
)

// errConsumerLeft ends a run whose consumer has left the loop.
var errConsumerLeft = errors.New("agent: the consumer has left the loop")

// run is the state of one run. It lives in the goroutine that ranges over the stream.
type run struct {
	agent  *Agent
	in     Input
	out    *typedOutput // nil if the run is not asked for a typed answer
	ctx    context.Context
	cancel context.CancelFunc
	yield  func(Event, error) bool
	// inConsumer reports whether the consumer's code is running. A panic is its own then.
	inConsumer bool

	system       string
	turns        []Turn                   // of the input, then of this run
	before       []Turn                   // turns before proposeTurns; nil if no proposal is open
	cuts         int                      // how often texts and results were cut for the present answer
	prompt       *Message                 // sent to the model and not in a turn yet; may be nil
	messages     []Message                // of a request: the turns and the prompt
	text         []byte                   // memory for the text of an answer
	findings     map[*tools.Media]finding // of media that were inspected
	withoutMedia bool                     // the service rejected the request with the media of earlier turns
	sent         []medium                 // media of earlier turns in the last request
	accepted     map[*tools.Media]bool    // media of requests that the service has accepted
	trials       [][]medium               // media to leave out of the next requests, one of these at a time
	trialBase    []Turn                   // the turns before the first trial for the present answer
	media        mediaCount               // media in the results of the current batch
	callIDs      map[string]bool          // ids of all calls, those of the history included
	state        *tools.State             // a copy of the input's
	value        json.RawMessage          // the typed answer

	usage       Usage
	spent       Usage          // the part of usage since the run was started or resumed
	skipped     map[string]int // pieces of answers that the Model skipped, by kind
	reason      StopReason     // the stop reason of the last answer
	turn        int            // number of answers asked for
	called      int            // number of tool calls made
	failing     int            // number of turns in a row in which no call succeeded
	requests    int            // requests sent since the run was started or resumed
	dispatched  int            // calls started since then
	isCompacted bool

	compactUsage Usage // of the Compactor since the last Compacted

	inFlight *invocations // the run's calls; nil before the first
	callErr  error        // the error of the last turn's calls, for the log

	resumed *batch // of the checkpoint that the run resumes; nil once its calls have ended
	closed  *Turn  // the turn of those calls in the input's history, if any; nil once the calls have ended

	last *Checkpoint // the latest moment to resume from; nil in a run without an id
}

// execute runs phase after phase until the run has finished or failed. The error is a [*RunError] or errConsumerLeft.
func (r *run) execute() (finished, error) {
	defer r.closeResumed()
	defer r.closeCalls()
	p, err := r.start()
	if err != nil {
		r.last, r.resumed = nil, nil
		return finished{}, err
	}
	for {
		if end, ok := p.(finished); ok {
			return end, nil
		}
		if p, err = p.next(r); err != nil {
			return finished{}, err
		}
	}
}

// emit yields an event. It returns errConsumerLeft if the consumer has left the loop.
func (r *run) emit(ev Event) error {
	r.inConsumer = true
	ok := r.yield(ev, nil)
	r.inConsumer = false
	if !ok {
		r.cancel()
		return errConsumerLeft
	}
	return nil
}

// addUsage counts tokens of the run.
func (r *run) addUsage(u Usage) {
	r.usage.add(u)
	r.spent.add(u)
}

// countSkipped counts a piece of an answer that the Model skipped.
func (r *run) countSkipped(kind string) {
	if r.skipped == nil {
		r.skipped = map[string]int{}
	}
	r.skipped[kind]++
}

// done returns the Done of a run that ends now.
func (r *run) done(end finished) Done {
	d := Done{Outcome: end.outcome, History: History{Turns: r.turns, State: r.state.Clone()}, Usage: r.usage, StopReason: r.reason,
		Partial: end.partial, Skipped: r.skipped, Checkpoint: r.resumeFrom()}
	if end.outcome == OutcomeComplete {
		d.Output = r.value
	}
	if b, err := d.History.State.MarshalJSON(); err == nil && string(b) == "{}" {
		d.History.State = nil
	}
	return d
}

// addTurn adds a complete turn to the history: the prompt unless a turn holds it, the answer unless it is empty, and the
// results. It returns nil if the turn is empty.
func (r *run) addTurn(answer Message, results *Message) *Turn {
	var t Turn
	if r.prompt != nil {
		t.Messages = append(t.Messages, *r.prompt)
		r.prompt = nil
	}
	if len(answer.Parts) > 0 {
		t.Messages = append(t.Messages, answer)
		r.addMessage(answer)
	}
	if results != nil {
		t.Messages = append(t.Messages, *results)
		r.addMessage(*results)
	}
	if len(t.Messages) == 0 {
		return nil
	}
	r.turns = append(r.turns, t)
	return &t
}

// commitTurn adds a complete turn to the history, yields its checkpoint and returns the next phase: askPhase unless stop
// is set.
func (r *run) commitTurn(answer Message, results *Message, stop Outcome) (phase, error) {
	ended := r.addTurn(answer, results)
	c := r.checkpoint(nil)
	if stop == OutcomeComplete {
		c.at.Complete, c.at.Output = true, r.value
	}
	if err := r.emit(StepFinished{r.turn}); err != nil {
		return nil, err
	}
	if err := r.emitCheckpoint(c, ended); err != nil {
		return nil, err
	}
	if stop == "" {
		return askPhase{}, nil
	}
	return finished{outcome: stop}, nil
}

// resetMessages sets the messages of the next request to the turns and the prompt.
func (r *run) resetMessages() {
	r.messages = nil
	for _, t := range r.turns {
		for _, m := range t.Messages {
			r.addMessage(m)
		}
	}
	if r.prompt != nil {
		r.addMessage(*r.prompt)
	}
}

// addMessage adds m to the messages of the next request.
func (r *run) addMessage(m Message) { r.messages = join(r.messages, m) }

// stuckError returns the error of a run that has used up Limits.Corrections.
func (r *run) stuckError() *RunError {
	n := r.agent.limits.Corrections
	if r.out != nil && r.prompt != nil {
		return limitError("The model did not answer in the requested form in %d turns in a row.", n)
	}
	failed := limitError("None of the model's tool calls succeeded in %d turns in a row.", n)
	failed.Err = r.callErr // events do not report it for a typed answer
	return failed
}

func limitError[N int | int64](format string, n N) *RunError {
	return &RunError{Code: CodeLimit, Message: fmt.Sprintf(format, n)}
}

// withPartial sets the text of an incomplete answer in err, if it is a RunError.
func withPartial(err error, text string) error {
	if failed, ok := errors.AsType[*RunError](err); ok {
		failed.Done.Partial = text
	}
	return err
}
