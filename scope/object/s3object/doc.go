// Package s3object stores the objects of scope/object in S3.
//
//	bucket, err := s3object.Open(s3.NewFromConfig(cfg), "carrel-raw", nil)
//	root, err := bucket.In(session)
//
// The driver keeps each promise of [object.Driver] with one request: write-once
// is If-None-Match: *, replacing an ETag is If-Match, and a pinned read is
// If-Match or a version id. Bodies stream in both directions.
//
// S3 answers 403 instead of 404 to credentials without s3:ListBucket on the whole
// bucket, such as those of a session policy. On a 403 the driver lists exactly
// that key and returns [object.ErrNotFound] if it is missing. Otherwise, and if
// the list is denied, it returns [object.ErrDenied]. For a missing
// bucket Stat returns ErrNotFound, since the answer to a HEAD does not tell the two
// apart.
//
// The SDK retries a request if the answer was lost. A conditional write that
// succeeded then finds its own object and returns [object.ErrExists] or
// [object.ErrChanged]. Compare the bytes if that matters.
//
// Copies that overwrite are made inside the store, and with
// Options.ConditionalCopy all copies. Otherwise the bytes stream through the
// process, since every server honors the conditions of a PUT. Over plain HTTP the
// SDK reads such a body twice.
//
// The package does not create buckets, load configuration or upload in parts, so
// an object is at most 5 GiB. S3 documents conditional requests at
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-requests.html.
package s3object
