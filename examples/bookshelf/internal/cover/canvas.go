package cover

import (
	"image"
	"image/color"
	"image/draw"
	"math"

	"golang.org/x/image/vector"
)

// canvas is a page of 900 × 1350 units, drawn at any size.
type canvas struct {
	img   *image.RGBA
	unit  float64 // pixels per unit
	r     *vector.Rasterizer
	fonts fonts
}

const pageW, pageH = 900.0, 1350.0

func newCanvas(width int) (*canvas, error) {
	height := width * 3 / 2
	f, err := newFonts()
	if err != nil {
		return nil, err
	}
	return &canvas{
		img:   image.NewRGBA(image.Rect(0, 0, width, height)),
		unit:  float64(width) / pageW,
		r:     vector.NewRasterizer(width, height),
		fonts: f,
	}, nil
}

// rgb parses a style sheet's hexadecimal colour.
func rgb(hex uint32) color.RGBA {
	return color.RGBA{uint8(hex >> 16), uint8(hex >> 8), uint8(hex), 255}
}

// withOpacity returns a colour with an opacity from 0 to 1.
func withOpacity(c color.RGBA, opacity float64) color.RGBA {
	return color.RGBA{
		uint8(float64(c.R) * opacity), uint8(float64(c.G) * opacity), uint8(float64(c.B) * opacity), uint8(255 * opacity),
	}
}

// fillSky fills the page with a gradient from top to bottom.
func (c *canvas) fillSky(top, bottom color.RGBA) {
	b := c.img.Bounds()
	for y := range b.Dy() {
		t := float64(y) / float64(b.Dy()-1)
		mix := func(a, z uint8) uint8 { return uint8(math.Round(float64(a) + (float64(z)-float64(a))*t)) }
		row := color.RGBA{mix(top.R, bottom.R), mix(top.G, bottom.G), mix(top.B, bottom.B), 255}
		draw.Draw(c.img, image.Rect(0, y, b.Dx(), y+1), image.NewUniform(row), image.Point{}, draw.Src)
	}
}

// point is a position on the page, in units.
type point struct{ x, y float64 }

// fill fills closed outlines.
func (c *canvas) fill(col color.RGBA, outlines ...[]point) {
	for _, o := range outlines {
		// Rasterize only the bounding box, since most shapes are small.
		lo, hi := o[0], o[0]
		for _, p := range o {
			lo, hi = point{min(lo.x, p.x), min(lo.y, p.y)}, point{max(hi.x, p.x), max(hi.y, p.y)}
		}
		box := image.Rect(int(lo.x*c.unit)-1, int(lo.y*c.unit)-1, int(hi.x*c.unit)+2, int(hi.y*c.unit)+2)
		box = box.Intersect(c.img.Bounds())
		if box.Empty() {
			continue
		}
		c.r.Reset(box.Dx(), box.Dy())
		for i, p := range o {
			x, y := float32(p.x*c.unit)-float32(box.Min.X), float32(p.y*c.unit)-float32(box.Min.Y)
			if i == 0 {
				c.r.MoveTo(x, y)
			} else {
				c.r.LineTo(x, y)
			}
		}
		c.r.ClosePath()
		c.r.Draw(c.img, box, image.NewUniform(col), image.Point{})
	}
}

// rectOutline returns the outline of an upright rectangle.
func rectOutline(x, y, w, h float64) []point {
	return []point{{x, y}, {x + w, y}, {x + w, y + h}, {x, y + h}}
}

// ellipseOutline returns the outline of an ellipse rotated by an angle in radians.
func ellipseOutline(x, y, rx, ry, turn float64) []point {
	const steps = 96
	sin, cos := math.Sincos(turn)
	out := make([]point, steps)
	for i := range steps {
		s, co := math.Sincos(2 * math.Pi * float64(i) / steps)
		u, v := rx*co, ry*s
		out[i] = point{x + u*cos - v*sin, y + u*sin + v*cos}
	}
	return out
}

// circleOutline returns the outline of a circle.
func circleOutline(x, y, r float64) []point { return ellipseOutline(x, y, r, r, 0) }

// petalOutline returns the outline of a pointed leaf between two points. width is the width in its middle.
func petalOutline(from, to point, width float64) []point {
	const steps = 24
	dx, dy := to.x-from.x, to.y-from.y
	length := math.Hypot(dx, dy)
	nx, ny := -dy/length*width/2, dx/length*width/2
	var out []point
	for i := range steps {
		t := float64(i) / steps
		w := math.Sin(math.Pi * t)
		out = append(out, point{from.x + dx*t + nx*w, from.y + dy*t + ny*w})
	}
	for i := range steps {
		t := 1 - float64(i)/steps
		w := math.Sin(math.Pi * t)
		out = append(out, point{from.x + dx*t - nx*w, from.y + dy*t - ny*w})
	}
	return out
}

// strokeOutline returns the outline of a line along the given points.
func strokeOutline(thick float64, along ...point) []point {
	var up, down []point
	for i, p := range along {
		a, b := along[max(i-1, 0)], along[min(i+1, len(along)-1)]
		dx, dy := b.x-a.x, b.y-a.y
		l := math.Hypot(dx, dy)
		nx, ny := -dy/l*thick/2, dx/l*thick/2
		up = append(up, point{p.x + nx, p.y + ny})
		down = append(down, point{p.x - nx, p.y - ny})
	}
	for i := len(down) - 1; i >= 0; i-- {
		up = append(up, down[i])
	}
	return up
}

// areaBelow returns the outline of the area between the curve y(x) and the bottom of the page.
func areaBelow(y func(x float64) float64) []point {
	out := []point{{-10, pageH + 10}}
	for x := -10.0; x <= pageW+10; x += 4 {
		out = append(out, point{x, y(x)})
	}
	return append(out, point{pageW + 10, pageH + 10})
}
