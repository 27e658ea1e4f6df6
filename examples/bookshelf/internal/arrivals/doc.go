// Package arrivals takes in S3's word that an upload has arrived, and records it.
//
//	desk := arrivals.New(signer, tracker, &arrivals.Options{Audit: audit, Log: log})
//	err := desk.Message(ctx, raw) // a notification, or an event of EventBridge
//
// A message is a hint: it may come twice, late, in any order, and from anybody who can write to where it came from. So
// a [Desk] asks the store for the object, and the record for what it waits for, before it writes; and it writes once,
// whatever it is told and how often.
//
// What it does not do: it decides nothing about a file's size or content. An upload that is too large has arrived all
// the same; the run that looks at it refuses it, and says so to whoever asked.
package arrivals
