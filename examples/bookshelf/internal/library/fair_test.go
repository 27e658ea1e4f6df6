package library_test

import (
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/examples/bookshelf/internal/library"
	"github.com/carrel-go/carrel/internal/must"
	"github.com/carrel-go/carrel/scope"
)

// Many slow searches of one tenant do not delay those of another.
func TestSearchesOfOneTenantDoNotDelayAnother(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.added(w.user, `{"title":"Emma"}`)
	eve := must.Get(must.Get(scope.Tenant("globex")).User("eve"))
	id := w.added(eve, `{"title":"Emma"}`)
	slow, release := make(chan struct{}, 100), make(chan struct{})
	w.rows.onQuery(func(partition string) {
		if partition == w.user.Partition() {
			slow <- struct{}{}
			<-release
		}
	})
	search := func(user scope.Scope) library.Page {
		page, err := must.Get(w.library.Open(user, scope.Scope{})).List(t.Context(), &library.ListOptions{Text: "emma"})
		require.NoError(t, err)
		return page
	}
	var noise sync.WaitGroup
	for range 20 {
		noise.Go(func() { search(w.user) })
	}
	for range 4 {
		<-slow
	}
	for range 8 {
		require.Equal(t, id, search(eve).Books[0].ID)
	}
	require.Empty(t, slow, "the other searches of the tenant wait")
	close(release)
	noise.Wait()
}
