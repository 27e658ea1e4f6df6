package cover_test

import (
	"bytes"
	"fmt"
	"image"
	"image/jpeg"
	"image/png"
	"strings"
	"testing"

	"github.com/makiuchi-d/gozxing"
	"github.com/makiuchi-d/gozxing/oned"
	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/examples/bookshelf/internal/book"
	"github.com/carrel-go/carrel/examples/bookshelf/internal/catalogue"
	"github.com/carrel-go/carrel/examples/bookshelf/internal/cover"
)

func decodeBarcode(t *testing.T, img image.Image) string {
	t.Helper()
	bmp, err := gozxing.NewBinaryBitmapFromImage(img)
	require.NoError(t, err)
	r, err := oned.NewEAN13Reader().Decode(bmp, map[gozxing.DecodeHintType]any{gozxing.DecodeHintType_TRY_HARDER: true})
	require.NoError(t, err)
	return r.GetText()
}

// They scan in both formats and at several sizes.
func TestBarcodesOfAllSamplesScan(t *testing.T) {
	t.Parallel()
	for i, s := range cover.Samples() {
		width := []int{900, 600, 1150}[i] // modules of 3, 2 and 3 pixels
		var b bytes.Buffer
		require.NoError(t, cover.Render(&b, s, &cover.Options{Width: width}))
		img, err := png.Decode(&b)
		require.NoError(t, err)
		require.Equal(t, image.Pt(width, width*3/2), img.Bounds().Size())
		require.Equal(t, s.ISBN, decodeBarcode(t, img), "%s at %d", s.Name, width)

		b.Reset()
		require.NoError(t, cover.Render(&b, s, &cover.Options{Format: cover.JPEG, Quality: 60}))
		img, err = jpeg.Decode(&b)
		require.NoError(t, err)
		require.Equal(t, s.ISBN, decodeBarcode(t, img), "%s as JPEG", s.Name)
	}
}

// Known samples are in the catalogue with the same title and author. The other sample is not.
func TestSamplesMatchTheCatalogue(t *testing.T) {
	t.Parallel()
	c, err := catalogue.New()
	require.NoError(t, err)
	known := 0
	for _, s := range cover.Samples() {
		require.True(t, book.ValidISBN13(s.ISBN), s.Name)
		require.Regexp(t, `^[a-z-]+$`, s.Name)
		b, ok := c.ByISBN(s.ISBN)
		require.Equal(t, s.Known, ok, s.Name)
		if ok {
			known++
			require.Equal(t, []string{s.Title, s.Author}, []string{b.Title, b.Author})
		} else {
			require.Empty(t, c.Search(s.Title, s.Author))
		}
	}
	require.Equal(t, 2, known)
	require.Len(t, cover.Samples(), 3)
}

// The test covers each digit in each position.
func TestEAN13IsReadByAnotherLibrary(t *testing.T) {
	t.Parallel()
	for lead := range 10 {
		for n := range 10 {
			body := fmt.Sprint(lead) + strings.Repeat(fmt.Sprint(n), 5) + fmt.Sprintf("%06d", (n*1234567+lead)%1000000)
			digits := body + string(book.Check13(body))
			bars, err := cover.EAN13(digits)
			require.NoError(t, err)
			require.Len(t, bars, cover.Modules)
			img := image.NewGray(image.Rect(0, 0, (cover.QuietLeft+cover.Modules+cover.QuietRight)*2, 40))
			for i := range img.Pix {
				img.Pix[i] = 255
			}
			for i, bar := range bars {
				for y := 0; bar && y < 40; y++ {
					img.Pix[y*img.Stride+(cover.QuietLeft+i)*2] = 0
					img.Pix[y*img.Stride+(cover.QuietLeft+i)*2+1] = 0
				}
			}
			require.Equal(t, digits, decodeBarcode(t, img))
		}
	}
}

func TestInvalidSamplesAreRejected(t *testing.T) {
	t.Parallel()
	for _, digits := range []string{"", "978048628473", "9780486284737", "97804862847361", "978048628473x", "９780486284736"} {
		_, err := cover.EAN13(digits)
		require.ErrorIs(t, err, cover.ErrDigits, digits)
	}
	s := cover.Samples()[0]
	require.Error(t, cover.Render(&bytes.Buffer{}, s, &cover.Options{Width: 100}))
	require.Error(t, cover.Render(&bytes.Buffer{}, s, &cover.Options{Width: 100000}))
	require.Error(t, cover.Render(&bytes.Buffer{}, s, &cover.Options{Format: 9}))
	long := s
	long.Title = strings.Repeat("endless", 40)
	require.ErrorContains(t, cover.Render(&bytes.Buffer{}, long, nil), "does not fit")
	long = s
	long.Author = strings.Repeat("Name ", 60)
	require.ErrorContains(t, cover.Render(&bytes.Buffer{}, long, nil), "does not fit")
	s.ISBN = "9780486284737"
	require.ErrorIs(t, cover.Render(&bytes.Buffer{}, s, nil), cover.ErrDigits)
}

func TestEqualSamplesHaveEqualBytes(t *testing.T) {
	t.Parallel()
	for _, f := range []cover.Format{cover.PNG, cover.JPEG} {
		var a, b bytes.Buffer
		require.NoError(t, cover.Render(&a, cover.Samples()[2], &cover.Options{Format: f}))
		require.NoError(t, cover.Render(&b, cover.Samples()[2], &cover.Options{Format: f}))
		require.True(t, bytes.Equal(a.Bytes(), b.Bytes()))
		require.Less(t, a.Len(), 400<<10)
	}
}

func ExampleRender() {
	var b bytes.Buffer
	if err := cover.Render(&b, cover.Samples()[0], &cover.Options{Format: cover.JPEG}); err != nil {
		fmt.Println(err)
		return
	}
	img, format, err := image.Decode(&b)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(format, img.Bounds().Size())
	// Output: jpeg (900,1350)
}

func ExampleEAN13() {
	bars, err := cover.EAN13("9780486284736")
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, b := range bars[:24] {
		if b {
			fmt.Print("█")
		} else {
			fmt.Print(" ")
		}
	}
	fmt.Println("…", len(bars), "modules")
	// Output: █ █ ███ ██   █  █ █  ███… 95 modules
}
