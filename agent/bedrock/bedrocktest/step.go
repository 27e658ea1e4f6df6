package bedrocktest

import "net/http"

const forever = -1

// Step is a script's answer to one or more requests. The zero Step does not answer any: a [Func] that returns it, or a
// [Forever] of it, refuses the request.
type Step struct {
	times  int
	answer func(http.ResponseWriter, *http.Request)
	choose func(*Request) Step
}

// Reply answers with a stream of the given pieces. It adds messageStart before them and, unless a piece ends the
// stream, messageStop (with the stop reason tool_use after a tool use, end_turn otherwise) and the metadata after them.
func Reply(pieces ...Piece) Step {
	return Step{times: 1, answer: func(w http.ResponseWriter, r *http.Request) { playReply(w, r, pieces) }}
}

// Fail answers with an HTTP error of the service: its status, its name (such as "ThrottlingException") and its
// message.
func Fail(status int, name, message string) Step {
	e := httpError{status, name, message}
	return Step{times: 1, answer: func(w http.ResponseWriter, _ *http.Request) { writeError(w, e) }}
}

// Throttled answers 429 ThrottlingException. The SDK makes three attempts, so Times(3, Throttled()) makes one call
// fail.
func Throttled() Step {
	return Fail(http.StatusTooManyRequests, "ThrottlingException", "Too many requests, please wait before trying again.")
}

// Denied answers 403 AccessDeniedException. Like the service's messages, the message names a role, an account and a
// resource, which a person must not see.
func Denied() Step {
	const message = "User: arn:aws:sts::111122223333:assumed-role/reader/session is not authorized to perform: " +
		"bedrock:InvokeModelWithResponseStream on resource: " +
		"arn:aws:bedrock:us-east-1:111122223333:inference-profile/reader because no identity-based policy allows the " +
		"bedrock:InvokeModelWithResponseStream action"
	return Fail(http.StatusForbidden, "AccessDeniedException", message)
}

// Silent does not answer, not even with headers, until the client goes away.
func Silent() Step {
	return Step{times: 1, answer: func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }}
}

// Dropped closes the connection without an answer.
func Dropped() Step {
	return Step{times: 1, answer: func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }}
}

// Func answers with the step that f returns for the request. f must be safe for concurrent use.
func Func(f func(*Request) Step) Step {
	return Step{times: 1, choose: f}
}

// Times plays a step n times in a row.
func Times(n int, s Step) Step {
	if s.times != forever {
		s.times *= max(n, 0)
	}
	return s
}

// Forever plays a step for all further requests. Forever(Func(f)) is a server that is a function.
func Forever(s Step) Step {
	s.times = forever
	return s
}
