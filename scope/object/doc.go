// Package object stores objects under a Scope. A [Root] is for a bucket what
// [os.Root] is for a directory.
//
// A [Bucket] combines a [Driver] and a name. [Bucket.In] narrows it to a scope
// and returns a Root, which opens, stores, lists and deletes the objects of that
// scope only. A [Ref] names one object. Only a Root makes one, from a file name
// ([Root.Ref]) or from stored JSON ([Root.ParseRef]), so a function that takes a
// Ref can't receive a key from its caller.
//
//	bucket, err := s3object.Open(client, "carrel-raw", nil)
//	root, err := bucket.In(session)
//	ref, err := root.Ref("metadata.json")
//	ref, info, err := root.Put(ctx, ref, body, nil) // write once; ref is now pinned
//	r, info, err := root.Open(ctx, ref, nil)        // these bytes or ErrChanged
//
// Put, Stat and List return pinned Refs. A pinned Ref names exactly the bytes
// that were seen, by version if the store keeps versions and otherwise by ETag.
// Open and Delete return [ErrChanged] if the object is another one now.
//
// [Root.FS] is a read-only [io/fs.FS] of the root for the standard library's
// tools. [Root.Copy] copies an object, inside the store if its driver is a
// [Copier].
//
// For an object outside the scope and for a missing object, all operations return
// [ErrNotFound], with the same text.
//
// Use [NewMemory] in tests and examples and scope/object/s3object for S3. Every
// driver must pass scope/object/objecttest.
//
// # HTTP statuses
//
// A handler usually answers these errors with these statuses:
//
//   - 400: [ErrInvalid], scope.ErrInvalid
//   - 404: [ErrNotFound], also for [ErrOutside]
//   - 409: [ErrExists], [ErrConflict] (can be retried)
//   - 412: [ErrChanged]
//   - 413: [ErrTooLarge]
//   - 416: [ErrRange]
//   - 422: [ErrSize]
//   - 500: [ErrDenied] (the credentials lack a permission), scope.ErrReadOnly and
//     scope.ErrLevel (the handler chose the wrong scope), and all others
//
// The package does not replace an object unless the caller requests it, build
// keys (see scope), or make URLs (see presign). It does not have directories:
// names are one segment, and the directories of FS are scopes.
package object
