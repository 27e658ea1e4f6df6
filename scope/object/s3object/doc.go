// Package s3object is the S3 driver of scope/object.
//
//	driver, err := s3object.New(s3.NewFromConfig(cfg), "carrel-raw", nil)
//	bucket := object.New(driver, "carrel-raw", nil)
//
// A [Driver] keeps every promise of [object.Driver] by one request each: write
// once is If-None-Match: *, to replace an ETag is If-Match, a pinned read is
// If-Match or a version id. Bodies stream both ways.
//
// S3 answers 403 in place of 404 to credentials without s3:ListBucket on the
// whole bucket, as a session policy leaves them. On a 403 the driver lists
// exactly that key: if it is not there the answer is [object.ErrNotFound],
// else, or if the list is refused as well, [object.ErrDenied]. A HEAD has no
// body, so a 404 of Stat may be that of a missing bucket.
//
// The SDK sends a request again whose answer was lost. A conditional write that
// had in fact succeeded then finds its own work, and the answer is
// [object.ErrExists] or [object.ErrChanged]: who must know compares the bytes.
//
// A copy that overwrites is made inside the store. One with a condition is, too,
// where Options.ConditionalCopy says that the server heeds it; elsewhere the
// bytes stream through the process, as every server can hold a PUT to its
// conditions. Over plain HTTP the SDK reads such a body twice.
//
// What the package does not do: it makes no buckets, loads no configuration,
// and uploads in one piece, so an object is at most 5 GiB. S3 documents the
// conditional requests under
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-requests.html.
package s3object
