// Package agent runs the loop in which a model calls tools until it has an answer.
//
// An [Agent] is created once, from a [Model] and [Options], and serves any number of concurrent runs. [Agent.Stream]
// starts a run: it yields [Event] values as they happen, and ends with [Done] or with a [RunError]. [Agent.Run] reads
// it to its end. A run receives its [History] in its [Input] and returns the longer one in Done. The Agent does not
// keep it.
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
// The loop guarantees:
//
//   - It never makes a call with invalid arguments, or any call of a truncated answer.
//   - The history grows by complete turns: every call has its result.
//   - Only tools that were offered in this turn are called, with the Scope of the Input.
//   - An object outside the Scope and the Shared scope of the Input never reaches a model.
//   - Every run is bounded, see [Limits].
//   - Leaving the loop ends the run: it cancels the model's stream and the tools and waits for them. A tool that does
//     not return within two seconds is abandoned. Abandoned calls are counted and limited, see [Agent.Abandoned].
//
// # Typed answers
//
// [RunAs] and [StreamAs] request an answer that is a Go struct. The agent validates it and returns errors to the model.
// While it arrives, the stream yields [Partial] events. The model answers by calling a tool, or, with
// [Options].StructuredOutput, through the structured output of its service. RunAs and StreamAs return an error unless
// there is an answer, also if the run was cancelled or is pending.
//
// # Runs that outlive a process
//
// A run with an id yields a [Checkpointed] before any tool is called and at the end of each turn. A host that stores
// the [Checkpoint] and the ended turn, before it continues the loop, can resume the run in another process. The resumed
// run makes the pending calls with their original idempotency keys, and does not repeat requests that the model has
// answered. A tool that returns a [tools.PendingError], for example to wait for an approval, ends the run with the call
// pending. [Done] holds the checkpoint to resume from, whether the run is complete, pending, cancelled or failed. Keep
// checkpoints on the server, see [Checkpoint].
//
// # Long conversations
//
// A [Compactor] shortens the history between turns, when it has grown and when it does not fit the model: [DropOldest]
// drops the oldest turns, and [Summarise] replaces them with a summary by a model. If that is not enough, or without a
// Compactor, the longest texts, results and arguments are truncated and the request is repeated. If a Compactor fails,
// the run continues: the oldest turns are dropped once the conversation does not fit the model, and [Done].CompactErr
// has the cause.
//
// # Media, reasoning and citations
//
// [Input].Media shows images, documents and videos to the model, as bytes or as objects. A Model passes on a reference
// to an object or reads it with [Request].Load. The [RequestLimits] of the Model apply: a tool result that exceeds them
// becomes a failed result. A request contains a note instead of an earlier medium if it exceeds a limit, was deleted,
// or was rejected by the service. A single medium that the service rejected is also replaced in the history.
// [Done].OmittedMedia counts the media that the run left out because the service rejected them together. The count is
// also in the run's span and in the counter carrel.agent.media.omitted.
//
// The history keeps the model's reasoning unchanged, including signatures. It is not part of the text, and is only sent
// back to the model that signed it.
//
// A model that cites sources yields [CitationPart] events. The history has Citation parts after the text that they
// support.
//
// [Done].Skipped counts the pieces of answers that a Model skips, such as calls that its service makes itself. They are
// also in the answer's span and in the counter carrel.agent.skipped.
//
// # Not included
//
// The package does not store the history, write logs or retry requests, and does not contain a client of a model
// service. A Model is such a client and may retry, and [Fallback] asks another Model if the first one fails before its
// answer begins. Spans and metrics require the providers in Options.
package agent
