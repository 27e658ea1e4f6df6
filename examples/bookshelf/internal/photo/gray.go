package photo

import (
	"context"
	"image"
)

// shrinkToGray returns img in shades of gray on white. It reduces the image if its longer side has more than side
// pixels. Each pixel of the result is the mean of the pixels that it replaces.
func shrinkToGray(ctx context.Context, img image.RGBA64Image, side int) (*image.Gray, error) {
	b := img.Bounds()
	w, h := b.Dx(), b.Dy()
	if long := max(w, h); long > side {
		w, h = max(1, w*side/long), max(1, h*side/long)
	}
	out := image.NewGray(image.Rect(0, 0, w, h))
	row := make([]uint8, b.Dx())
	sums := make([]int, w)
	bounds := make([]int, w+1) // the columns that each pixel replaces
	for x := range bounds {
		bounds[x] = x * b.Dx() / w
	}
	for y := range h {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		from, to := y*b.Dy()/h, (y+1)*b.Dy()/h
		clear(sums)
		for sy := from; sy < to; sy++ {
			readLuminance(row, img, b.Min.Y+sy)
			for x := range sums {
				for _, v := range row[bounds[x]:bounds[x+1]] {
					sums[x] += int(v)
				}
			}
		}
		for x, sum := range sums {
			out.Pix[y*out.Stride+x] = uint8(sum / ((to - from) * (bounds[x+1] - bounds[x])))
		}
	}
	return out, nil
}

// readLuminance writes the brightness of the pixels in line y of img into row.
func readLuminance(row []uint8, img image.RGBA64Image, y int) {
	b := img.Bounds()
	switch img := img.(type) {
	case *image.Gray:
		copy(row, img.Pix[img.PixOffset(b.Min.X, y):])
	case *image.YCbCr:
		copy(row, img.Y[img.YOffset(b.Min.X, y):])
	case *image.NRGBA:
		for x, i := 0, img.PixOffset(b.Min.X, y); x < len(row); x, i = x+1, i+4 {
			p := img.Pix[i : i+4 : i+4]
			row[x] = blendWithWhite(computeLuma(p[0], p[1], p[2])*int(p[3]), int(p[3]))
		}
	case *image.RGBA: // its colours are multiplied by alpha
		for x, i := 0, img.PixOffset(b.Min.X, y); x < len(row); x, i = x+1, i+4 {
			p := img.Pix[i : i+4 : i+4]
			row[x] = blendWithWhite(computeLuma(p[0], p[1], p[2])*255, int(p[3]))
		}
	default: // the other types of the decoders; unlike At, RGBA64At does not allocate
		for x := range row {
			c := img.RGBA64At(b.Min.X+x, y)
			row[x] = blendWithWhite(computeLuma(uint8(c.R>>8), uint8(c.G>>8), uint8(c.B>>8))*255, int(c.A>>8))
		}
	}
}

// computeLuma returns the brightness of a colour as image/color computes it.
func computeLuma(r, g, b uint8) int {
	return int((19595*uint32(r) + 38470*uint32(g) + 7471*uint32(b) + 1<<15) >> 16)
}

// blendWithWhite blends a brightness that is multiplied by alpha with white.
func blendWithWhite(premultiplied, alpha int) uint8 {
	return uint8(min(255, (premultiplied+255*(255-alpha))/255))
}
