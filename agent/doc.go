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
//   - Every run is bounded, see [Limits].
//   - Leaving the loop ends the run: the model's stream and the tools are cancelled, and waited for.
//
// The package keeps no history, logs nothing, retries nothing and knows no model service: those are the caller's
// and the Model's.
package agent
