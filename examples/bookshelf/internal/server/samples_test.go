package server

import (
	"bytes"
	"image/jpeg"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/examples/bookshelf/internal/cover"
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

func TestThumbnailsAreASmallPartOfTheirSamples(t *testing.T) {
	t.Parallel()
	covers := newCovers()
	for _, c := range cover.Samples() {
		whole, err := covers[c.Name+coverFile]()
		require.NoError(t, err)
		small, err := covers[c.Name+thumbnailFile]()
		require.NoError(t, err)
		require.Less(t, len(small), len(whole)/3)
		img, err := jpeg.Decode(bytes.NewReader(small))
		require.NoError(t, err)
		require.Equal(t, cover.ThumbnailWidth, img.Bounds().Dx())
	}
}
