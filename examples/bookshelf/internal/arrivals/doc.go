// Package arrivals looks after uploads from the moment that they are granted until their record is gone.
//
//	desk := arrivals.New(tb, landing, signer, tracker, &arrivals.Options{MaxSize: 20 << 20, Audit: audit, Log: log})
//	err := desk.Expect(ctx, session, "cover.jpg", announced, expires, due) // before the record is made
//	err = desk.Message(ctx, raw)                                           // S3's notification, or EventBridge's
//	err = desk.Clean(ctx, system)                                          // every minute or so
//
// A message is a hint: it may come twice, late, in any order, and from anybody who can write to where it came from.
// [Desk.Message] therefore asks the store for the object, and the record for what it waits for, before it writes; and
// it writes once, whatever it is told and how often.
//
// An upload that is larger than allowed, or is not of the size or digest that its client announced, ends the record
// and is deleted. So are uploads whose records have failed for good or were abandoned, and those that arrive
// afterwards: at once when that is noticed, and otherwise by [Desk.Clean], which also works after a crash. The upload
// of a record that succeeded stays.
//
// The package keeps one item for each session, "upload" in its partition, and lists it in the class "uploads" of slot
// I3, in 16 shards.
//
// What it does not do: it decides nothing about a file's content.
package arrivals
