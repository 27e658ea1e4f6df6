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

// scanMemory is how many bytes looking for a barcode takes: the scanner copies the photo twice.
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

// scan returns the digits of the first EAN-13 that it finds, or "". A scanner wants bars of a few pixels and hates
// noise, so several sizes are tried, and both ways to tell black from white. A book's number counts for more than
// another one.
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
				continue // not found, or misread: the scanner tells no more
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
