package server

import (
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// However many ask for a sample at once, it is rendered once.
func TestSamplesAreRenderedOnce(t *testing.T) {
	t.Parallel()
	for name, render := range newCovers() {
		first, err := render()
		require.NoError(t, err, name)
		var wg sync.WaitGroup
		for range 8 {
			wg.Go(func() {
				if again, err := render(); assert.NoError(t, err) {
					assert.Same(t, &first[0], &again[0])
				}
			})
		}
		wg.Wait()
	}
}
