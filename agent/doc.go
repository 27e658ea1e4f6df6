// Package agent runs the loop in which a model calls tools until it has an answer.
//
// An [Agent] is made once, of a [Model] and [Options], and serves any number of runs at once. [Agent.Stream] is a
// run: it yields [Event] values as they happen, and ends with [Done] or with a [RunError]. [Agent.Run] is the same,
// drained. A run gets its [History] in its [Input] and gives the longer one back in Done; the Agent remembers
// nothing.
//
//	a, err := agent.New(model, &agent.Options{System: "You look after a shelf.", Tools: tools.Of(find, put)})
//	for ev, err := range a.Stream(ctx, agent.Input{Scope: session, Run: id, Prompt: "What is this?", History: h}) {
//		if err != nil {
//			return err // a *RunError: a code, a message for a person, the history so far, the cause
//		}
//		switch ev := ev.(type) {
//		case agent.TextDelta:
//			fmt.Print(ev.Text)
//		case agent.Done:
//			h = ev.History
//		}
//	}
//
// What the loop promises:
//
//   - A call whose arguments did not parse is never run, nor is anything of an answer that was cut.
//   - History grows only by whole turns: no call without its result.
//   - Only tools that were offered in this turn are run, with the Scope of the Input.
//   - An object that neither the Scope nor the Shared scope of the Input contains reaches no model, wherever it is named.
//   - Every run is bounded, see [Limits].
//   - Leaving the loop ends the run: the model's stream and the tools are cancelled and waited for, a tool for two
//     seconds. One that does not heed its context by then is abandoned: counted, and capped (Options.MaxAbandoned).
//
// # Typed answers
//
// [RunAs] and [StreamAs] ask for an answer that is a Go struct. It is checked, the model is told what does not fit, and
// while it comes the stream yields it as far as it is certain, as a [Partial]. The model answers by a call of a tool,
// or, with [Options].StructuredOutput, by the structured output of its service. Without an answer they return an error,
// also if the run was cancelled or is pending.
//
// # Runs that outlive a process
//
// A run with an id yields a [Checkpointed] before any tool runs and at the end of each turn. A host that stores the
// [Checkpoint], and the turn that has ended, before it goes on with the loop can resume the run from there in another
// process: the calls that are left are made with the idempotency keys that they had, and the model is not asked again
// for what it has said. A tool that returns a [tools.PendingError], for an approval, ends the run with the call
// pending. [Done] holds the checkpoint to go on from, however the run has ended: completed, pending, cancelled or
// failed. Checkpoints stay on the server, see [Checkpoint].
//
// # Long conversations
//
// A [Compactor] shortens the history at the boundaries of turns, when it has grown and when the model says that it
// does not fit: [DropOldest] leaves the oldest turns out, [Summarise] has a model write a summary of them. If that is
// not enough, or if there is no Compactor, the longest texts and results are cut and the model is asked again.
//
// # Media and reasoning
//
// [Input].Media shows images, documents and videos to the model, as bytes or as objects; a Model passes on where an
// object is or reads it through [Request].Load. What is shown must keep the [RequestLimits] of the Model: a tool's result beyond
// them is a failed one, and media of earlier turns are left out of requests, with a note in their place, if they exceed
// the limits, if their object has gone, or if the service refuses the request. The history keeps them.
//
// What a model thinks is kept in the history as it came, signatures included, and is no part of its text; it goes back
// to the model that signed it and to no other one.
//
// A model that cites gives [CitationPart] events, and Citation parts in the history, behind the text that they support.
// What a Model does not pass on of an answer, such as the calls that its service makes itself, is counted in
// [Done].Skipped, in the span of the answer, and by the counter carrel.agent.skipped.
//
// # What it does not do
//
// The package keeps no history, logs nothing, retries nothing and knows no model service: those are the caller's
// and the Model's ([Fallback] asks another Model, before an answer has begun). Spans and metrics go to the providers
// in Options, and nowhere without one.
package agent
