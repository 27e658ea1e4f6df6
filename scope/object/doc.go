// Package object keeps objects that live under a Scope: what [os.Root] is to a
// directory, a [Root] is to a bucket.
//
// A [Bucket] is a [Driver] and a name. [Bucket.In] narrows it to a scope and
// gives a [Root], which opens, stores, describes, lists and deletes what lies
// in that scope and nothing else. A [Ref] names one object: only a Root makes
// one ([Root.Ref] from a file name, [Root.ParseRef] from what was stored of
// one), so a function that takes a Ref takes no key from anybody.
//
//	bucket := object.New(driver, "carrel-raw", nil)
//	root, err := bucket.In(session)
//	ref, err := root.Ref("metadata.json")
//	ref, info, err := root.Put(ctx, ref, body, nil) // write once; ref is now pinned
//	r, info, err := root.Open(ctx, ref, nil)        // these bytes or ErrChanged
//
// A Ref that Put, Stat or List returned is pinned: it names the very bytes
// that were seen, by their version where the store keeps versions and by their
// ETag elsewhere. To read or delete through it answers [ErrChanged] once
// something else lies under the name.
//
// [Root.FS] is the root as an [io/fs.FS] that is read only, for the standard
// library's own tools, and [Root.Copy] stores the bytes of one object under
// another name, inside the store where its driver is a [Copier].
//
// What lies outside the scope and what does not exist give the same answer,
// [ErrNotFound], with the same text.
//
// [Memory] is the driver for tests and examples; scope/object/s3object is the
// one for S3. scope/object/objecttest is what every driver has to pass.
//
// What the package does not do: it writes no object over another unless told
// to, builds no keys (scope does), hands out no URLs (presign does), and knows
// of no directories: names are one segment, and those of FS are made of scopes.
package object
