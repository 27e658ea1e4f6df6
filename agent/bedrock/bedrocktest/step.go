package bedrocktest

import "net/http"

const forever = -1

// Step is a script's answer to one request, or to several in a row. The zero Step answers none.
type Step struct {
	times  int
	answer func(http.ResponseWriter, *http.Request)
	choose func(*Request) Step
}

// Reply answers with a stream of the given pieces, and as the service would it adds what they leave out:
// messageStart before them, and after them, unless one of them ends the stream, messageStop (with the stop reason
// tool_use if there was a tool use, end_turn otherwise) and the metadata.
func Reply(pieces ...Piece) Step {
	return Step{times: 1, answer: func(w http.ResponseWriter, r *http.Request) { play(w, r, pieces) }}
}

// Fail answers with an HTTP error of the service: its status, its name (such as "ThrottlingException") and its
// message.
func Fail(status int, name, message string) Step {
	e := httpError{status, name, message}
	return Step{times: 1, answer: func(w http.ResponseWriter, _ *http.Request) { writeError(w, e) }}
}

// Throttled answers 429 ThrottlingException. The SDK asks three times in all, so Times(3, Throttled()) makes one
// call fail.
func Throttled() Step {
	return Fail(http.StatusTooManyRequests, "ThrottlingException", "Too many requests, please wait before trying again.")
}

// DeniedMessage is what [Denied] answers: as the service's, it names a role, an account and a resource.
const DeniedMessage = "User: arn:aws:sts::111122223333:assumed-role/reader/session is not authorized to perform: " +
	"bedrock:InvokeModelWithResponseStream on resource: arn:aws:bedrock:us-east-1:111122223333:inference-profile/reader " +
	"because no identity-based policy allows the bedrock:InvokeModelWithResponseStream action"

// Denied answers 403 AccessDeniedException with [DeniedMessage].
func Denied() Step {
	return Fail(http.StatusForbidden, "AccessDeniedException", DeniedMessage)
}

// Silent answers nothing, not even headers, until the client goes away.
func Silent() Step {
	return Step{times: 1, answer: func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }}
}

// Dropped closes the connection without an answer.
func Dropped() Step {
	return Step{times: 1, answer: func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }}
}

// Func answers with the step that f chooses for the request. It may be called for several requests at once.
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

// Forever plays a step for all requests that are still to come. Forever(Func(f)) is a server written as a function.
func Forever(s Step) Step {
	s.times = forever
	return s
}
