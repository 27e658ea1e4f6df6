package trackingtest

import (
	"context"
	"errors"
	"fmt"

	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/object"
	"github.com/carrel-go/carrel/tracking"
)

// act is a step of a life.
type act struct {
	name   string
	renews bool // done again it is another write: a claim, a heartbeat
	do     func(context.Context, *life) error
}

// life is one record's way, by one worker after the other.
type life struct {
	tr  *tracking.Tracker
	s   scope.Scope
	now *tracking.Attempt
}

func starts(st tracking.Stage, observed bool) act {
	return act{"start " + string(st), true, func(ctx context.Context, l *life) (err error) {
		o := &tracking.StartOptions{Key: "run 1"}
		if observed {
			o.Observed = &tracking.Observation{Stage: upload, Dest: ref(l.s, "a.pdf")}
		}
		l.now, err = l.tr.Start(ctx, l.s, st, o)
		return err
	}}
}

func resumes() act {
	return act{"resume", true, func(ctx context.Context, l *life) (err error) {
		l.now, err = l.tr.Resume(ctx, l.s, tracking.Enrichment, &tracking.StartOptions{Key: "run 2"})
		return err
	}}
}

func create() act {
	return act{"create", false, func(ctx context.Context, l *life) error {
		_, err := l.tr.Create(ctx, l.s, &tracking.CreateOptions{Filename: "a.pdf"})
		return err
	}}
}

func observe() act {
	return act{"observe", false, func(ctx context.Context, l *life) error {
		_, err := l.tr.Observe(ctx, l.s, tracking.Observation{Stage: upload, Dest: ref(l.s, "a.pdf")})
		return err
	}}
}

func uses(name string, do func(context.Context, *tracking.Attempt) error) act {
	return act{name, name == "heartbeat", func(ctx context.Context, l *life) error { return do(ctx, l.now) }}
}

func parks() act {
	return uses("park", func(ctx context.Context, a *tracking.Attempt) error { return a.Park(ctx, 0) })
}

func completes() act {
	return uses("complete", func(ctx context.Context, a *tracking.Attempt) error { return a.Complete(ctx, object.Ref{}) })
}

func fails() act {
	return uses("fail", func(ctx context.Context, a *tracking.Attempt) error {
		return a.Fail(ctx, &tracking.Error{Code: "throttled", Message: "Too much at once."})
	})
}

func beats() act {
	return uses("heartbeat", func(ctx context.Context, a *tracking.Attempt) error { return a.Heartbeat(ctx) })
}

func releases() act {
	return uses("release", func(ctx context.Context, a *tracking.Attempt) error { return a.Release(ctx) })
}

type script struct {
	p    tracking.Pipeline
	acts []act
}

// lives are scripts whose every act is one write.
func lives() map[string]script {
	e := tracking.Enrichment
	return map[string]script{
		"an upload that its extraction proves": {uploads(), []act{create(), starts(e, true), beats(), parks(), resumes(), completes()}},
		"an upload with setbacks": {uploads(), []act{
			create(), observe(), starts(e, false), fails(), starts(e, false), releases(), resumes(), parks(),
			resumes(), fails(), resumes(), completes(),
		}},
		"a document": {refined(), []act{
			create(), observe(), starts("analysed", false), completes(), starts("processed", false), fails(),
			starts("processed", false), beats(), completes(), starts("embedding", false), completes(),
		}},
	}
}

// replays loses every write of a life, and every answer, and does everything
// twice: each act is stored once.
func replays(w *world) {
	n := 0
	for name, script := range lives() {
		for _, lost := range []loss{{"nothing", 0, 0}, {"a write", 1, 0}, {"an answer", 0, 1}, {"two writes", 2, 0}, {"two answers", 0, 2}} {
			l := &life{tr: w.tracker(script.p, 0), s: session(w.user("t", "u"), n)}
			if n++; w.short() && lost.before+lost.after != 1 {
				continue
			}
			for i, a := range script.acts {
				what := fmt.Sprintf("%s, act %d, %s, with %s lost", name, i+1, a.name, lost.name)
				w.replay(l, a, lost, what)
				if got := w.driver.count(l.s); got != i+1 {
					fail("%s: %d rows", what, got)
				}
			}
			r, err := l.tr.Get(w.ctx, l.s)
			must(err, name)
			if r.Status != tracking.StatusSuccess {
				fail("%s, with %s lost: it ends as %s", name, lost.name, r.Status)
			}
		}
	}
}

// loss is how many writes, or answers to them, an act loses.
type loss struct {
	name          string
	before, after int
}

// replay does the act while something is lost, and then once more, as somebody
// does who was not told.
func (w *world) replay(l *life, a act, lost loss, what string) {
	switch {
	case a.name == "heartbeat":
		lost.after = 0 // it renews again, which does no harm
	case a.renews:
		lost.after = min(lost.after, 1) // who was told nothing, not even the second time, holds nothing to ask again with
	}
	w.driver.fault = func() (before, after bool) {
		switch {
		case lost.before > 0:
			lost.before--
			return true, false
		case lost.after > 0:
			lost.after--
			return false, true
		}
		return false, false
	}
	err := a.do(w.ctx, l)
	w.driver.fault = nil
	if err != nil && !errors.Is(err, errCut) {
		fail("%s: %w", what, err)
	}
	if err != nil || !a.renews {
		must(a.do(w.ctx, l), what+", repeated")
	}
}
