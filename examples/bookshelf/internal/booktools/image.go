package booktools

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"io"

	"golang.org/x/image/draw"

	"github.com/carrel-go/carrel/scope/object"
)

// Bounds of a photo.
const (
	MaxBytes  = 20 << 20   // of the file
	MaxPixels = 50_000_000 // width × height; half of that for 16 bits a channel
)

// LoadImage reads the object whole and decodes it as PNG or JPEG, whatever its name and content type say.
//
// What is no such image, or only half of one, and what is larger than [MaxBytes] or [MaxPixels], is a
// [tools.FatalError] with the code [NotAnImage] or [ImageTooLarge], permanent, with a message for a person. The size
// is judged by the header, before any pixel is decoded. Every other error is the store's, and may pass.
func LoadImage(ctx context.Context, root *object.Root, ref object.Ref) (image.Image, error) {
	body, info, err := root.Open(ctx, ref, nil)
	if err != nil {
		return nil, fmt.Errorf("booktools: read the upload: %w", err)
	}
	defer func() { _ = body.Close() }() // only read from
	if info.Size > MaxBytes {
		return nil, tooLarge(fmt.Errorf("%d bytes", info.Size))
	}
	b, err := io.ReadAll(io.LimitReader(body, MaxBytes+1))
	if err != nil {
		return nil, fmt.Errorf("booktools: read the upload: %w", err)
	}
	if len(b) > MaxBytes {
		return nil, tooLarge(errors.New("more bytes than announced"))
	}
	return decode(b)
}

// decode is LoadImage on bytes. It does not use image.Decode, whose formats depend on what else is linked in.
func decode(b []byte) (image.Image, error) {
	var (
		name   string
		header func(io.Reader) (image.Config, error)
		pixels func(io.Reader) (image.Image, error)
	)
	switch {
	case len(b) == 0:
		return nil, unusable(NotAnImage, "The file is empty: there is no image in it.", nil)
	case bytes.HasPrefix(b, []byte("\x89PNG\r\n\x1a\n")):
		name, header, pixels = "PNG", png.DecodeConfig, png.Decode
	case bytes.HasPrefix(b, []byte("\xff\xd8\xff")):
		name, header, pixels = "JPEG", jpeg.DecodeConfig, jpeg.Decode
	default:
		return nil, unusable(NotAnImage, "The file is not an image that can be read here: it must be a PNG or a JPEG.", nil)
	}
	damaged := func(err error) error {
		var a png.UnsupportedError
		var b jpeg.UnsupportedError
		if errors.As(err, &a) || errors.As(err, &b) {
			return unusable(NotAnImage, "This kind of "+name+" image cannot be read here. Please save it as a plain PNG or JPEG.", err)
		}
		return unusable(NotAnImage, "The "+name+" image is damaged, or only a part of it arrived. Please upload it again.", err)
	}
	conf, err := header(bytes.NewReader(b))
	if err != nil {
		return nil, damaged(err)
	}
	if conf.Width <= 0 || conf.Height <= 0 {
		return nil, damaged(errors.New("no pixels"))
	}
	limit := MaxPixels
	switch conf.ColorModel {
	case color.RGBA64Model, color.NRGBA64Model, color.Gray16Model:
		limit /= 2
	}
	if conf.Width > limit/conf.Height {
		return nil, tooLarge(fmt.Errorf("%d × %d pixels", conf.Width, conf.Height))
	}
	img, err := pixels(bytes.NewReader(b))
	if err != nil {
		return nil, damaged(err)
	}
	return img, nil
}

func tooLarge(cause error) error {
	return unusable(ImageTooLarge, fmt.Sprintf("The image is too large: at most %d MB and %d megapixels can be read.", MaxBytes>>20, MaxPixels/1_000_000), cause)
}

// gray is img in shades of gray on white, shrunk if its longer side has more than side pixels.
func gray(img image.Image, side int) *image.Gray {
	b := img.Bounds()
	w, h := b.Dx(), b.Dy()
	if long := max(w, h); long > side {
		w, h = max(1, w*side/long), max(1, h*side/long)
	}
	out := image.NewGray(image.Rect(0, 0, w, h))
	draw.Draw(out, out.Bounds(), image.White, image.Point{}, draw.Src)
	if w == b.Dx() && h == b.Dy() {
		draw.Draw(out, out.Bounds(), img, b.Min, draw.Over)
	} else {
		draw.ApproxBiLinear.Scale(out, out.Bounds(), img, b, draw.Over, nil)
	}
	return out
}
