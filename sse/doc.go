// Package sse is the wire format of server-sent events and nothing else.
//
// A [Writer] turns an HTTP response into a stream of [Event]s:
//
//	w := sse.NewWriter(rw, nil)
//	defer w.Close()
//	err := w.Send(&sse.Event{ID: "0.1", Data: []byte(`{"type":"text_delta"}`)})
//
// Each event is one Write and one flush under a deadline of its own, with its
// id as the last field, so that a client that saw half an event resumes before
// it. Silence is filled with comments, so that proxies keep the connection.
//
// The package does not store events, does not fan them out and does not know
// who may read them. It imports the standard library alone.
//
// The format is https://html.spec.whatwg.org/multipage/server-sent-events.html.
package sse
