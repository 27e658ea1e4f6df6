// Command bench runs one conversation through carrel and through other Go libraries with an agent loop, in one
// process with an in-memory model, and prints what each costs per turn:
//
//	cd examples/bench && GOWORK=off go run .
//	cd examples/bench && GOWORK=off go test -bench .
//
// The flag -rounds says how many slices are measured. The module is one of its own, outside the workspace, so that the
// others' dependencies are nobody else's.
//
// # The conversation
//
// Ten turns of the model, twenty tool calls. In each of the first nine turns the model says eight pieces of text and
// then makes two calls (in the eighth and ninth turn three); in the tenth it says twenty pieces of text and ends. The
// one tool takes a struct of a string, an integer, a list of strings and an optional number, and returns a line of
// text made of them. What the model says was made beforehand, so that the model itself costs next to nothing; which
// turn it is, it tells from the number of messages. Making the agent and the tool is not measured, except where a
// library does it for each run.
//
// Each run is checked: the tool ran twenty times, with the arguments that were sent, and the last text is the one
// that was to be said. A library that left a call out would fail, not win.
//
// # What each of them does in that time
//
// All of them stream the model's text, append to the history, run the calls of a turn and give the results back.
// Beyond that:
//
//   - carrel: Agent.Stream. The arguments are validated against the whole schema of the tool, the calls of a turn run
//     at once (8 at most), each with a deadline, and every piece of text is an event for the caller. The history is
//     checked, and the requests share it.
//   - eino: flow/agent/react, Agent.Stream. The arguments are only unmarshalled, by sonic, an assembler JSON decoder.
//     The calls of a turn run at once, without a bound. Text is streamed to the caller in the last turn alone; in the
//     others the stream is split in two, one to look for calls, one to be concatenated. It is given a function that
//     looks for calls after text, since by default it looks at the first piece alone, and would end there. A turn is
//     two steps of a compiled graph.
//   - genkit: Generate with WithStreaming and WithMaxTurns. The request, the answer, the arguments and the results are
//     validated against their schemas at each call, the calls of a turn run at once, without a bound, and every step
//     is an OpenTelemetry span that holds its input and output as JSON, whether somebody looks at them or not. Every
//     piece of text is given to a callback.
//   - fantasy: Agent.Stream, the tool marked as parallel. The names of required arguments are checked, and the rest is
//     unmarshalled. The calls of a turn run at once, at most five. Every piece of text is given to a callback, and is
//     appended to a string.
//
// None of the others has a scope, an idempotency key or a budget of calls to look after; carrel has no graph, no spans
// by itself and no registry. So the figures say what a turn costs with what each library does by default, not how
// well each does the same. A model's answer takes seconds: all of them are small beside that, and what is left is
// memory and garbage where many runs share a machine.
//
// # What is printed
//
// For each library its version, then per turn, a tenth of the conversation: microseconds on the clock, microseconds of
// CPU time (the garbage collector's included; on a busy machine this is the figure to compare), allocations and bytes
// allocated, and the ratios of these to carrel's. They are medians of short slices in which the libraries take turns.
//
// # Versions
//
// Each is the newest that builds here: eino with a newer sonic than it asks for, since its own does not compile with
// this Go; fantasy at v0.41.2, since later ones want a newer Go. genkit's dotprompt does not compile with the version of
// invopop/jsonschema that fantasy's module names and its code does not import, so that version is excluded.
package main
