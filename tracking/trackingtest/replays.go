package trackingtest

import (
	"context"
	"errors"
	"fmt"

	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/object"
	"github.com/carrel-go/carrel/tracking"
)

// act is one operation of a life.
type act struct {
	name   string
	renews bool // a repetition writes again, as claims and heartbeats do
	do     func(context.Context, *life) error
}

// life is a record that one worker after another processes.
type life struct {
	w   *world
	tr  *tracking.Tracker
	s   scope.Scope
	now *tracking.Attempt
}

func claimAct(st tracking.Stage, observed bool) act {
	return act{"start " + string(st), true, func(ctx context.Context, l *life) (err error) {
		o := &tracking.ClaimOptions{Key: "run 1"}
		if observed {
			o.Observed = &tracking.Observation{Stage: upload, Dest: l.w.ref(l.s, "a.pdf")}
		}
		l.now, err = l.tr.Claim(ctx, l.s, st, o)
		return err
	}}
}

func resumeAct() act {
	return act{"resume", true, func(ctx context.Context, l *life) (err error) {
		l.now, err = l.tr.Claim(ctx, l.s, tracking.Enrichment, &tracking.ClaimOptions{Key: "run 2"})
		return err
	}}
}

func createAct() act {
	return act{"create", false, func(ctx context.Context, l *life) error {
		_, err := l.tr.Create(ctx, l.s, &tracking.CreateOptions{Filename: "a.pdf"})
		return err
	}}
}

func observeAct() act {
	return act{"observe", false, func(ctx context.Context, l *life) error {
		_, err := l.tr.Observe(ctx, l.s, tracking.Observation{Stage: upload, Dest: l.w.ref(l.s, "a.pdf")})
		return err
	}}
}

func attemptAct(name string, do func(context.Context, *tracking.Attempt) error) act {
	return act{name, name == "heartbeat", func(ctx context.Context, l *life) error { return do(ctx, l.now) }}
}

func parkAct() act {
	return attemptAct("park", func(ctx context.Context, a *tracking.Attempt) error { return a.Park(ctx, 0) })
}

func completeAct() act {
	return attemptAct("complete", func(ctx context.Context, a *tracking.Attempt) error { return a.Complete(ctx, object.Ref{}) })
}

func failAct() act {
	return attemptAct("fail", func(ctx context.Context, a *tracking.Attempt) error {
		return a.Fail(ctx, &tracking.Error{Code: "throttled", Message: "Too much at once.", Retryable: true})
	})
}

func heartbeatAct() act {
	return attemptAct("heartbeat", func(ctx context.Context, a *tracking.Attempt) error { return a.Heartbeat(ctx) })
}

func releaseAct() act {
	return attemptAct("release", func(ctx context.Context, a *tracking.Attempt) error { return a.Release(ctx) })
}

type script struct {
	p    tracking.Pipeline
	acts []act
}

// lifeScripts returns scripts in which every act is one write.
func lifeScripts() map[string]script {
	e := tracking.Enrichment
	return map[string]script{
		"an upload that its extraction proves": {uploadPipeline(), []act{createAct(), claimAct(e, true), heartbeatAct(), parkAct(), resumeAct(), completeAct()}},
		"an upload with setbacks": {uploadPipeline(), []act{
			createAct(), observeAct(), claimAct(e, false), failAct(), claimAct(e, false), releaseAct(), resumeAct(), parkAct(),
			resumeAct(), failAct(), resumeAct(), completeAct(),
		}},
		"a document": {documentPipeline(), []act{
			createAct(), observeAct(), claimAct("analysed", false), completeAct(), claimAct("processed", false), failAct(),
			claimAct("processed", false), heartbeatAct(), completeAct(), claimAct("embedding", false), completeAct(),
		}},
	}
}

// checkReplays loses every write and every answer of a life, and repeats every
// act. Each act must be stored once.
func checkReplays(w *world) {
	n := 0
	for name, script := range lifeScripts() {
		for _, lost := range []loss{{"nothing", 0, 0}, {"a write", 1, 0}, {"an answer", 0, 1}, {"two writes", 2, 0}, {"two answers", 0, 2}} {
			l := &life{w: w, tr: w.tracker(script.p, 0), s: w.session(w.user("t", "u"), n)}
			if n++; w.isShort() && lost.before+lost.after != 1 {
				continue
			}
			for i, a := range script.acts {
				what := fmt.Sprintf("%s, act %d, %s, with %s lost", name, i+1, a.name, lost.name)
				w.replayAct(l, a, lost, what)
				if got := w.driver.countRows(l.s); got != i+1 {
					w.fail("%s: %d rows", what, got)
				}
			}
			r, err := l.tr.Get(w.ctx, l.s)
			w.must(err, name)
			if r.Status != tracking.StatusSuccess {
				w.fail("%s, with %s lost: the record ends as %s", name, lost.name, r.Status)
			}
		}
	}
}

// loss is the number of writes or answers that an act loses.
type loss struct {
	name          string
	before, after int
}

// replayAct performs the act while something is lost, and then repeats it, as a
// caller without an answer does.
func (w *world) replayAct(l *life, a act, lost loss, what string) {
	switch {
	case a.name == "heartbeat":
		lost.after = 0 // it renews the lease again, which is harmless
	case a.renews:
		lost.after = min(lost.after, 1) // after two lost answers the caller holds no attempt to repeat
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
		w.fail("%s: %w", what, err)
	}
	if err != nil || !a.renews {
		w.must(a.do(w.ctx, l), what+", repeated")
	}
}
