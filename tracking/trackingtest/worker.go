package trackingtest

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/object"
	"github.com/carrel-go/carrel/scope/table"
	"github.com/carrel-go/carrel/tracking"
)

// worker performs random operations on the sessions of a history, by a separate
// clock. It keeps all its attempts, also those that it has lost.
type worker struct {
	*history
	n       int
	tracker *tracking.Tracker
	rnd     *rand.Rand

	attempts  []attempt
	completed []*op // whose success was confirmed
}

type attempt struct {
	*tracking.Attempt
	session scope.Scope
	last    func(context.Context) error // the operation that ended it, or nil
}

func (wk *worker) reportFailure(check, format string, args ...any) {
	wk.found.addFinding(check, fmt.Errorf(format, args...))
}

func (wk *worker) workOnSessions(ctx context.Context) {
	for _, s := range wk.sessions {
		if wk.rnd.IntN(2) == 0 {
			wk.createRecord(ctx, s)
		}
	}
	for range opsEach {
		s := wk.sessions[wk.rnd.IntN(len(wk.sessions))]
		switch n := wk.rnd.IntN(64); {
		case n < 3:
			wk.createRecord(ctx, s)
		case n < 7:
			wk.observeUpload(ctx, s)
		case n < 32:
			wk.claimStage(ctx, s, n >= 22)
		case n < 58:
			wk.useAttempt(ctx)
		case n < 60:
			wk.listPages(ctx, s)
		case n < 62:
			wk.sweepTable(ctx)
		case n == 62 && wk.rnd.IntN(6) == 0:
			o := &op{name: "cancel", session: s}
			_, err := wk.tracker.Cancel(o.inContext(ctx), s)
			wk.judgeAnswer(o, err)
		}
	}
}

func (wk *worker) createRecord(ctx context.Context, s scope.Scope) {
	o := &op{name: "create", session: s}
	name := "a.pdf"
	if wk.rnd.IntN(4) == 0 {
		name = "b.pdf"
	}
	_, err := wk.tracker.Create(o.inContext(ctx), s, &tracking.CreateOptions{Filename: name})
	if !errors.Is(err, tracking.ErrExists) {
		wk.judgeAnswer(o, err)
	}
}

func (wk *worker) newObservation(s scope.Scope) tracking.Observation {
	return tracking.Observation{Stage: upload, Dest: wk.newRef(s, "a.pdf")}
}

func (wk *worker) observeUpload(ctx context.Context, s scope.Scope) {
	o := &op{name: "observe", session: s, stage: upload}
	_, err := wk.tracker.Observe(o.inContext(ctx), s, wk.newObservation(s))
	wk.judgeAnswer(o, err)
}

// claimStage claims a random stage, mostly an early one, and sometimes takes it over
// or acts as an automatic worker.
func (wk *worker) claimStage(ctx context.Context, s scope.Scope, takes bool) {
	stages := wk.p.Stages[1:]
	i := min(wk.rnd.IntN(len(stages)), wk.rnd.IntN(len(stages)))
	options := &tracking.ClaimOptions{Key: fmt.Sprint("key", wk.rnd.IntN(3))}
	if wk.rnd.IntN(3) == 0 {
		proof := wk.newObservation(s)
		options.Observed = &proof
	}
	rare := wk.rnd.IntN(3) == 0
	options.TakeOver, options.Automatic = rare && takes, rare && !takes
	o := &op{name: "claim", session: s, stage: stages[i].Stage}
	a, err := wk.tracker.Claim(o.inContext(ctx), s, o.stage, options)
	wk.judgeAnswer(o, err)
	if err != nil {
		return
	}
	wk.attempts = append(wk.attempts, attempt{Attempt: a, session: s})
	if options.TakeOver {
		wk.countEvent("took over")
	}
}

func (wk *worker) countEvent(what string) {
	wk.driver.mu.Lock()
	defer wk.driver.mu.Unlock()
	wk.sums[what]++
}

