// Package tools turns typed Go functions into tools that a model may call.
//
// [New] infers the schema of a function's arguments once, and gives a [Tool] that checks every call's arguments
// against it before the function runs. The function receives a [Call], which carries the [scope.Scope] of the run
// beside the model's arguments: what a tool may touch is never the model's to say, and a schema that would let it
// (a property named tenant, user, session, bucket, key, arn, prefix or partition, or an open map) is refused by New.
// A [Set] collects tools; [Set.Resolve] gives the ones that are offered within a scope.
//
//	type in struct {
//		Title string `json:"title" jsonschema:"the title, as printed"`
//		Year  *int   `json:"year" jsonschema:"the year of publication"`
//	}
//	t, err := tools.New("find_book", "Finds a book in the caller's own catalogue.",
//		func(ctx context.Context, c *tools.Call, in in) (Book, error) {
//			return catalogue.Find(ctx, c.Scope(), in.Title, in.Year)
//		})
//
// A function reports failure in one of three ways: [Correct] is for the model, which reads it and may try again;
// [Fatal] ends the run; every other error is for the host's log, and the model learns only that the tool failed.
//
// The package calls no model and keeps no state between calls. It does not limit how long a tool runs or how many
// run at once (package agent does), and it has no registry: a tool that is in no Set cannot be called.
package tools
