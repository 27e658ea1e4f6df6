package booktools

import (
	"context"
	"image"
	"strings"

	"github.com/makiuchi-d/gozxing"
	"github.com/makiuchi-d/gozxing/oned"

	"github.com/carrel-go/carrel/examples/bookshelf/internal/book"
	"github.com/carrel-go/carrel/examples/bookshelf/internal/photo"
	"github.com/carrel-go/carrel/tools"
)

// scanMemory is the memory in bytes that a search for barcodes takes. The scanner copies the photo twice.
const scanMemory = 4 * photo.MaxSide * photo.MaxSide

// Barcode is the result of scan_barcode.
type Barcode struct {
	Found  bool   `json:"found"`            // whether a barcode could be read
	Digits string `json:"digits,omitempty"` // its thirteen digits
	ISBN   string `json:"isbn,omitempty"`   // the digits, if they are an ISBN
}

// Summary implements [tools.Summarizer].
func (b Barcode) Summary() string {
	switch {
	case b.ISBN != "":
		return "ISBN " + b.ISBN
	case b.Found:
		return "barcode " + b.Digits + ", which is not an ISBN"
	}
	return "no readable barcode"
}

func (b *toolbox) scanBarcode(ctx context.Context, c *tools.Call, _ struct{}) (Barcode, error) {
	var out Barcode
	err := b.withPhoto(ctx, c, scanMemory, func(img *image.Gray) error {
		digits, err := findEAN13(ctx, img)
		if err != nil || digits == "" {
			return err
		}
		out = Barcode{Found: true, Digits: digits}
		if book.ValidISBN13(digits) {
			out.ISBN = digits
		}
		return nil
	})
	return out, err
}

// findEAN13 returns the digits of the first EAN-13 that it finds, or "". It prefers an ISBN. The scanner needs bars of
// a few pixels and is sensitive to noise. findEAN13 therefore tries several sizes and two ways to separate black from
// white.
func findEAN13(ctx context.Context, img *image.Gray) (string, error) {
	other := ""
	last := 0
	for _, side := range []int{1600, 900, photo.MaxSide} {
		g, err := photo.Shrink(ctx, img, side)
		if err != nil {
			return "", err
		}
		n := max(g.Rect.Dx(), g.Rect.Dy())
		if n == last {
			continue // the photo is smaller than both sizes
		}
		last = n
		src := gozxing.NewLuminanceSourceFromImage(g)
		for _, b := range []gozxing.Binarizer{gozxing.NewHybridBinarizer(src), gozxing.NewGlobalHistgramBinarizer(src)} {
			if err := ctx.Err(); err != nil {
				return "", err
			}
			digits := decodeEAN13(b)
			if book.ValidISBN13(digits) {
				return digits, nil
			}
			if other == "" && len(digits) == 13 && strings.Trim(digits, "0123456789") == "" {
				other = digits
			}
		}
	}
	return other, nil
}

// decodeEAN13 returns the digits of a barcode, or "" if the scanner does not find or misreads one. The error of the
// scanner does not say which.
func decodeEAN13(b gozxing.Binarizer) string {
	bmp, err := gozxing.NewBinaryBitmap(b)
	if err != nil {
		return "" // too small for a barcode
	}
	hints := map[gozxing.DecodeHintType]any{gozxing.DecodeHintType_TRY_HARDER: true}
	r, err := oned.NewEAN13Reader().Decode(bmp, hints)
	if err != nil {
		return ""
	}
	return r.GetText()
}