// useAttempt performs an operation on the newest attempt or on a random one.
func (wk *worker) useAttempt(ctx context.Context) {
	if len(wk.attempts) == 0 {
		return
	}
	i := len(wk.attempts) - 1
	if wk.rnd.IntN(4) == 0 {
		i = wk.rnd.IntN(len(wk.attempts))
	}
	a := &wk.attempts[i]
	if a.last != nil && wk.rnd.IntN(2) == 0 {
		wk.repeatLast(ctx, a)
		return
	}
	dest := object.Ref{}
	if wk.rnd.IntN(2) == 0 {
		dest = wk.newRef(a.session, "out.json")
	}
	name, do := "heartbeat", a.Heartbeat
	switch wk.rnd.IntN(12) {
	case 0, 1, 2, 3:
		name, do = "complete", func(ctx context.Context) error { return a.Complete(ctx, dest) }
	case 4, 5:
		name, do = "fail", func(ctx context.Context) error {
			return a.Fail(ctx, &tracking.Error{Code: "throttled", Message: "Too much at once.", Retryable: true})
		}
	case 6:
		if wk.rnd.IntN(6) == 0 {
			name, do = "fail", func(ctx context.Context) error {
				return a.Fail(ctx, &tracking.Error{Code: "no_image", Message: "This is not an image."})
			}
		}
	case 7, 8:
		name, do = "park", func(ctx context.Context) error { return a.Park(ctx, time.Hour) }
	case 9:
		name, do = "release", a.Release
	}
	o := &op{name: name, session: a.session, stage: a.Stage(), fence: a.Fence()}
	err := do(o.inContext(ctx))
	wk.judgeAnswer(o, err)
	if errors.Is(err, tracking.ErrFenced) {
		wk.countEvent("zombie")
	}
	if err != nil || name == "heartbeat" {
		return
	}
	a.last = do
	if name == "complete" {
		wk.completed = append(wk.completed, o)
		wk.countEvent("completed")
	}
}

// repeatLast repeats the operation that ended an attempt, as after a lost answer.
func (wk *worker) repeatLast(ctx context.Context, a *attempt) {
	o := &op{name: "again", session: a.session, stage: a.Stage(), fence: a.Fence()}
	err := a.last(o.inContext(ctx))
	wk.judgeAnswer(o, err)
	if o.rows != 0 {
		wk.reportFailure(propReplay, "the repeated end of an attempt at %s wrote again", o.stage)
	}
}

// listPages reads all pages of a user or a tenant.
func (wk *worker) listPages(ctx context.Context, s scope.Scope) {
	within, err := scope.Tenant(s.TenantID())
	if err == nil && wk.rnd.IntN(2) == 0 {
		within, err = within.User(s.UserID())
	}
	f := tracking.Filter{Limit: 1 + wk.rnd.IntN(3)}
	var page tracking.Page
	for last, pages := "", 0; err == nil; f.Cursor = page.Next {
		if pages++; pages > 60 {
			wk.reportFailure(propListing, "a list does not end")
			return
		}
		if page, err = wk.tracker.List(ctx, within, f); err != nil {
			break
		}
		for _, r := range page.Records {
			if !within.Contains(r.Scope) {
				wk.reportFailure(propTenants, "a record of %s in a list of %s", r.Scope, within)
			}
			if id := r.Scope.SessionID(); last != "" && id >= last {
				wk.reportFailure(propListing, "%s is listed after %s", id, last)
			}
			last = r.Scope.SessionID()
		}
		if page.Next == "" {
			return
		}
	}
	wk.reportFailure(propAnswers, "list: %w", err)
}

// judgeAnswer checks that an answer is documented and agrees with the stored rows.
func (wk *worker) judgeAnswer(o *op, err error) {
	wk.driver.mu.Lock()
	rows, faults := o.rows, o.faults
	wk.driver.mu.Unlock()
	// A heartbeat whose answer was lost renews the lease again. A claim whose
	// answer was lost may have lost the stage again in the meantime.
	claims := o.name == "claim"
	if rows > 1 && o.name != "heartbeat" && !(claims && faults > 0) {
		wk.reportFailure(propReplay, "one %s stored %d rows", o.name, rows)
	}
	var refused *tracking.StateError
	switch {
	case err == nil:
	case errors.As(err, &refused):
		if faults == 0 && rows > 0 {
			wk.reportFailure(propOneFence, "a rejected %s wrote: %w", o.name, err)
		}
	case errors.Is(err, tracking.ErrNotFound):
		if wk.driver.countRows(o.session) > 0 && o.name != "observe" && o.name != "claim" && o.name != "cancel" {
			wk.reportFailure(propNoLost, "%s: a stored record was not found: %w", o.name, err)
		}
	case errors.Is(err, errCut):
		if faults == 0 {
			wk.reportFailure(propAnswers, "%s: %w", o.name, err)
		}
	case errors.Is(err, tracking.ErrContended), errors.Is(err, table.ErrBusy):
	default:
		wk.reportFailure(propAnswers, "%s: %w", o.name, err)
	}
	if err != nil && !strings.HasPrefix(err.Error(), "tracking: ") {
		wk.reportFailure(propAnswers, "%s: %w", o.name, err)
	}
}
