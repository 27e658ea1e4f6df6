// Package presign gives a client the right to upload one file of one session
// straight to S3, proves that it arrived, and gives the right to download it.
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
//   - [Signer.Put], a [Grant]: the length is known, at most [MaxSize]. A client
//     that sends it a second time is refused.
//   - [Signer.Post], a [Form]: the length is known to lie in a range. A form can
//     be sent again until it expires, and then replaces what is there.
//   - [Signer.CreateMultipart], a [Multipart]: more than MaxSize, or piece by
//     piece. [Signer.Part] grants each, [Signer.Complete] makes the object of
//     them, once, and [Signer.Abort] gives up. A part can be sent again until
//     then; Complete takes the one whose ETag it is given.
//
// In each case [Signer.Arrived] proves the object and pins it: reads through the
// Ref that it returns get the bytes that were proven, or fail. Its options check
// the size and the SHA-256 that the client stated, and can delete an object that
// fails a check. [ParseEvent] reads S3's events about uploads; an event is a
// hint of when to call Arrived.
//
// A grant is worth exactly what was asked for. The key is built from the
// session's scope; the media type, the length or its range, the SHA-256 and
// If-None-Match: * are signed, so a client that changes, drops or adds one of
// them is refused by S3. SDK versions have moved such headers to the query,
// where S3 ignores them; a [Signer] therefore looks at what was really signed,
// and returns [ErrUnsigned] rather than a grant that promises too much.
//
// The moment in Expires is true: what is signed dies with the credentials that
// signed it, so they are fetched once, exactly those sign, and the grant is
// clamped to their life.
//
// What the package does not do: it sends nothing to the client, makes no
// buckets, CORS or lifecycle rules, and looks at no bytes. The rules of signed
// URLs are those of
// https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html,
// of forms those of
// https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-HTTPPOSTConstructPolicy.html.
package presign
