package cover

import (
	"fmt"
	"image"
	"image/jpeg"
	"image/png"
	"io"

	"golang.org/x/image/draw"
)

// Format is an image file format.
type Format int

// The formats that Render writes.
const (
	PNG Format = iota
	JPEG
)

// ContentType returns the format's media type.
func (f Format) ContentType() string {
	if f == JPEG {
		return "image/jpeg"
	}
	return "image/png"
}

// Options configures [Render]. Nil means the defaults.
type Options struct {
	Format  Format // the file format; the default is PNG
	Width   int    // the width in pixels, 600 to 3000; zero means 900. The height is one and a half times the width.
	Quality int    // the quality of a JPEG, 1 to 100; zero means 90
}

// Render draws the cover and writes it to w. It returns an error if the width is out of range or the title or author
// does not fit the page, and [ErrDigits] if the ISBN is not a valid EAN-13.
func Render(w io.Writer, s Sample, o *Options) error {
	if o == nil {
		o = &Options{}
	}
	img, err := Draw(s, o.Width)
	if err != nil {
		return err
	}
	switch o.Format {
	case PNG:
		err = (&png.Encoder{CompressionLevel: png.BestSpeed}).Encode(w, img)
	case JPEG:
		q := o.Quality
		if q == 0 {
			q = 90
		}
		err = jpeg.Encode(w, img, &jpeg.Options{Quality: q})
	default:
		return fmt.Errorf("cover: render: unknown format %d: must be PNG or JPEG", o.Format)
	}
	if err != nil {
		return fmt.Errorf("cover: render: %w", err)
	}
	return nil
}

// ThumbnailWidth is the width in pixels of what [RenderThumbnail] writes.
const ThumbnailWidth = 272

// RenderThumbnail draws the cover as a small JPEG for a list of covers. Its barcode is too small for a scanner. It
// returns the same errors as [Render].
func RenderThumbnail(w io.Writer, s Sample) error {
	img, err := Draw(s, 0)
	if err != nil {
		return err
	}
	small := image.NewRGBA(image.Rect(0, 0, ThumbnailWidth, ThumbnailWidth*3/2))
	draw.CatmullRom.Scale(small, small.Bounds(), img, img.Bounds(), draw.Src, nil)
	if err := jpeg.Encode(w, small, &jpeg.Options{Quality: 80}); err != nil {
		return fmt.Errorf("cover: render: %w", err)
	}
	return nil
}

// Draw draws the cover and returns the image. The width is in pixels, 600 to 3000. Zero means 900. The height is one
// and a half times the width. Draw returns the same errors as [Render].
func Draw(s Sample, width int) (*image.RGBA, error) {
	if width == 0 {
		width = 900
	}
	if width < 600 || width > 3000 {
		return nil, fmt.Errorf("cover: draw: invalid width %d: must be 600 to 3000", width)
	}
	if !isValidEAN13(s.ISBN) {
		return nil, ErrDigits
	}
	c, err := newCanvas(width)
	if err != nil {
		return nil, err
	}
	look := c.drawPicture(s.style)
	if err := c.drawLettering(s.Title, s.Author, look); err != nil {
		return nil, err
	}
	if err := c.drawBarcode(s.ISBN); err != nil {
		return nil, err
	}
	return c.img, nil
}
