// Package presign gives a client the right to upload one file of one session
// straight to S3, and proves that it arrived.
//
//	signer, err := presign.New(client, bucket, nil)
//	grant, err := signer.Put(ctx, session, "cover.jpg", &presign.PutOptions{
//		Type: "image/jpeg", Size: 48213, SHA256: sum,
//	})
//	// … the client sends grant.Method to grant.URL with grant.Headers and the bytes …
//	ref, info, err := signer.Arrived(ctx, session, "cover.jpg", nil)
//
// A [Grant] is worth exactly what was asked for: the key is built from the
// session's scope, and the media type, the exact length, the SHA-256 and
// If-None-Match: * are all signed, so a client that changes or drops one of
// them, or sends the file a second time, is refused by S3. SDK versions have
// moved such headers to the query, where S3 ignores them; a [Signer] therefore
// looks at what was really signed, and returns [ErrUnsigned] rather than a
// grant that promises too much.
//
// The moment in [Grant.Expires] is true: a signed URL dies with the credentials
// that signed it, so they are fetched once, exactly those sign, and the grant
// is clamped to their life.
//
// What the package does not do: it sends nothing to the client, makes no
// buckets or CORS rules, and grants uploads by PUT alone, which S3 takes up to
// 5 GiB. The rules of signed URLs are those of
// https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html.
package presign
