package photo

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"image"
	"image/color"
	"image/jpeg"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/examples/bookshelf/internal/photo/phototest"
	"github.com/carrel-go/carrel/internal/must"
	"github.com/carrel-go/carrel/scope/object"
	"github.com/carrel-go/carrel/tools"
)

func readThumbnail(t *testing.T, file []byte) (image.Image, error) {
	t.Helper()
	root, ref := newRoot(t, object.NewMemory(), file)
	small, err := NewDecoder(nil).Thumbnail(t.Context(), root, ref)
	if err != nil {
		return nil, err
	}
	return must.Get(jpeg.Decode(bytes.NewReader(small))), nil
}

// drawQuarters returns a picture with a colour in each corner, the last one half transparent.
func drawQuarters(w, h int) *image.NRGBA {
	img := image.NewNRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			c := color.NRGBA{R: 255, A: 255}
			switch {
			case x >= w/2 && y < h/2:
				c = color.NRGBA{G: 200, A: 255}
			case x < w/2 && y >= h/2:
				c = color.NRGBA{B: 255, A: 255}
			case x >= w/2 && y >= h/2:
				c = color.NRGBA{A: 128}
			}
			img.SetNRGBA(x, y, c)
		}
	}
	return img
}

// requireCorners checks the colours in the corners, from the top left one to the bottom right one.
func requireCorners(t *testing.T, img image.Image, want [4]color.RGBA, about string) {
	t.Helper()
	b := img.Bounds()
	for i, at := range []image.Point{{4, 4}, {b.Dx() - 5, 4}, {4, b.Dy() - 5}, {b.Dx() - 5, b.Dy() - 5}} {
		r, g, bl, _ := img.At(at.X, at.Y).RGBA()
		got := []int{int(r >> 8), int(g >> 8), int(bl >> 8)}
		for c, v := range []int{int(want[i].R), int(want[i].G), int(want[i].B)} {
			require.InDelta(t, v, got[c], 16, "%s, corner %d: %v", about, i, got)
		}
	}
}

func TestThumbnailIsSmallInColourOnWhite(t *testing.T) {
	t.Parallel()
	for _, size := range []image.Point{{1200, 800}, {40, 20}} {
		got, err := readThumbnail(t, encodePNG(t, drawQuarters(size.X, size.Y)))
		require.NoError(t, err)
		want := size
		if size.X > thumbnailSide {
			want = image.Pt(320, 213)
		}
		require.Equal(t, want, got.Bounds().Size())
		requireCorners(t, got, [4]color.RGBA{{R: 255}, {G: 200}, {B: 255}, {R: 127, G: 127, B: 127}}, "")
	}
	for _, name := range []string{"cmyk.jpg", "progressive.jpg", "lossy.webp", "lossless.webp", "alpha.webp"} {
		_, err := readThumbnail(t, phototest.File(name))
		require.NoError(t, err, name)
	}
	narrow, err := readThumbnail(t, encodePNG(t, image.NewGray(image.Rect(0, 0, 4000, 1))))
	require.NoError(t, err)
	require.Equal(t, image.Pt(320, 1), narrow.Bounds().Size())
}

func TestThumbnailIsTurnedAsItsExifStates(t *testing.T) {
	t.Parallel()
	upright := drawQuarters(640, 480)
	for orientation := 1; orientation <= 8; orientation++ {
		file := phototest.WithExif(encodeJPEG(t, phototest.Stored(upright, orientation)),
			phototest.Exif(orientation, binary.BigEndian))
		got, err := readThumbnail(t, file)
		require.NoError(t, err)
		require.Equal(t, image.Pt(320, 240), got.Bounds().Size(), orientation)
		corners := [4]color.RGBA{{R: 255}, {G: 200}, {B: 255}, {}} // a JPEG does not have transparency
		requireCorners(t, got, corners, string(rune('0'+orientation)))
	}
}

func TestThumbnailHasTheLimitsOfGray(t *testing.T) {
	t.Parallel()
	truncated := phototest.File("progressive.jpg")
	for name, test := range map[string]struct {
		file []byte
		code string
	}{
		"text":      {[]byte("This is not a photo."), NotAnImage},
		"truncated": {truncated[:len(truncated)/2], NotAnImage},
		"costly":    {phototest.JPEG(8000, 6000, phototest.S444, true, -1), ImageTooLarge},
		"too large": {phototest.PNG(40_000, 40_000, 1, 0, false, false), ImageTooLarge},
	} {
		_, err := readThumbnail(t, test.file)
		fatal, ok := errors.AsType[*tools.FatalError](err)
		require.True(t, ok, "%s: %v", name, err)
		require.Equal(t, test.code, fatal.Code, name)
	}
	root, ref := newRoot(t, object.NewMemory(), phototest.File("cmyk.jpg"))
	d := NewDecoder(nil)
	release := holdAll(t, d, root.Scope())
	defer release()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	_, err := d.Thumbnail(ctx, root, ref)
	require.ErrorIs(t, err, context.DeadlineExceeded, "it waits for its turn")
}
