package runner

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/carrel-go/carrel/admission"
	"github.com/carrel-go/carrel/agent"
	"github.com/carrel-go/carrel/httpapi"
	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/table"
	"github.com/carrel-go/carrel/sse"
	"github.com/carrel-go/carrel/tools/approval"
	"github.com/carrel-go/carrel/tracking"
)

// Problem returns what a client may see of an error of a [Runner], a [Chat] or the packages that they use:
//
//	status  code         errors
//	400     invalid      ErrInvalid, scope.ErrInvalid, approval.ErrInvalid
//	404     not_found    ErrNotFound, sse.ErrNotFound, approval.ErrNotFound, tracking.ErrNotFound
//	409     running      *RunningError
//	409     not_pending  ErrNotPending, agent.ErrNotWaiting
//	409     decided      approval.ErrDecided
//	409     waiting      agent.ErrWaiting
//	409     state        *tracking.StateError
//	410     expired      sse.ErrExpired
//	413     too_large    ErrTooLarge
//	422     key_reused   ErrKeyReused
//	429     full         *admission.FullError, with RetryAfter
//	503     shutdown     ErrShutdown, with RetryAfter
//	503     busy         table.ErrBusy, tracking.ErrContended, with RetryAfter
//	500     internal     all others
//
// An error that has a [*httpapi.Problem] is returned as that. A service adds what only it knows, for example the
// Location of the run that a RunningError names.
func Problem(err error) *httpapi.Problem {
	if p, ok := errors.AsType[*httpapi.Problem](err); ok {
		return p
	}
	if full, ok := errors.AsType[*admission.FullError](err); ok {
		return &httpapi.Problem{
			Status: http.StatusTooManyRequests, Code: "full", Detail: describeLimit(full), RetryAfter: full.RetryAfter,
		}
	}
	if _, ok := errors.AsType[*RunningError](err); ok {
		const detail = "A run is in flight. Wait until it has ended."
		return &httpapi.Problem{Status: http.StatusConflict, Code: "running", Detail: detail}
	}
	if _, ok := errors.AsType[*tracking.StateError](err); ok {
		const detail = "The state of the record does not allow this."
		return &httpapi.Problem{Status: http.StatusConflict, Code: "state", Detail: detail}
	}
	for _, m := range []struct {
		targets []error
		problem httpapi.Problem
	}{
		{[]error{agent.ErrNotWaiting}, httpapi.Problem{
			Status: http.StatusConflict, Code: "not_pending",
			Detail: "No run waits for this decision any more, or the opposite one was recorded.",
		}},
		{[]error{approval.ErrNotFound}, httpapi.Problem{
			Status: http.StatusNotFound, Code: "not_found", Detail: "This request for an approval does not exist.",
		}},
		{[]error{tracking.ErrNotFound}, httpapi.Problem{
			Status: http.StatusNotFound, Code: "not_found", Detail: "The record was not found.",
		}},
		{[]error{ErrNotFound, sse.ErrNotFound}, httpapi.Problem{
			Status: http.StatusNotFound, Code: "not_found", Detail: "The run was not found.",
		}},
		{[]error{approval.ErrDecided}, httpapi.Problem{
			Status: http.StatusConflict, Code: "decided", Detail: "The opposite decision has been recorded.",
		}},
		{[]error{ErrNotPending}, httpapi.Problem{
			Status: http.StatusConflict, Code: "not_pending", Detail: "The run does not wait for this approval any more.",
		}},
		{[]error{agent.ErrWaiting}, httpapi.Problem{
			Status: http.StatusConflict, Code: "waiting", Detail: "Answer the approval first.",
		}},
		{[]error{sse.ErrExpired}, httpapi.Problem{
			Status: http.StatusGone, Code: "expired", Detail: "The events of this run are not kept any longer.",
		}},
		{[]error{ErrTooLarge}, httpapi.Problem{
			Status: http.StatusRequestEntityTooLarge, Code: "too_large", Detail: "The message is too large.",
		}},
		{[]error{ErrKeyReused}, httpapi.Problem{
			Status: http.StatusUnprocessableEntity, Code: "key_reused",
			Detail: "The idempotency key was used for another request.",
		}},
		{[]error{ErrInvalid, scope.ErrInvalid, approval.ErrInvalid}, httpapi.Problem{
			Status: http.StatusBadRequest, Code: "invalid", Detail: "The request has an invalid value.",
		}},
		{[]error{ErrShutdown}, httpapi.Problem{
			Status: http.StatusServiceUnavailable, Code: "shutdown", Detail: "The server is shutting down.",
			RetryAfter: 5 * time.Second,
		}},
		{[]error{table.ErrBusy, tracking.ErrContended}, httpapi.Problem{
			Status: http.StatusServiceUnavailable, Code: "busy", Detail: "The storage is busy. Try again.",
			RetryAfter: 2 * time.Second,
		}},
	} {
		if slices.ContainsFunc(m.targets, func(target error) bool { return errors.Is(err, target) }) {
			return &m.problem
		}
	}
	const detail = "Something went wrong here. It may be tried again."
	return &httpapi.Problem{Status: http.StatusInternalServerError, Code: "internal", Detail: detail}
}

// describeLimit returns a sentence for people about the limit.
func describeLimit(full *admission.FullError) string {
	switch full.Kind {
	case "queued runs":
		return fmt.Sprintf("At most %d runs of your organisation may wait at a time. Try again later.", full.Limit)
	case "process runs":
		return "This server has too many runs at the moment. Try again later."
	case "grants":
		return fmt.Sprintf("Too many of your uploads are in flight: at most %d at a time. "+
			"Finish one of them, or wait until one has expired.", full.Limit)
	}
	wait := formatWait(full.RetryAfter)
	return fmt.Sprintf("The limit of %d %s is reached. Try again in %s.", full.Limit, full.Kind, wait)
}
