// Package tools turns typed Go functions into tools that a model may call.
//
// [New] infers a JSON Schema from the function's argument type. The [Tool] that it returns checks the arguments of each
// call against that schema before the function runs. The function receives a [Call], which carries the [scope.Scope] of
// the run separately from the model's arguments. A model can therefore never choose a tenant: New rejects schemas with
// a property named tenant, user, session, bucket, key, arn, prefix or partition at any depth, and schemas with open
// maps.
//
//	type in struct {
//		Title string  `json:"title" jsonschema:"the title, as printed" minlen:"1"`
//		Year  *int    `json:"year" jsonschema:"the year of publication" min:"1450" max:"2100"`
//		Kind  *string `json:"kind" enum:"book,map,score"`
//	}
//	t, err := tools.New("find_book", "Finds a book in the caller's own catalogue.",
//		func(ctx context.Context, c *tools.Call, in in) (Book, error) {
//			return catalogue.Find(ctx, c.Scope(), in.Title, in.Year, in.Kind)
//		}, tools.Timeout(5*time.Second))
//
// # Constraints
//
// These tags of a field become part of the schema and are checked:
//
//	enum:"a,b"                 texts or numbers: one of these; a value must not be empty, or begin or end with a space
//	min:"1" max:"10"           numbers, both bounds included; for integers, within ±(2^53-1)
//	minlen:"1" maxlen:"9"      texts, in characters
//	minitems:"1" maxitems:"9"  lists
//	pattern:"^[a-z]+$"         texts: RE2 without flags, named groups, \A, \z, \p and [:class:], which JSON Schema lacks
//	format:"date"              texts: date, time, date-time (RFC 3339), email, uuid, uri; a time.Time is a date-time
//
// On a list, the tags for texts and numbers apply to its items. New returns an error with the path of the field for a
// tag that does not fit the field, contradicts another tag or does not apply. If arguments do not fit, the model
// receives a correction that names each misfit by its path: pages[2].kind: must be one of "text", "plate", not "x".
//
// Arguments must be strict JSON: valid UTF-8 without half surrogate pairs, and without duplicate names in an object. A
// number without a fraction is an integer in every notation (3, 3.0, 3e0), and [Call.Args] has it in plain digits. A
// json.Number is a number. Arguments that pass the check always decode: a number that is out of range for its Go type
// is a correction.
//
// # Results
//
// A result is sent as text or JSON. Nil slices and maps are sent as [] and {}, because a model reads null as "unknown".
// Nil pointers stay null. JSON results must be strict too. Bytes and escapes that are not valid text become U+FFFD;
// each other defect is an error of the call.
//
// A [Result] has a documented JSON form, so that it can be stored and sent to a front end. Objects in a decoded Result
// are unresolved until [Result.Resolve] finds them in a Root.
//
// # Failures
//
// A function reports a failure in one of four ways. [Correct] returns a message for the model, which may try again.
// [Fatal] ends the run. A [PendingError] ends the run with the call pending. Any other error, a panic included
// ([PanicError]), is for the host's log, and the model reads only that the tool failed.
//
// # Middleware
//
// New takes middleware with the outermost first. Use this order:
//
//	Audit                 records each call with its outcome
//	approval.Require      asks a person (package tools/approval), before the use is counted
//	MaxUses               counts each call that may run
//	Truncate              limits the size of the result
//	RetryTransient        retries failures that may not recur
//	Timeout               limits each attempt
//
// # Tools of other servers
//
// [FromSchema] returns a tool that is described by a JSON Schema, under the same rules. Package tools/mcp imports the
// tools of MCP servers with it.
//
// # Sets
//
// A [Set] collects tools. [Set.With], [Set.Prefix], [Set.Rename] and [Set.Filter] compose sets, [Dynamic] chooses tools
// for each scope, and [Set.Resolve] returns the tools of one turn, always in the same order.
//
// [State] holds small values that the tools of a conversation keep. It is stored with the history and the checkpoints.
//
// The package does not call a model, and stores nothing between calls except in the State. It does not limit concurrent
// calls or abandon a function that ignores its context: package agent does both. It does not have a registry: a tool
// that is not in a Set cannot be called.
package tools
