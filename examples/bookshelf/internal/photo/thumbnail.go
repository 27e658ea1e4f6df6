package photo

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"

	"github.com/carrel-go/carrel/scope/object"
)

const (
	thumbnailSide    = 320 // pixels of the longer side
	thumbnailQuality = 80
	thumbnailMemory  = 2 << 20 // bytes for the pixels before and after they are turned, and the JPEG
	maxSamples       = 8       // pixels of the photo for one of the thumbnail, in each direction
)

// Thumbnail returns the photo at ref as a small JPEG in colour, on white and turned as its EXIF states. Its longer side
// has at most 320 pixels. Thumbnail has the limits, the turns and the errors of [Decoder.Gray], and does not cache its
// results.
func (d *Decoder) Thumbnail(ctx context.Context, root *object.Root, ref object.Ref) ([]byte, error) {
	var out bytes.Buffer
	memory := func(header) int64 { return thumbnailMemory }
	err := d.loadPhoto(ctx, root, ref, memory, func(img image.RGBA64Image, orientation int) error {
		small, err := shrinkToColour(ctx, img, thumbnailSide, orientation)
		if err != nil {
			return err
		}
		if err := jpeg.Encode(&out, small, &jpeg.Options{Quality: thumbnailQuality}); err != nil {
			return fmt.Errorf("photo: encode thumbnail: %w", err)
		}
		return nil
	})
	return out.Bytes(), err
}

// shrinkToColour returns img in colour on white, oriented, with at most side pixels on its longer side. Each pixel of
// the result is the mean of at most [maxSamples]² of the pixels that it replaces. The time therefore does not grow with
// the photo.
func shrinkToColour(ctx context.Context, img image.RGBA64Image, side, orientation int) (*image.RGBA, error) {
	b := img.Bounds()
	w, h := b.Dx(), b.Dy()
	if long := max(w, h); long > side {
		w, h = max(1, w*side/long), max(1, h*side/long)
	}
	l := layOut(orientation, w, h, w)
	out := image.NewRGBA(image.Rect(0, 0, l.width, l.height))
	for y := range l.height {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		for x := range l.width {
			at := l.at + x*l.right + y*l.down // in the image of w × h pixels
			sx, sy := at%w, at/w
			out.SetRGBA(x, y, meanColour(img, image.Rect(
				b.Min.X+sx*b.Dx()/w, b.Min.Y+sy*b.Dy()/h, b.Min.X+(sx+1)*b.Dx()/w, b.Min.Y+(sy+1)*b.Dy()/h)))
		}
	}
	return out, nil
}

// meanColour returns the mean of the pixels of a part of img on white.
func meanColour(img image.RGBA64Image, part image.Rectangle) color.RGBA {
	stepX, stepY := (part.Dx()+maxSamples-1)/maxSamples, (part.Dy()+maxSamples-1)/maxSamples
	var red, green, blue, n uint64
	for y := part.Min.Y; y < part.Max.Y; y += stepY {
		for x := part.Min.X; x < part.Max.X; x += stepX {
			c := img.RGBA64At(x, y) // multiplied by alpha
			white := uint64(0xffff - c.A)
			red, green, blue, n = red+uint64(c.R)+white, green+uint64(c.G)+white, blue+uint64(c.B)+white, n+1
		}
	}
	return color.RGBA{uint8(red / n >> 8), uint8(green / n >> 8), uint8(blue / n >> 8), 0xff}
}
