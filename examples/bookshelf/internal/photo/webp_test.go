package photo

import (
	"bytes"
	"encoding/binary"
	"errors"
	"image"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/examples/bookshelf/internal/cover"
	"github.com/carrel-go/carrel/examples/bookshelf/internal/photo/phototest"
	"github.com/carrel-go/carrel/scope/object"
	"github.com/carrel-go/carrel/tools"
)

// readGray decodes a file as an upload.
func readGray(t *testing.T, file []byte) (*image.Gray, error) {
	t.Helper()
	root, ref := newRoot(t, object.NewMemory(), file)
	return NewDecoder(nil).Gray(t.Context(), root, ref)
}

// meanDifference returns the mean difference of the pixels of two images of the same size.
func meanDifference(t *testing.T, a, b *image.Gray) float64 {
	t.Helper()
	require.Equal(t, a.Rect, b.Rect)
	sum := 0
	for i, v := range a.Pix {
		sum += max(int(v), int(b.Pix[i])) - min(int(v), int(b.Pix[i]))
	}
	return float64(sum) / float64(len(a.Pix))
}

func drawCover(t *testing.T) image.RGBA64Image {
	t.Helper()
	img, err := cover.Draw(cover.Samples()[2], 600)
	require.NoError(t, err)
	return img
}

func TestWebPIsDecoded(t *testing.T) {
	t.Parallel()
	want, err := shrinkToGray(t.Context(), drawCover(t), MaxSide)
	require.NoError(t, err)
	for _, name := range []string{"lossy", "lossless"} {
		got, err := readGray(t, phototest.WebP(name))
		require.NoError(t, err, name)
		require.Less(t, meanDifference(t, want, got), 10.0, name) // the luminance of a lossy WebP is 16 to 235
	}
	clear, err := readGray(t, phototest.WebP("alpha"))
	require.NoError(t, err)
	require.Greater(t, clear.GrayAt(0, 450).Y, uint8(250), "a transparent pixel is white")
	require.InDelta(t, want.GrayAt(300, 450).Y, clear.GrayAt(300, 450).Y, 20)
}

func TestAnimatedWebPIsRejected(t *testing.T) {
	t.Parallel()
	file := phototest.WebP("animated")
	for name, changed := range map[string][]byte{
		"as it is":         file,
		"without the flag": bytes.Replace(file, []byte("VP8X\x0a\x00\x00\x00\x02"), []byte("VP8X\x0a\x00\x00\x00\x00"), 1),
	} {
		_, err := readGray(t, changed)
		failed, ok := errors.AsType[*tools.FatalError](err)
		require.True(t, ok, name)
		require.Equal(t, NotAnImage, failed.Code)
		require.Equal(t, "This kind of WebP image is not supported. Please save it as a plain PNG or JPEG.", failed.Message)
	}
}

// Not parallel: it measures the allocations of the whole process.
func TestMemoryEstimateCoversTheWebPDecoder(t *testing.T) {
	for _, name := range []string{"lossy", "lossless", "alpha"} {
		file := phototest.WebP(name)
		h, err := readHeader(newPlainReader(file), false)
		require.NoError(t, err)
		require.Equal(t, [2]int{600, 900}, [2]int{h.width, h.height})
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, err = decodePixels(bytes.NewReader(file), h.format)
		runtime.ReadMemStats(&after)
		require.NoError(t, err)
		require.LessOrEqual(t, int64(after.TotalAlloc-before.TotalAlloc), h.memory, name)
	}
}

// A file of a few bytes can claim 16384 × 16384 pixels, and a frame of 4 GB.
func TestHostileWebPIsRejectedByItsHeader(t *testing.T) {
	t.Parallel()
	riff := func(chunks ...string) []byte {
		b := []byte("RIFF\x00\x00\x00\x00WEBP" + strings.Join(chunks, ""))
		binary.LittleEndian.PutUint32(b[4:], uint32(len(b)-8))
		return b
	}
	canvas := "VP8X\x0a\x00\x00\x00\x10\x00\x00\x00\xff\x3f\x00\xff\x3f\x00"
	small := "VP8X\x0a\x00\x00\x00\x10\x00\x00\x00\x09\x00\x00\x09\x00\x00"
	for name, c := range map[string]struct {
		file []byte
		code string
	}{
		"a large canvas":           {riff(canvas, "ALPH\x02\x00\x00\x00\x01\x00"), ImageTooLarge},
		"a large lossy frame":      {riff("VP8 \x0a\x00\x00\x00\x10\x00\x00\x9d\x01\x2a\xff\x3f\xff\x3f"), ImageTooLarge},
		"a large lossless image":   {riff("VP8L\x05\x00\x00\x00\x2f\xff\xff\xff\x0f\x00"), ImageTooLarge},
		"a small canvas before it": {riff(small, "VP8L\x05\x00\x00\x00\x2f\xff\xff\xff\x0f\x00"), ImageTooLarge},
		"a frame of 4 GB":          {riff("VP8 \xfe\xff\xff\xff\x10\x00\x00\x9d\x01\x2a\x0a\x00\x0a\x00"), NotAnImage},
		"a chunk of 4 GB":          {riff("ICCP\xff\xff\xff\xff"), NotAnImage},
		"no pixels":                {riff("VP8 \x0a\x00\x00\x00\x10\x00\x00\x9d\x01\x2a\x00\x00\x0a\x00"), NotAnImage},
		"no image":                 {riff(small), NotAnImage},
		"a flood of empty chunks":  {riff(strings.Repeat("JUNK\x00\x00\x00\x00", 100_000)), NotAnImage},
		"transparency alone":       {riff("ALPH\x02\x00\x00\x00\x01\x00"), NotAnImage},
		"a part of a video":        {riff("VP8 \x0a\x00\x00\x00\x11\x00\x00\x9d\x01\x2a\x0a\x00\x0a\x00"), NotAnImage},
	} {
		_, err := readGray(t, c.file)
		failed, ok := errors.AsType[*tools.FatalError](err)
		require.True(t, ok, "%s: %v", name, err)
		require.Equal(t, c.code, failed.Code, "%s: %s", name, failed.Message)
	}
}

// A truncated file of any length is damaged, and does not panic.
func TestTruncatedWebPIsDamaged(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"lossy", "lossless", "alpha"} {
		file := phototest.WebP(name)
		for n := 12; n < len(file); n += 1 + n/3 {
			h, err := readHeader(bytes.NewReader(file[:n]), true)
			if err == nil {
				_, err = decodeFile(t.Context(), file[:n], h.format)
			}
			require.Error(t, err, "%s: %d bytes", name, n)
		}
	}
}
