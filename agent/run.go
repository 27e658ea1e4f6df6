package agent

import (
	"context"
	"encoding/json"

	"github.com/carrel-go/carrel/tools"
)

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

	system              string
	turns               []Turn                   // of the input, then of this run
	turnsBeforeProposal []Turn                   // turns before proposeTurns; nil if no proposal is open
	cuts                int                      // how often texts and results were cut for the present answer
	prompt              *Message                 // sent to the model and not in a turn yet; may be nil
	messages            []Message                // of a request: the turns and the prompt
	text                []byte                   // memory for the text of an answer
	findings            map[*tools.Media]finding // of media that were inspected
	withoutMedia        bool                     // the service rejected the request with the media of earlier turns
	sent                []medium                 // media of earlier turns in the last request
	omitted             int                      // media that the last request lacked because of withoutMedia
	accepted            map[*tools.Media]bool    // media of requests that the service has accepted
	trials              [][]medium               // media to leave out of the next requests, one of these at a time
	trialBase           []Turn                   // the turns before the first trial for the present answer
	media               mediaCount               // media in the results of the current batch
	callIDs             map[string]bool          // ids of all calls, those of the history included
	state               *tools.State             // a copy of the input's
	value               json.RawMessage          // the typed answer

	usage   Usage
	skipped map[string]int // pieces of answers that the Model skipped, by kind
	reason  StopReason     // the stop reason of the last answer
	answers int            // number of answers asked for
	called  int            // number of tool calls made
	failing int            // number of turns in a row in which no call succeeded
	runTotals

	compactUsage  Usage // of the Compactor since the last Compacted
	compactErr    error // with which the Compactor failed last
	isFallingBack bool  // DropOldest replaces the Compactor
	hasFallback   bool  // DropOldest made the turns of the next Compacted

	inFlight *invocations // the run's calls; nil before the first
	callErr  error        // the error of the last turn's calls, for the log

	resumed         *batch // of the checkpoint that the run resumes; nil once its calls have ended
	interruptedTurn *Turn  // the turn of those calls in the input's history, if any; nil once the calls have ended

	last *Checkpoint // the latest moment to resume from; nil in a run without an id
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

// addTurn adds a complete turn to the history: the prompt unless a turn holds it, the answer unless it is empty, and
// the results. It returns nil if the turn is empty.
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
func (r *run) addMessage(m Message) { r.messages = joinMessages(r.messages, m) }

// isOutputCall reports whether a call of that tool gives the typed answer.
func (r *run) isOutputCall(name string) bool {
	return r.out != nil && !r.out.structured && name == r.out.name
}

// isStructured reports whether the text of an answer is the typed answer.
func (r *run) isStructured() bool { return r.out != nil && r.out.structured }

// isContinuing reports whether the model is asked to continue a paused turn.
func (r *run) isContinuing() bool {
	return r.prompt != nil && r.prompt.Parts[0].Text == continueRequest
}

// phase is a state of a run's machine. A run alternates between askPhase and callPhase until it has finished. A run
// that resumes a checkpoint may begin with resumePhase.
type phase interface {
	// next does the work of the phase and returns the phase that follows. The error is a [*RunError] or errConsumerLeft.
	next(r *run) (phase, error)
}

type (
	// askPhase asks the model.
	askPhase struct{}

	// callPhase makes the calls of an answer.
	callPhase struct {
		tools toolset
		batch *batch
	}

	// resumePhase continues from a checkpoint in the middle of a turn or at the end of the run.
	resumePhase struct {
		batch *batch // nil if the run was complete
	}

	// finished is the end of a run that did not fail.
	finished struct {
		outcome Outcome
		partial string // the text of an incomplete answer
	}
)

func (p finished) next(*run) (phase, error) { return p, nil }
