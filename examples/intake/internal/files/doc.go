// Package files keeps the files that people took in: where each one is, how far it has come in the pipeline, and its
// report.
//
//	store, err := files.New(tb, bucket, tracker)
//	view, err := store.Open(user, shared)
//	page, err := view.List(ctx, "", 20)
//	f, err := view.Get(ctx, page.Files[0].ID)
//
// A file is an upload in a session of its user. [Pipeline] has three stages: user_upload, profiled and confirmed. A
// [Report] is measured by package profile, completed by an agent ([View.Record]) and confirmed or corrected by a person
// ([View.Confirm]). A confirmed file can be shared with the tenant ([View.Share]), which copies it and its report.
//
// Each write is conditional: a report is measured and recorded once, however often a run is repeated, and a person
// confirms the version that they saw. A View sees the files of one user, and those that the tenant shares. For every
// other id the error is [ErrNotFound].
//
// The report is the item "profile" in the session's partition. A shared file is the item "file#<id>" in the shared
// partition and an object in the shared scope.
package files
