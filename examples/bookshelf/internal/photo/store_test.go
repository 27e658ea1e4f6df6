package photo

import (
	"context"
	"io"
	"runtime"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/examples/bookshelf/internal/photo/phototest"
	"github.com/carrel-go/carrel/scope/object"
)

// slowStore blocks the second read of each object, that of its pixels, until gate is closed.
type slowStore struct {
	object.Driver

	gate    chan struct{}
	blocked chan struct{} // receives one value for each blocked read

	mu   sync.Mutex
	seen map[string]bool
}

func (s *slowStore) Open(ctx context.Context, a object.Addr, r object.Range) (io.ReadCloser, object.Info, error) {
	s.mu.Lock()
	again := s.seen[a.Key()]
	s.seen[a.Key()] = true
	s.mu.Unlock()
	if again {
		s.blocked <- struct{}{}
		select {
		case <-s.gate:
		case <-ctx.Done():
		}
	}
	return s.Driver.Open(ctx, a, r)
}

// Photos that are read from a slow store do not keep the processors from other work of the same tenant.
func TestReadingFromTheStoreHoldsNoProcessor(t *testing.T) {
	t.Parallel()
	photos := 2 * (runtime.GOMAXPROCS(0) + 1)
	store := &slowStore{
		Driver: object.NewMemory(), gate: make(chan struct{}), blocked: make(chan struct{}, photos), seen: map[string]bool{},
	}
	file := append(phototest.PNG(64, 64, 8, 2, false, false), make([]byte, smallFile)...)
	d := NewDecoder(nil)
	var wg sync.WaitGroup
	for range photos {
		root, ref := newRoot(t, store, file)
		wg.Go(func() {
			_, err := d.Gray(t.Context(), root, ref)
			assert.NoError(t, err)
		})
	}
	for range photos {
		<-store.blocked
	}
	root, _ := newRoot(t, object.NewMemory(), file) // of the same tenant
	done := false
	require.NoError(t, d.Do(t.Context(), root.Scope(), reserve, func() error { done = true; return nil }))
	require.True(t, done)
	close(store.gate)
	wg.Wait()
}
