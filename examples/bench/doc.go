// Command bench runs one conversation through carrel and through other Go libraries with an agent loop, in one
// process with an in-memory model, and prints the costs of each per turn:
//
//	cd examples/bench && GOWORK=off go run .
//	cd examples/bench && GOWORK=off go test -bench .
//
// The flag -rounds is the number of measured slices. The command is a separate module outside the workspace, so that
// other modules do not get these dependencies.
//
// # The conversation
//
// Ten turns of the model, twenty tool calls. In each of the first nine turns the model returns eight pieces of text and
// then makes two calls (three in the eighth and ninth turn). In the tenth it returns twenty pieces of text and ends.
// The tool takes a struct of a string, an integer, a list of strings and an optional number, and returns a line of text
// made of them. The model's answers are prepared, so that the model itself costs almost nothing. It counts messages to
// find the current turn. Making the agent and the tool is not measured, unless a library does it for each run.
//
// Each run is checked: the tool ran twenty times, with the right arguments, and the last text is the expected one. A
// library that skips a call fails.
//
// # The work of each library
//
// All of them stream the model's text, append to the history, run the calls of a turn and return the results.
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
// The other libraries do not have scopes, idempotency keys or call budgets. carrel does not have a graph, built-in
// spans or a registry. So the figures show the cost of a turn with each library's defaults, not the quality of the same
// work. A model's answer takes seconds, and all of the costs are small compared with that. They matter as memory and
// garbage if many runs share a machine. A test asserts that a turn of carrel costs no more than one of eino.
//
// # Output
//
// For each library its version, then per turn, a tenth of the conversation: microseconds on the clock, microseconds of
// CPU time (the garbage collector's included; on a busy machine this is the figure to compare), allocations and bytes
// allocated, and the ratios of these to carrel's. They are medians of short slices in which the libraries take turns.
//
// A second table has the cost of a server-sent event of 200 B, with its flush, to a response that discards it: by hand,
// by package sse, and by tmaxmax/go-sse, launchdarkly/eventsource and r3labs/sse. Only carrel and the loop by hand set
// a deadline for each write. The figure of launchdarkly is that of its encoder, that of r3labs goes from Publish to the
// flush. A test of package sse asserts at most 1.2 times the cost by hand, and no allocation.
//
// Command server, in a directory below this one, measures the whole bookshelf.
//
// # Versions
//
// Each is the newest that builds here: eino with a newer sonic than it asks for, since its own does not compile with
// this Go; fantasy at v0.41.2, since later ones want a newer Go. genkit's dotprompt does not compile with the version
// of invopop/jsonschema that fantasy's module names and its code does not import, so that version is excluded.
package main
