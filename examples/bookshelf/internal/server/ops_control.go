package server

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"github.com/carrel-go/carrel/agent/runner"
	"github.com/carrel-go/carrel/httpapi"
	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/tracking"
)

// retryFile answers POST /api/ops/files/{id}/retry: it starts a new run on an upload that has failed and can be
// retried. A repeated retry gets the same run.
func (s *Server) retryFile(w http.ResponseWriter, r *http.Request) error {
	rec, err := s.findWatched(r)
	if err != nil {
		return err
	}
	run, err := s.retryUpload(r.Context(), rec.Scope)
	if p, ok := errors.AsType[*problem](err); ok && p.Status == http.StatusConflict {
		return s.withFile(r, p, rec.Scope)
	}
	if err != nil {
		return err
	}
	if callerOf(r).Contains(rec.Scope) { // others cannot follow it
		w.Header().Set("Location", eventsPath(run))
	}
	return httpapi.WriteJSON(w, map[string]string{"status": "retrying", "run_id": run})
}

// retryUpload starts a run on a failed upload, or finds the one that another retry has started. The key of the run
// names the run before, so that of concurrent retries one starts a run, and the others find it.
func (s *Server) retryUpload(ctx context.Context, session scope.Scope) (string, error) {
	newest, err := s.runs.Get(ctx, session, "")
	if err != nil && !errors.Is(err, runner.ErrNotFound) {
		return "", err
	}
	last := 0 // also if the runs of the session are not kept any longer
	if newest != nil {
		if last, err = runNumber(session, newest.ID); err != nil {
			return "", err
		}
	}
	rec, err := s.o.Tracker.Get(ctx, session)
	if err != nil {
		return "", err
	}
	if rec.Terminal {
		return "", newProblem(http.StatusConflict, "The upload has ended and cannot be retried.")
	}
	if rec.Status == tracking.StatusFailed && (newest == nil || newest.Status.HasEnded()) {
		run, err := s.startRun(ctx, rec, retryRequest(session, last))
		if err == nil {
			return run, nil
		}
		if run, findErr := s.findRetry(ctx, session, last); findErr != nil || run != "" { // another retry was faster
			return run, findErr
		}
		return "", err
	}
	for _, n := range []int{last, last - 1} { // a retry after the newest run, or the newest run itself
		if run, err := s.findRetry(ctx, session, n); err != nil || run != "" {
			return run, err
		}
	}
	return "", newProblem(http.StatusConflict, "Only an upload that has failed can be retried.")
}

// retryRequest returns the request of the run that retries after the session's n-th run. No client can send its key.
func retryRequest(session scope.Scope, n int) runner.Request {
	return runner.Request{Scope: session, Key: "retry after " + strconv.Itoa(n)}
}

// findRetry returns the run that a retry has started after the session's n-th run, or "".
func (s *Server) findRetry(ctx context.Context, session scope.Scope, n int) (string, error) {
	run, err := s.runs.Find(ctx, retryRequest(session, n))
	if errors.Is(err, runner.ErrNotFound) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	return run.ID, nil
}

// runNumber returns n of the run "<session>.<n>".
func runNumber(session scope.Scope, run string) (int, error) {
	text, ok := strings.CutPrefix(run, session.SessionID()+".")
	n, err := strconv.Atoi(text)
	if !ok || err != nil {
		return 0, fmt.Errorf("server: invalid run id %.80q", run)
	}
	return n, nil
}

// cancelFile answers POST /api/ops/files/{id}/cancel: it ends the record, stops its run and deletes the upload. The
// write that ends the record decides. A later cancel repeats what a crash has left undone.
func (s *Server) cancelFile(w http.ResponseWriter, r *http.Request) error {
	rec, err := s.findWatched(r)
	if err != nil {
		return err
	}
	// Continue if the client disconnects now, so that the run is stopped too.
	ctx, done := context.WithTimeout(context.WithoutCancel(r.Context()), settleTime)
	defer done()
	rec, err = s.o.Tracker.Cancel(ctx, rec.Scope)
	switch {
	case errors.Is(err, tracking.ErrTerminal):
		p := newProblem(http.StatusConflict, "The upload has ended and cannot be cancelled.")
		return s.withFile(r, p, rec.Scope)
	case errors.Is(err, tracking.ErrContended):
		p := newProblem(http.StatusConflict, "Somebody else is working on this upload. Try again.")
		return s.withFile(r, p.WithHeader("Retry-After", "1"), rec.Scope)
	case err != nil:
		return err
	}
	if err := s.stopNewestRun(ctx, rec.Scope); err != nil { // it ends anyway, since it has lost its stage
		s.o.Log.ErrorContext(ctx, "cancel: stop the run", "scope", rec.Scope.String(), "err", err)
	}
	s.o.Arrivals.Discard(ctx, rec)
	file, err := newFile(r, rec)
	if err != nil {
		return err
	}
	return httpapi.WriteJSON(w, map[string]any{"file": file})
}

// stopNewestRun stops the run of a session that is in flight, if there is one.
func (s *Server) stopNewestRun(ctx context.Context, session scope.Scope) error {
	run, err := s.runs.Get(ctx, session, "")
	if errors.Is(err, runner.ErrNotFound) || err == nil && run.Status.HasEnded() {
		return nil
	}
	if err != nil {
		return err
	}
	return s.runs.Stop(ctx, session, run.ID)
}

// withFile returns the problem with the current record of the upload.
func (s *Server) withFile(r *http.Request, p *problem, session scope.Scope) error {
	rec, err := s.o.Tracker.Get(r.Context(), session)
	if err != nil {
		return err
	}
	file, err := newFile(r, rec)
	if err != nil {
		return err
	}
	conflict := *p
	conflict.Members = map[string]any{"file": file}
	return &conflict
}
