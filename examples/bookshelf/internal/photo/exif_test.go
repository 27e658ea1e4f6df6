package photo

import (
	"bytes"
	"encoding/binary"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/examples/bookshelf/internal/photo/phototest"
	"github.com/carrel-go/carrel/internal/must"
)

func encodeJPEG(t *testing.T, img image.Image) []byte {
	t.Helper()
	var b bytes.Buffer
	require.NoError(t, jpeg.Encode(&b, img, nil))
	return b.Bytes()
}

func encodePNG(t *testing.T, img image.Image) []byte {
	t.Helper()
	var b bytes.Buffer
	require.NoError(t, png.Encode(&b, img))
	return b.Bytes()
}

// drawSlope returns a small picture that is brighter to the right and, less so, to the bottom.
func drawSlope() *image.RGBA {
	img := image.NewRGBA(image.Rect(0, 0, 48, 32))
	for y := range 32 {
		for x := range 48 {
			v := uint8(4*x + y)
			img.SetRGBA(x, y, color.RGBA{v, v, v, 255})
		}
	}
	return img
}

func TestOrientationIsApplied(t *testing.T) {
	t.Parallel()
	upright := drawSlope()
	want := must.Get(shrinkToGray(t.Context(), upright, MaxSide))
	for orientation := 1; orientation <= 8; orientation++ {
		stored := phototest.Stored(upright, orientation)
		for _, order := range []binary.AppendByteOrder{binary.LittleEndian, binary.BigEndian} {
			exif := phototest.Exif(orientation, order)
			for name, file := range map[string][]byte{"JPEG": encodeJPEG(t, stored), "PNG": encodePNG(t, stored)} {
				got, err := readGray(t, phototest.WithExif(file, exif))
				require.NoError(t, err)
				require.Less(t, meanDifference(t, want, got), 2.0, "%s, orientation %d", name, orientation)
			}
		}
	}
	for _, name := range []string{"lossy", "lossless", "alpha"} {
		plain := must.Get(readGray(t, phototest.WebP(name)))
		got, err := readGray(t, phototest.WithExif(phototest.WebP(name), phototest.Exif(6, binary.LittleEndian)))
		require.NoError(t, err)
		require.Equal(t, Turn(plain, 1).Pix, got.Pix, name)
	}
}

// A damaged EXIF is ignored, as every program that shows photos does.
func TestDamagedExifIsIgnored(t *testing.T) {
	t.Parallel()
	whole := phototest.Exif(6, binary.BigEndian)
	require.Equal(t, 6, parseOrientation(whole))
	for n := range whole[:len(whole)-12] {
		require.Equal(t, 1, parseOrientation(whole[:n]), n)
	}
	change := func(at int, b ...byte) []byte {
		out := bytes.Clone(whole)
		copy(out[at:], b)
		return out
	}
	for name, exif := range map[string][]byte{
		"no order":                 change(0, 'X'),
		"an offset beyond the end": change(4, 0xff, 0xff, 0xff, 0xff),
		"the last offset":          change(4, 0, 0, 0, byte(len(whole)-1)),
		"orientation 0":            change(8+2+12+8, 0, 0),
		"orientation 9":            change(8+2+12+8, 0, 9),
		"another type":             change(8+2+12+2, 0, 4),
		"two values":               change(8+2+12+4, 0, 0, 0, 2),
		"no entries":               change(8, 0, 0),
	} {
		require.Equal(t, 1, parseOrientation(exif), name)
	}
	require.Equal(t, 6, parseOrientation(change(8, 0xff, 0xff)), "more entries than bytes")
	upright := drawSlope()
	for name, file := range map[string][]byte{"JPEG": encodeJPEG(t, upright), "PNG": encodePNG(t, upright), "WebP": phototest.WebP("lossy")} {
		want := must.Get(readGray(t, file))
		for _, exif := range [][]byte{{}, []byte("garbage"), bytes.Repeat([]byte("II*\x00"), 9000)} {
			got, err := readGray(t, phototest.WithExif(file, exif))
			require.NoError(t, err, name)
			require.Equal(t, want.Pix, got.Pix, name)
		}
	}
}

func TestTurnIsClockwise(t *testing.T) {
	t.Parallel()
	img := image.NewGray(image.Rect(0, 0, 3, 2))
	copy(img.Pix, []byte{1, 2, 3, 4, 5, 6})
	for quarters, want := range [][]byte{{1, 2, 3, 4, 5, 6}, {4, 1, 5, 2, 6, 3}, {6, 5, 4, 3, 2, 1}, {3, 6, 2, 5, 1, 4}, {1, 2, 3, 4, 5, 6}} {
		require.Equal(t, want, Turn(img, quarters).Pix)
	}
	part := img.SubImage(image.Rect(1, 0, 3, 2)).(*image.Gray)
	require.Equal(t, []byte{5, 2, 6, 3}, Turn(part, 1).Pix)
}

func FuzzOrientation(f *testing.F) {
	for _, file := range makeFiles(3, 2) {
		f.Add(phototest.WithExif(file, phototest.Exif(6, binary.LittleEndian)))
	}
	f.Add(phototest.WithExif(phototest.WebP("lossy"), phototest.Exif(8, binary.BigEndian)))
	f.Fuzz(func(t *testing.T, file []byte) {
		h, err := readHeader(bytes.NewReader(file), true)
		if err != nil {
			return
		}
		o := findOrientation(file, h.format)
		require.True(t, 1 <= o && o <= 8, o)
	})
}
