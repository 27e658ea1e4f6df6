package server_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/table"
	"github.com/carrel-go/carrel/tracking"
)

// tracked makes a record with a title.
func (w *world) tracked(file, title string) string {
	w.t.Helper()
	session, err := identity(w.t, "acme", "ann", false).User.NewSession()
	require.NoError(w.t, err)
	labels := map[string]string{}
	if title != "" {
		labels["title"] = title
	}
	_, err = w.tracker.Create(w.t.Context(), session, &tracking.CreateOptions{Filename: file, Labels: labels})
	require.NoError(w.t, err)
	return session.SessionID()
}

// listed returns the ids of a list.
func (r reply) listed(t *testing.T) []string {
	t.Helper()
	require.Equal(t, http.StatusOK, r.Status, r.Body)
	ids := []string{}
	for _, f := range r.json(t)["files"].([]any) {
		ids = append(ids, f.(map[string]any)["upload_id"].(string))
	}
	return ids
}

func TestFilesAreSearchedByTitleNameAndID(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.as = "acme ann"
	emma := w.tracked("IMG_2041.jpg", "Émile, or O’Reilly’s Emma")
	other := w.tracked("emma.png", "")
	for q, want := range map[string][]string{
		"":               {other, emma},
		"emma":           {other, emma},
		"EMILE oreilly":  {emma},
		"é":              {other, emma}, // an accent does not matter
		"2041":           {emma},
		"img emma":       {emma},
		"emma.png":       {other},
		emma:             {emma},
		emma[20:]:        {emma},
		"nothing":        {},
		"emma jpg\temma": {emma},
		"<script>":       {},
		"ann":            {}, // not the user
	} {
		r := w.get("/api/ops/files?q=" + url.QueryEscape(q))
		require.Equal(t, want, r.listed(t), "%q", q)
		if q != "" {
			require.Equal(t, false, r.json(t)["capped"])
		}
	}
	require.Equal(t, []string{emma}, w.get("/api/ops/files?q=emma&status=active&limit=1&cursor="+
		w.get("/api/ops/files?q=emma&status=active&limit=1").json(t)["next"].(string)).listed(t))
	for _, q := range []string{" ", "\xff", strings.Repeat("x", 201)} {
		require.Equal(t, http.StatusBadRequest, w.get("/api/ops/files?q="+url.QueryEscape(q)).Status, "%q", q)
	}
	w.as = "acme bob"
	require.Empty(t, w.get("/api/ops/files?q=emma").listed(t))
	w.as = "acme carol ops"
	require.Len(t, w.get("/api/ops/files?q=emma").listed(t), 2)
	require.Empty(t, w.get("/api/ops/files?q=emma&owner=me").listed(t))
	w.as = "globex carol ops"
	require.Empty(t, w.get("/api/ops/files?q=emma").listed(t))
}

// A search reads a bounded number of rows and says that it has not read all of them.
func TestASearchAmongManyFilesIsCapped(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.as = "acme ann"
	oldest := w.tracked("needle.jpg", "")
	for i := range 2500 {
		w.tracked(fmt.Sprintf("hay-%d.jpg", i), "")
	}
	page := w.get("/api/ops/files?q=needle")
	require.Empty(t, page.listed(t))
	require.Equal(t, true, page.json(t)["capped"])
	page = w.get("/api/ops/files?q=needle&cursor=" + page.json(t)["next"].(string))
	require.Equal(t, []string{oldest}, page.listed(t))
	require.Equal(t, false, page.json(t)["capped"])

	page = w.get("/api/ops/files?q=hay&limit=100")
	require.Len(t, page.listed(t), 100)
	require.Equal(t, false, page.json(t)["capped"], "the page is full")
	counts := w.get("/api/ops/counts").json(t)
	require.Equal(t, map[string]any{
		"all": 1000.0, "active": 1000.0, "waiting": 0.0, "failed": 0.0, "success": 0.0, "capped": true,
	}, counts)
}

// Many slow searches of one tenant do not delay those of another.
func TestSearchesOfOneTenantDoNotDelayThoseOfAnother(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.as = "acme ann"
	w.tracked("emma.jpg", "")
	slow, release := make(chan struct{}, 100), make(chan struct{})
	partition, err := identity(t, "acme", "ann", false).User.Index(scope.UserLevel, string(tracking.ClassSuccess))
	require.NoError(t, err)
	w.rows.onQuery = func(q table.DriverQuery) {
		if q.Key.Partition() == partition {
			slow <- struct{}{}
			<-release
		}
	}
	search := func(who string) reply { return w.ask("GET", "/api/ops/files?q=emma", "", "Authorization", who) }
	var noise sync.WaitGroup
	for range 20 {
		noise.Go(func() { search("acme ann") })
	}
	for range 4 {
		<-slow
	}
	for range 8 {
		require.Equal(t, http.StatusOK, search("globex eve").Status)
	}
	require.Empty(t, slow, "the other searches of the tenant wait")
	close(release)
	noise.Wait()
}
