// Package trackingtools provides two tools that show a model the uploads of a [tracking.Tracker] and their states:
// list_uploads and get_upload.
//
//	set, err := trackingtools.Set(tracker) // list_uploads, get_upload
//	a, err := agent.New(model, &agent.Options{Tools: set})
//
// Both act within the scope of the call; no argument can change it. A tenant's or a user's scope lists the uploads
// within it. A session's scope lists its own upload only. An upload outside the scope and one that does not exist give
// the same answer. For a scope of shared data, which cannot contain uploads, they return scope.ErrDenied.
//
// The results are compact JSON with ids, names, labels, states, times and the messages for people. They contain no
// bucket, key or lease. File names, labels and messages come from outside; the descriptions of the tools tell the model
// to treat them as data.
//
// The tools change nothing and do not open files. Package objecttools opens files.
package trackingtools
