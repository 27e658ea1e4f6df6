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

// scanMemory is the memory in bytes that a scan for barcodes takes. The scanner copies the photo twice.
const scanMemory = 4 * photo.MaxSide * photo.MaxSide

// Barcode is the result of scan_barcode.
type Barcode struct {
	Found  bool   `json:"found"`            // a barcode could be read
	Digits string `json:"digits,omitempty"` // all thirteen of them
	ISBN   string `json:"isbn,omitempty"`   // the same, if they are a book's
}

// Summary implements [tools.Summarizer].
func (b Barcode) Summary() string {
	switch {
	case b.ISBN != "":
		return "ISBN " + b.ISBN
	case b.Found:
		return "barcode " + b.Digits + ", which is not a book's"
	}
	return "no readable barcode"
}

func (b *toolbox) scanBarcode(ctx context.Context, c *tools.Call, _ struct{}) (Barcode, error) {
	var out Barcode
	err := b.work(ctx, c, scanMemory, func(img *image.Gray) error {
		digits, err := scan(ctx, img)
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

// scan returns the digits of the first EAN-13 that it finds, or "". It prefers an ISBN. The scanner needs bars of a few
// pixels and is sensitive to noise, so scan tries several sizes and two ways to separate black from white.
func scan(ctx context.Context, img *image.Gray) (string, error) {
	other := ""
	last := 0
	for _, side := range []int{1600, 900, photo.MaxSide} {
		g, err := photo.Shrink(ctx, img, side)
		if err != nil {
			return "", err
		}
		if n := max(g.Rect.Dx(), g.Rect.Dy()); n == last {
			continue // the photo is smaller than both sizes
		} else {
			last = n
		}
		src := gozxing.NewLuminanceSourceFromImage(g)
		for _, binarizer := range []gozxing.Binarizer{gozxing.NewHybridBinarizer(src), gozxing.NewGlobalHistgramBinarizer(src)} {
			if err := ctx.Err(); err != nil {
				return "", err
			}
			bmp, err := gozxing.NewBinaryBitmap(binarizer)
			if err != nil {
				continue // too small to hold one
			}
			r, err := oned.NewEAN13Reader().Decode(bmp, map[gozxing.DecodeHintType]any{gozxing.DecodeHintType_TRY_HARDER: true})
			if err != nil {
				continue // not found or misread; the scanner does not say which
			}
			digits := r.GetText()
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
