package server_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/scope/object"
	"github.com/carrel-go/carrel/tracking"
)

// An accept can be repeated after its process is killed or its store fails.
func TestAcceptAcrossTwoStores(t *testing.T) {
	t.Parallel()
	ready := func(t *testing.T) (*world, string) {
		w := newWorld(t)
		id := w.uploaded(picture(t))
		w.extract(id).last(t)
		return w, id
	}
	t.Run("the store fails", func(t *testing.T) {
		w, id := ready(t)
		w.rawDrv.fail = errors.New("no route to arn:aws:s3:::raw")
		r := w.accept(id, emma)
		require.Equal(t, http.StatusServiceUnavailable, r.Status)
		require.NotContains(t, r.Body, "arn")
		require.Empty(t, w.saved(id))
		status, stages := w.stages(id)
		require.Equal(t, "FAILED", status)
		require.NotContains(t, stages["enrichment"]["error_message"], "arn")
		require.Equal(t, http.StatusOK, w.accept(id, emma).Status)
	})
	t.Run("the store hangs", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			w, id := ready(t)
			w.rawDrv.onPut = func() { time.Sleep(22 * time.Second) } // longer than an accept has
			require.Equal(t, http.StatusServiceUnavailable, w.accept(id, emma).Status)
			status, _ := w.stages(id)
			require.Equal(t, "FAILED", status, "there was time left to say so")
			w.rawDrv.onPut = nil
			require.Equal(t, http.StatusOK, w.accept(id, emma).Status, "no lease is waited for")
		})
	})
	t.Run("the store's answer is lost, the same metadata again", func(t *testing.T) {
		w, id := ready(t)
		w.rawDrv.lose = errors.New("lost")
		require.Equal(t, http.StatusServiceUnavailable, w.accept(id, emma).Status)
		require.Equal(t, http.StatusOK, w.accept(id, emma).Status)
		require.Equal(t, 1, w.rawDrv.puts, "what is there already is not written again")
	})
	t.Run("the store's answer is lost, then other metadata", func(t *testing.T) {
		w, id := ready(t)
		w.rawDrv.lose = errors.New("lost")
		require.Equal(t, http.StatusServiceUnavailable, w.accept(id, emma).Status)
		require.Equal(t, http.StatusOK, w.accept(id, map[string]any{"title": "Persuasion"}).Status)
		require.JSONEq(t, `{"title":"Persuasion"}`, w.saved(id))
	})
	t.Run("something else is there", func(t *testing.T) {
		w, id := ready(t)
		w.leave(id, `{"title":"Persuasion"}`)
		require.Equal(t, http.StatusOK, w.accept(id, emma).Status)
		require.JSONEq(t, `{"title":"Emma"}`, w.saved(id))
	})
	t.Run("the stage is lost between the look and the write", func(t *testing.T) {
		w, id := ready(t)
		w.leave(id, `{"title":"Persuasion"}`)
		w.rawDrv.afterStat = func() {
			_, err := w.tracker.Cancel(t.Context(), w.session(id))
			require.NoError(t, err)
		}
		require.Equal(t, http.StatusConflict, w.accept(id, emma).Status)
		require.JSONEq(t, `{"title":"Persuasion"}`, w.saved(id), "whoever does not hold the stage writes nothing")
	})
	t.Run("another writes between the look and the write", func(t *testing.T) {
		w, id := ready(t)
		w.leave(id, `{"title":"Persuasion"}`)
		w.rawDrv.afterStat = func() {
			w.rawDrv.afterStat = nil
			w.leave(id, `{"title":"Lady Susan"}`)
		}
		require.Equal(t, http.StatusConflict, w.accept(id, emma).Status)
		require.JSONEq(t, `{"title":"Lady Susan"}`, w.saved(id))
	})
	t.Run("the browser leaves in the middle", func(t *testing.T) {
		w, id := ready(t)
		ctx, leave := context.WithCancel(t.Context())
		w.rawDrv.onPut = leave
		w.do(ctx, http.MethodPost, "/api/metadata/accept", fmt.Sprintf(`{"session_id":%q,"metadata":{"title":"Emma"}}`, id))
		require.JSONEq(t, `{"title":"Emma"}`, w.saved(id))
		status, _ := w.stages(id)
		require.Equal(t, "SUCCESS", status)
	})
	t.Run("killed between the two", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			w, id := ready(t)
			session, err := w.user.Session(id)
			require.NoError(t, err)
			key := strings.Repeat("0f", 32)
			_, err = w.tracker.Claim(t.Context(), session, tracking.Enrichment, &tracking.ClaimOptions{Key: key, Lease: 30 * time.Second})
			require.NoError(t, err)
			r := w.accept(id, emma)
			require.Equal(t, http.StatusConflict, r.Status)
			require.Equal(t, "1", r.Header.Get("Retry-After"), "another accept is in flight")
			time.Sleep(31 * time.Second)
			require.Equal(t, http.StatusOK, w.accept(id, emma).Status)
		})
	})
	t.Run("killed between the two, and recovered", func(t *testing.T) {
		w, id := ready(t)
		_, err := w.tracker.Claim(t.Context(), w.session(id), tracking.Enrichment, &tracking.ClaimOptions{Key: strings.Repeat("0f", 32), Lease: 30 * time.Second})
		require.NoError(t, err)
		w.leave(id, `{"title":"Persuasion"}`)
		_, err = w.tracker.Sweep(t.Context(), &tracking.SweepOptions{
			System: w.table.System(), Orphans: true,
			Look: func(context.Context, tracking.Record, tracking.Stage) (object.Ref, bool, error) {
				return object.Ref{}, false, errors.New("nothing is waited for")
			},
		})
		require.NoError(t, err)
		file := w.get("/api/ops/files/" + id).json(t)["file"].(map[string]any)
		require.Equal(t, "FAILED", file["current_status"])
		require.Equal(t, "lost", file["reason"])
		require.Equal(t, true, file["retryable"])
		require.Equal(t, http.StatusOK, w.accept(id, emma).Status, "no lease is waited for")
		require.JSONEq(t, `{"title":"Emma"}`, w.saved(id))
	})
}

