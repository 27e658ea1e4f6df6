// Package arrivals records uploads when S3 reports that they have arrived, and
// deletes those that may not stay.
//
//	r, err := arrivals.New(tb, landing, signer, tracker, &arrivals.Options{MaxSize: 20 << 20, Audit: audit})
//	c, err := arrivals.NewConsumer(sqs.NewFromConfig(cfg), queueURL, r.HandleMessage, nil)
//	go c.Run(ctx) // until ctx ends
//
//	// for each upload, before its grant is sent to the client
//	rec, err := r.Expect(ctx, session, arrivals.Upload{Filename: "cover.jpg", Size: 48213, Expires: grant.Expires})
//
// Use it in a service that grants uploads with package presign and records them
// with package tracking. [Recorder.Expect] makes the record of an upload, and
// [Recorder.HandleMessage] reads the bucket's notifications. They may come from
// SQS, which a [Consumer] reads, from a Lambda function or from anywhere else.
// Package tracking/sweeper finds uploads that were not reported, and deletes
// uploads without a use:
//
//	s, err := sweeper.New(tracker, tb.System(), &sweeper.Options{
//		Look:  r.Look,
//		Clean: func(ctx context.Context) error { return r.Clean(ctx, tb.System()) },
//	})
//
// # Guarantees
//
// A message is only a hint. It may be repeated, late, out of order, or forged by
// anybody who can write to its queue. The Recorder therefore checks the record and
// the object in the store before it writes, and writes once for any number of
// messages.
//
// An upload that is too large, or differs from its announced size or digest, ends
// its record and is deleted. So is the upload of a record that was cancelled, was
// abandoned or has failed permanently, also if it arrives afterwards: at once if
// that is noticed, otherwise by [Recorder.Clean], which works after a crash too.
// The upload of a successful record stays.
//
// # A queue
//
// A [Consumer] deletes a message only after its function has returned nil. A
// failed message is delivered again after the queue's visibility timeout. After
// the number of deliveries in the queue's redrive policy it moves to the dead
// letter queue, where a person finds it. Configure a maxReceiveCount of about 5
// and a visibility timeout of at least a minute: a function may take 30 s.
//
// # Storage
//
// The package keeps one item for each session, "upload" in its partition, and
// lists it in the class "uploads" of slot I3, in 16 shards.
//
// It does not examine the content of a file, limit the number of grants (package
// admission does), create queues or notifications, extend visibility timeouts, or
// keep messages in order.
package arrivals
