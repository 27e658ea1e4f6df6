// Package replay is a durable log of events that a browser can follow, leave and rejoin.
//
// A run of an agent lasts longer than the connection that shows it, and sometimes longer than its process. Its events
// are therefore written to a log first, and every client reads the log:
//
//	logs, err := replay.New(t, nil)
//	w, err := logs.Open(ctx, session, "00000001", json.RawMessage(`{"type":"run_started"}`))
//	err = w.Append(ctx, json.RawMessage(`{"type":"text_delta","delta":"Hello"}`), false)
//	err = w.Finish(ctx, json.RawMessage(`{"type":"finished","outcome":"complete"}`))
//
//	for e, err := range logs.Events(ctx, session, "00000001", lastEventID) { … }
//
// # Writing
//
// A log is a sequence of segments: items "log#<name>#<number>" of a scope, numbered from 1 without gaps. A segment
// holds the events of one commit and is never changed. A [Writer] commits its events together, by default every 250 ms,
// and earlier after a pause and for an urgent event.
//
// One Writer at a time writes a log. [Store.Open] takes the log over from any other by writing the next segment, so
// that the next write of the other collides and it ends with [ErrFenced]. A write whose outcome is unknown is repeated
// on the same number, and a collision with the Writer's own segment is a success. Therefore a log never holds an event
// twice, even if answers of the store are lost.
//
// # Reading
//
// [Store.Events] reads history and live events in one way, with consistent reads, so it yields an event only after it
// is stored. In the process of the Writer it reads the newest segments from memory. Elsewhere it polls.
//
// The id of an event is its segment and its index in it, "000000000012.0003". Ids of a log sort as strings. An event
// of the type "retract" takes back the events before it whose id is greater than its member after; see [Retract].
//
// A [Dialect] translates the events for a kind of client, see [Store.Follow].
//
// # Not included
//
// The package does not know who may read a log: the caller opens it with a scope that it was given. It does not decide
// who may write: package runner does, with a lease. It does not interpret events, "retract" apart.
package replay
