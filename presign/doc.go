// Package presign grants a client the upload of one file of one session
// straight to S3, verifies that the file arrived, and grants its download.
//
//	signer, err := presign.New(client, bucket, nil)
//	grant, err := signer.Put(ctx, session, "cover.jpg", &presign.PutOptions{
//		Type: "image/jpeg", Size: 48213, SHA256: sum,
//	})
//	// … the client sends grant.Method to grant.URL with grant.Headers and the bytes …
//	ref, info, err := signer.Arrived(ctx, session, "cover.jpg", nil)
//	grant, err = signer.Get(ctx, ref, &presign.GetOptions{Type: info.Type})
//
// There are three ways to upload:
//
//   - [Signer.Put] returns a [Grant] for a file of known length, at most
//     [MaxSize]. S3 rejects a second upload under the same name.
//   - [Signer.Post] returns a [Form] for a file whose length lies in a range. A
//     client can send a form again until it expires, and then replaces the file.
//   - [Signer.CreateMultipart] returns a [Multipart] for a file over MaxSize, or
//     one that is sent piece by piece. [Signer.Part] grants each part,
//     [Signer.Complete] makes the object once, and [Signer.Abort] gives up. A
//     client can send a part again until then; Complete takes the part whose
//     ETag it receives.
//
// After each of them, call [Signer.Arrived]. It returns a Ref pinned to the
// object, so later reads return the verified bytes or fail. Its options check
// the size and SHA-256 that the client stated, and can delete an object that
// fails a check. [ParseEvent] reads S3's events about uploads. An event is only
// a hint of when to call Arrived.
//
// # Guarantees
//
// The key is built from the session's scope. S3 rejects a client that changes,
// drops or adds a signed value: the media type, the length or its range, the
// SHA-256 and If-None-Match. Versions of the SDK have moved such headers to the
// query, where S3 ignores them. A [Signer] therefore inspects the signed request
// and returns an error instead of a grant that promises too much.
//
// A grant ends no later than the credentials that signed it. A Signer fetches
// them once a grant, signs with exactly those, and limits Expires to their life.
//
// # From a browser
//
// [Grant], [Form] and [Part] have a documented JSON form. The bucket needs the
// CORS rule that [CORS] returns, and a lifecycle rule that aborts incomplete
// multipart uploads. [scope.FileName] makes a valid name from the name of a
// person's file.
//
// # HTTP statuses
//
// A handler usually answers these errors with these statuses:
//
//   - 400: [ErrInvalid], scope.ErrInvalid
//   - 404: [ErrNoUpload], object.ErrOutside
//   - 409: [ErrNotArrived], object.ErrExists, object.ErrConflict
//   - 413: [ErrTooLarge]
//   - 422: [ErrMismatch], [ErrParts]
//   - 503: [ErrExpiring]
//   - 500: object.ErrDenied (the role lacks a permission), scope.ErrLevel and
//     scope.ErrDenied (the handler chose the wrong scope), and all others
//
// The package does not send anything to the client, create buckets or their
// rules, or inspect the bytes of a file. The rules of signed URLs are at
// https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html,
// those of forms at
// https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-HTTPPOSTConstructPolicy.html.
package presign
