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

// worker does one thing after the other to the sessions of a history, by a
// clock of its own. It forgets no attempt: of most of them it is a zombie.
type worker struct {
	*history
	n       int
	tracker *tracking.Tracker
	rnd     *rand.Rand

	attempts  []attempt
	completed []*op // whose success was confirmed
	failures  []*CheckError
}

type attempt struct {
	*tracking.Attempt
	session scope.Scope
	last    func(context.Context) error // how it was let go of, if it was
}

func (wk *worker) no(check, format string, args ...any) {
	wk.failures = append(wk.failures, &CheckError{Check: check, Err: fmt.Errorf(format, args...)})
}

func (wk *worker) work(ctx context.Context) {
	for _, s := range wk.sessions {
		if wk.rnd.IntN(2) == 0 {
			wk.create(ctx, s)
		}
	}
	for range opsEach {
		s := wk.sessions[wk.rnd.IntN(len(wk.sessions))]
		switch n := wk.rnd.IntN(64); {
		case n < 3:
			wk.create(ctx, s)
		case n < 7:
			wk.observe(ctx, s)
		case n < 22:
			wk.start(ctx, s)
		case n < 32:
			wk.resume(ctx, s)
		case n < 58:
			wk.hold(ctx)
		case n < 60:
			wk.list(ctx, s)
		case n < 62:
			wk.sweep(ctx)
		case n == 62 && wk.rnd.IntN(6) == 0:
			o := &op{name: "cancel", session: s}
			_, err := wk.tracker.Cancel(o.in(ctx), s)
			wk.judge(o, err)
		}
	}
}

func (wk *worker) create(ctx context.Context, s scope.Scope) {
	o := &op{name: "create", session: s}
	name := "a.pdf"
	if wk.rnd.IntN(4) == 0 {
		name = "b.pdf"
	}
	_, err := wk.tracker.Create(o.in(ctx), s, &tracking.CreateOptions{Filename: name})
	if !errors.Is(err, tracking.ErrExists) {
		wk.judge(o, err)
	}
}

func (wk *worker) observation(s scope.Scope) tracking.Observation {
	return tracking.Observation{Stage: upload, Dest: ref(s, "a.pdf")}
}

func (wk *worker) observe(ctx context.Context, s scope.Scope) {
	o := &op{name: "observe", session: s, stage: upload}
	_, err := wk.tracker.Observe(o.in(ctx), s, wk.observation(s))
	wk.judge(o, err)
}

// claim draws what a worker asks for: as in life, mostly what is at hand.
func (wk *worker) claim(name string, s scope.Scope) (*op, *tracking.StartOptions) {
	stages := wk.p.Stages[1:]
	i := min(wk.rnd.IntN(len(stages)), wk.rnd.IntN(len(stages)))
	o := &tracking.StartOptions{Key: fmt.Sprint("key", wk.rnd.IntN(3))}
	if wk.rnd.IntN(3) == 0 {
		proof := wk.observation(s)
		o.Observed = &proof
	}
	return &op{name: name, session: s, stage: stages[i].Stage}, o
}

func (wk *worker) start(ctx context.Context, s scope.Scope) {
	o, options := wk.claim("start", s)
	a, err := wk.tracker.Start(o.in(ctx), s, o.stage, options)
	wk.judge(o, err)
	wk.keep(a, s, err)
}

func (wk *worker) resume(ctx context.Context, s scope.Scope) {
	o, options := wk.claim("resume", s)
	options.TakeOver = wk.rnd.IntN(3) == 0
	a, err := wk.tracker.Resume(o.in(ctx), s, o.stage, options)
	wk.judge(o, err)
	wk.keep(a, s, err)
	if err == nil && options.TakeOver {
		wk.note("took over")
	}
}

func (wk *worker) keep(a *tracking.Attempt, s scope.Scope, err error) {
	if err == nil {
		wk.attempts = append(wk.attempts, attempt{Attempt: a, session: s})
	}
}

func (wk *worker) note(what string) {
	wk.driver.mu.Lock()
	defer wk.driver.mu.Unlock()
	wk.sums[what]++
}

