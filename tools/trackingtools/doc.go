// Package trackingtools gives a model two tools that say which files have been uploaded and where each of them stands:
// list_uploads and get_upload, over a [tracking.Tracker].
//
//	a, err := agent.New(model, &agent.Options{Tools: trackingtools.Set(tracker)})
//
// Both act within the scope of the call, and nothing that the model says moves it. A tenant's or a user's scope lists
// the uploads that lie in it; a session's is one upload, which is all that there is for it, and not those of the user
// around it. The data that a tenant shares holds no uploads, so a call under its scope is scope.ErrDenied. An upload of
// somebody else gives the same answer as one that does not exist.
//
// Results are compact JSON for a model: ids, names, states, times and the messages that a person may read. They name
// no bucket, no key and no lease. File names and messages come from outside and are data; the tools' descriptions tell
// the model so.
//
// What the package does not do: it changes nothing, and it does not open the files; package objecttools does.
package trackingtools
