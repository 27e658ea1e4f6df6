// Package arrivals handles uploads from their grant until their record is gone.
//
//	desk := arrivals.New(tb, landing, signer, tracker, &arrivals.Options{MaxSize: 20 << 20, Audit: audit, Log: log})
//	err := desk.Expect(ctx, session, "cover.jpg", announced, expires, due) // before the record is made
//	err = desk.Message(ctx, raw)                                           // S3's notification, or EventBridge's
//	err = desk.Clean(ctx, system)                                          // every minute or so
//
// A message is only a hint: it may be repeated, late, out of order, or forged by anybody who can write to its queue.
// [Desk.Message] therefore checks the object in the store and the state of the record before it writes, and writes once
// for any number of messages.
//
// An upload that is too large, or differs from the announced size or digest, ends the record and is deleted. Uploads are
// also deleted if their record has failed permanently or was abandoned, and if they arrive afterwards: at once if that is
// noticed, otherwise by [Desk.Clean], which also works after a crash. The upload of a successful record stays.
//
// The package keeps one item for each session, "upload" in its partition, and lists it in the class "uploads" of slot
// I3, in 16 shards.
//
// It does not examine a file's content.
package arrivals