// hold uses an attempt: one of the newest, or any there ever was.
func (wk *worker) hold(ctx context.Context) {
	if len(wk.attempts) == 0 {
		return
	}
	i := len(wk.attempts) - 1
	if wk.rnd.IntN(4) == 0 {
		i = wk.rnd.IntN(len(wk.attempts))
	}
	a := &wk.attempts[i]
	if a.last != nil && wk.rnd.IntN(2) == 0 {
		wk.again(ctx, a)
		return
	}
	dest := object.Ref{}
	if wk.rnd.IntN(2) == 0 {
		dest = ref(a.session, "out.json")
	}
	name, do := "heartbeat", a.Heartbeat
	switch wk.rnd.IntN(12) {
	case 0, 1, 2, 3:
		name, do = "complete", func(ctx context.Context) error { return a.Complete(ctx, dest) }
	case 4, 5:
		name, do = "fail", func(ctx context.Context) error {
			return a.Fail(ctx, &tracking.Error{Code: "throttled", Message: "Too much at once."})
		}
	case 6:
		if wk.rnd.IntN(6) == 0 {
			name, do = "fail", func(ctx context.Context) error {
				return a.Fail(ctx, &tracking.Error{Code: "no_image", Message: "It is no image.", Permanent: true})
			}
		}
	case 7, 8:
		name, do = "park", func(ctx context.Context) error { return a.Park(ctx, time.Hour) }
	case 9:
		name, do = "release", a.Release
	}
	o := &op{name: name, session: a.session, stage: a.Stage(), fence: a.Fence()}
	err := do(o.in(ctx))
	wk.judge(o, err)
	if errors.Is(err, tracking.ErrFenced) {
		wk.note("zombie")
	}
	if err != nil || name == "heartbeat" {
		return
	}
	a.last = do
	if name == "complete" {
		wk.completed = append(wk.completed, o)
		wk.note("completed")
	}
}

// again repeats what has let go of an attempt, as after a lost answer.
func (wk *worker) again(ctx context.Context, a *attempt) {
	o := &op{name: "again", session: a.session, stage: a.Stage(), fence: a.Fence()}
	err := a.last(o.in(ctx))
	wk.judge(o, err)
	if o.rows != 0 {
		wk.no(Replay, "what had let go of %s wrote again", o.stage)
	}
}

// list reads all pages of a user or a tenant.
func (wk *worker) list(ctx context.Context, s scope.Scope) {
	within, err := scope.Tenant(s.TenantID())
	if err == nil && wk.rnd.IntN(2) == 0 {
		within, err = within.User(s.UserID())
	}
	f := tracking.Filter{Limit: 1 + wk.rnd.IntN(3)}
	var page tracking.Page
	for last, pages := "", 0; err == nil; f.Cursor = page.Next {
		if pages++; pages > 60 {
			wk.no(Listing, "a list without end")
			return
		}
		if page, err = wk.tracker.List(ctx, within, f); err != nil {
			break
		}
		for _, r := range page.Records {
			if !within.Contains(r.Scope) {
				wk.no(Tenants, "a record of %s in a list of %s", r.Scope, within)
			}
			if id := r.Scope.SessionID(); last != "" && id >= last {
				wk.no(Listing, "%s is listed after %s", id, last)
			}
			last = r.Scope.SessionID()
		}
		if page.Next == "" {
			return
		}
	}
	wk.no(Answers, "list: %w", err)
}

// judge says whether an answer is one that there may be, and whether what it
// says of a write is so.
func (wk *worker) judge(o *op, err error) {
	wk.driver.mu.Lock()
	rows, faults := o.rows, o.faults
	wk.driver.mu.Unlock()
	// A heartbeat renews once more what it was not told to be renewed. A claim
	// of which the same is true may meanwhile have lost the stage again.
	claims := o.name == "start" || o.name == "resume"
	if rows > 1 && o.name != "heartbeat" && !(claims && faults > 0) {
		wk.no(Replay, "one %s stored %d rows", o.name, rows)
	}
	var refused *tracking.StateError
	switch {
	case err == nil:
	case errors.As(err, &refused):
		if faults == 0 && rows > 0 {
			wk.no(OneFence, "a refused %s has written: %w", o.name, err)
		}
	case errors.Is(err, tracking.ErrNotFound):
		if wk.driver.count(o.session) > 0 && o.name != "observe" && o.name != "start" && o.name != "resume" && o.name != "cancel" {
			wk.no(NoLost, "%s: a record that was stored is not there: %w", o.name, err)
		}
	case errors.Is(err, errCut):
		if faults == 0 {
			wk.no(Answers, "%s: %w", o.name, err)
		}
	case errors.Is(err, tracking.ErrContended), errors.Is(err, table.ErrBusy):
	default:
		wk.no(Answers, "%s: %w", o.name, err)
	}
	if err != nil && !strings.HasPrefix(err.Error(), "tracking: ") {
		wk.no(Answers, "%s: %w", o.name, err)
	}
}
