package trackingtest

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/object"
	"github.com/carrel-go/carrel/tracking"
)

// act is one operation of a life: a name and, for a claim, the stage.
type act string

// isRenewal reports whether a repetition of the act writes again.
func (a act) isRenewal() bool { return a.claimedStage() != "" || a == "heartbeat" }

func (a act) claimedStage() tracking.Stage {
	_, st, _ := strings.Cut(string(a), " ")
	return tracking.Stage(st)
}

// life is a record that one worker after another processes.
type life struct {
	w  *world
	tr *tracking.Tracker
	s  scope.Scope
	a  *tracking.Attempt // the latest
}

func (l *life) performAct(ctx context.Context, a act) (err error) {
	proof := tracking.Observation{Stage: upload, Dest: l.w.newRef(l.s, "a.pdf")}
	claim := &tracking.ClaimOptions{Key: "run"}
	switch name, _, _ := strings.Cut(string(a), " "); name {
	case "create":
		_, err = l.tr.Create(ctx, l.s, &tracking.CreateOptions{Filename: "a.pdf"})
	case "observe":
		_, err = l.tr.Observe(ctx, l.s, proof)
	case "prove":
		claim.Observed = &proof
		fallthrough
	case "claim":
		l.a, err = l.tr.Claim(ctx, l.s, a.claimedStage(), claim)
	case "heartbeat":
		err = l.a.Heartbeat(ctx)
	case "park":
		err = l.a.Park(ctx, 0)
	case "release":
		err = l.a.Release(ctx)
	case "complete":
		err = l.a.Complete(ctx, object.Ref{})
	case "fail":
		err = l.a.Fail(ctx, &tracking.Error{Code: "throttled", Message: "Too much at once.", Retryable: true})
	default:
		err = fmt.Errorf("unknown act %q", a)
	}
	return err
}

type script struct {
	p    tracking.Pipeline
	acts []act
}

// lifeScripts returns scripts in which every act is one write.
func lifeScripts() map[string]script {
	return map[string]script{
		"an upload that its extraction proves": {uploadPipeline(), []act{
			"create", "prove enrichment", "heartbeat", "park", "claim enrichment", "complete",
		}},
		"an upload with setbacks": {uploadPipeline(), []act{
			"create", "observe", "claim enrichment", "fail", "claim enrichment", "release", "claim enrichment", "park",
			"claim enrichment", "fail", "claim enrichment", "complete",
		}},
		"a document": {documentPipeline(), []act{
			"create", "observe", "claim analysed", "complete", "claim processed", "fail",
			"claim processed", "heartbeat", "complete", "claim embedding", "complete",
		}},
	}
}

// checkReplays loses every write and every answer of a life, and repeats every
// act. Each act must be stored once.
func checkReplays(w *world) {
	n := 0
	for name, script := range lifeScripts() {
		for _, lost := range []loss{{"nothing", 0, 0}, {"a write", 1, 0}, {"an answer", 0, 1}, {"two writes", 2, 0},
			{"two answers", 0, 2}} {
			l := &life{w: w, tr: w.newTracker(script.p, 0), s: w.newSession(w.newUser("t", "u"), n)}
			if n++; w.isShort() && lost.before+lost.after != 1 {
				continue
			}
			for i, a := range script.acts {
				what := fmt.Sprintf("%s, act %d, %s, with %s lost", name, i+1, a, lost.name)
				w.replayAct(l, a, lost, what)
				if got := w.driver.countRows(l.s); got != i+1 {
					w.failCheck("%s: %d rows", what, got)
				}
			}
			r, err := l.tr.Get(w.ctx, l.s)
			w.mustSucceed(err, name)
			if r.Status != tracking.StatusSuccess {
				w.failCheck("%s, with %s lost: the record ends as %s", name, lost.name, r.Status)
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
	case a == "heartbeat":
		lost.after = 0 // it renews the lease again, which is harmless
	case a.isRenewal():
		lost.after = min(lost.after, 1) // after two lost answers the caller does not hold an attempt to repeat
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
	err := l.performAct(w.ctx, a)
	w.driver.fault = nil
	if err != nil && !errors.Is(err, errCut) {
		w.failCheck("%s: %w", what, err)
	}
	if err != nil || !a.isRenewal() {
		w.mustSucceed(l.performAct(w.ctx, a), what+", repeated")
	}
}