// A person types the card of a book that the reader could not read, or that they did not let it read.
func TestAcceptOfATypedCard(t *testing.T) {
	t.Parallel()
	stopped := func(t *testing.T) (*world, string) {
		w := newWorld(t)
		id := w.uploaded(picture(t))
		require.Equal(t, http.StatusConflict, w.accept(id, emma).Status, "the reader was not asked")
		started := make(chan struct{})
		w.model.then(hold(started, nil))
		got := make(chan reply)
		go func() { got <- w.extract(id) }()
		<-started
		require.Equal(t, http.StatusConflict, w.accept(id, emma).Status, "a run is in flight")
		require.Equal(t, http.StatusOK, w.post("/api/runs/"+id+".1/stop", map[string]any{}).Status)
		require.Equal(t, "stopped", (<-got).last(t)["code"])
		return w, id
	}
	requireAccepted := func(t *testing.T, w *world, id string) {
		t.Helper()
		version := w.draft(id).json(t)["version"].(string)
		require.Equal(t, http.StatusOK, w.saveDraft(id, version, emma).Status)
		w.requireDraft(id, `{"title":"Emma"}`, `{"title":"typed"}`)
		require.Equal(t, http.StatusOK, w.accept(id, emma).Status)
		require.JSONEq(t, `{"title":"Emma"}`, w.saved(id))
		w.requireDraft(id, `{"title":"Emma"}`, `{"title":"typed"}`)
		status, _ := w.stages(id)
		require.Equal(t, "SUCCESS", status)
	}
	t.Run("after a stop", func(t *testing.T) {
		w, id := stopped(t)
		requireAccepted(t, w, id)
	})
	t.Run("after a failure", func(t *testing.T) {
		w := newWorld(t)
		id := w.uploaded(picture(t))
		w.model.then(fail(throttled))
		require.Equal(t, "throttled", w.extract(id).last(t)["code"])
		requireAccepted(t, w, id)
	})
	t.Run("the store fails on the last attempt", func(t *testing.T) {
		w, id := stopped(t)
		for range 8 {
			w.model.then(fail(throttled))
			require.Equal(t, "throttled", w.extract(id).last(t)["code"])
		}
		w.rawDrv.fail = errors.New("down")
		require.Equal(t, http.StatusServiceUnavailable, w.accept(id, emma).Status)
		file := w.get("/api/ops/files/" + id).json(t)["file"].(map[string]any)
		require.Equal(t, true, file["retryable"], "a failed accept does not end the record")
		requireAccepted(t, w, id)
	})
	t.Run("killed as soon as it has the stage", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			w, id := stopped(t)
			claim := &tracking.ClaimOptions{Key: strings.Repeat("0f", 32), Lease: 30 * time.Second}
			_, err := w.tracker.Claim(t.Context(), w.session(id), tracking.Enrichment, claim)
			require.NoError(t, err)
			r := w.accept(id, emma)
			require.Equal(t, http.StatusConflict, r.Status)
			require.Equal(t, "1", r.Header.Get("Retry-After"), "another accept is in flight")
			time.Sleep(31 * time.Second)
			requireAccepted(t, w, id)
		})
	})
}
