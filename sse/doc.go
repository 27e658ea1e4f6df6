// Package sse writes, serves and reads server-sent events.
//
// [Serve] answers a request with the events after the client's last one. It suits any source that can find its place
// by an event id, and takes care of statuses, keep-alives, deadlines and reconnects:
//
//	sse.Serve(w, r, log.Events, nil)
//
// A [Writer] is the layer below: it turns a response into a stream of [Event] values. It sends each batch with one
// Write and one flush, under a deadline, and fills silence with comments:
//
//	out, err := sse.NewWriter(w, nil)
//	defer out.Close()
//	err := out.Send(sse.Event{ID: "0.1", Data: []byte(`{"type":"text_delta"}`)})
//
// [Follow] is the client: it sends a GET or POST request, yields the events and reconnects when the stream breaks.
// [Decode] parses a single stream.
//
// # The end of a stream
//
// A client cannot tell a clean end from success. So a stream that cannot finish must be aborted ([Writer.Abort]), and
// the last event of a complete one must say that it is the last. EventSource reconnects after every end, and Follow
// reconnects unless [FollowOptions].Terminal recognises the last event. Both stop when the server answers 204.
//
// # Limits
//
// The package does not store events and does not fan them out: each client pulls from the source at its pace. It does
// not authorise requests. It imports the standard library alone.
//
// The format is https://html.spec.whatwg.org/multipage/server-sent-events.html.
package sse
