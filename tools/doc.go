// Package tools turns typed Go functions into tools that a model may call.
//
// [New] infers the schema of a function's arguments once, and gives a [Tool] that checks every call's arguments
// against it before the function runs. The function receives a [Call], which carries the [scope.Scope] of the run
// beside the model's arguments: what a tool may touch is never the model's to say, and a schema that would let it
// (a property named tenant, user, session, bucket, key, arn, prefix or partition, at any depth, or an open map) is
// refused by New.
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
// These tags of a field are put into the schema, and are checked:
//
//	enum:"a,b"                 texts or numbers: one of these; none is empty or begins or ends with a space
//	min:"1" max:"10"           numbers, both bounds included; of integers, within ±(2^53-1)
//	minlen:"1" maxlen:"9"      texts, in characters
//	minitems:"1" maxitems:"9"  lists
//	pattern:"^[a-z]+$"         texts: RE2 without what JSON Schema lacks (flags, named groups, \A, \z, \p, [:class:])
//	format:"date"              texts: date, time, date-time (RFC 3339), email, uuid, uri; a time.Time is a date-time
//
// On a list, those of texts and numbers are about its items. A tag that does not fit its field, that contradicts
// another or that means nothing is refused by New, with the path of the field. Arguments that do not fit are a
// correction that names each misfit by its path: pages[2].kind: "x" is not one of "text", "plate".
//
// Arguments are strict JSON: valid UTF-8 without half surrogate pairs, no name twice in an object. A number without a
// fraction is an integer however it is written (3, 3.0, 3e0), and [Call.Args] has it in plain digits. A json.Number is a
// number. Arguments that pass the check decode; a number that its Go type does not hold is a correction.
//
// # Results
//
// A result is sent as text or JSON. Nil slices and maps in it are sent as [] and {}, because a model reads null as
// "unknown"; nil pointers stay null. JSON must be strict too. Bytes and escapes in it that are not text become U+FFFD,
// and every other defect is an error of the call.
//
// A [Result] has a documented JSON form, so that it can be stored and sent to a front end. Objects in a decoded Result
// are unresolved until [Result.Resolve] has found them in a Root.
//
// # Failures
//
// A function reports failure in one of these ways: [Correct] is for the model, which reads it and may try again;
// [Fatal] ends the run; a [PendingError] lets the run end with the call pending; every other error is for the host's
// log, and the model learns only that the tool failed. A panic is such an error too, a [PanicError].
//
// # Middleware
//
// Middleware is given to New, the outermost first. This order does what each of them says:
//
//	Audit                 one record for each call, whatever becomes of it
//	approval.Require      package tools/approval: a person decides, before anything is counted
//	MaxUses               a use for each call that may run
//	Truncate              what the model reads, at most
//	RetryTransient        again, where it may help
//	Timeout               for each attempt
//
// # Sets
//
// A [Set] collects tools. [Set.With], [Set.Prefix], [Set.Rename] and [Set.Filter] compose sets, [Dynamic] decides for
// each scope, and [Set.Resolve] gives the tools that are offered in one turn, always in the same order.
//
// What tools remember of a conversation is its [State]: small values that travel with history and checkpoints.
//
// The package calls no model and keeps nothing between calls that is not in the State. It does not limit how many
// tools run at once, and stops none that ignores its context (package agent does both), and it has no registry: a tool
// that is in no Set cannot be called.
package tools
