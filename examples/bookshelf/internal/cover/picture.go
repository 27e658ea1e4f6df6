package cover

import (
	"image/color"
	"math"
)

// letteringStyle contains the colours and the position of the lettering on a picture.
type letteringStyle struct {
	title, author color.RGBA
	rule          color.RGBA
	top           float64 // the earliest top of the title's first line, in units
}

// drawPicture draws the picture of a style and returns its lettering style. The picture leaves the upper 540 units
// plain for the title and author, and the lower right corner for the barcode.
func (c *canvas) drawPicture(s style) letteringStyle {
	switch s {
	case garden:
		return c.drawGarden()
	case sea:
		return c.drawSea()
	}
	return c.drawHills()
}

// drawGarden draws two flowers that lean towards each other on ivory.
func (c *canvas) drawGarden() letteringStyle {
	ivory, green, deep := rgb(0xf6efe0), rgb(0x2f4a3c), rgb(0x1f332a)
	rose, wine, gold := rgb(0xc8574f), rgb(0x7c2532), rgb(0xc79a4b)
	c.fillSky(ivory, rgb(0xefe3cb))
	// Corners of a double frame, as on old bindings.
	for _, f := range []struct{ at, thick, long float64 }{{34, 6, 150}, {50, 2, 120}} {
		for _, x := range []float64{f.at, pageW - f.at - f.long} {
			c.fill(gold, rectOutline(x, f.at, f.long, f.thick))
		}
		for _, x := range []float64{f.at, pageW - f.at - f.thick} {
			c.fill(gold, rectOutline(x, f.at, f.thick, f.long))
		}
	}
	c.fill(green, areaBelow(func(x float64) float64 { return 1208 + 26*math.Sin(x/170) }))
	c.fill(deep, areaBelow(func(x float64) float64 { return 1252 + 20*math.Sin(x/120+2) }))
	for _, f := range []struct {
		foot, head point
		bend       float64
		petals     color.RGBA
		inner      color.RGBA
		size       float64
	}{
		{point{250, 1240}, point{330, 830}, -70, wine, rose, 120},
		{point{420, 1240}, point{610, 712}, 46, rose, wine, 96},
	} {
		var stem []point
		for i := range 41 {
			t := float64(i) / 40
			stem = append(stem, point{
				f.foot.x + (f.head.x-f.foot.x)*t + f.bend*math.Sin(math.Pi*t),
				f.foot.y + (f.head.y-f.foot.y)*t,
			})
		}
		c.fill(green, strokeOutline(9, stem...))
		for i, at := range []int{9, 15, 21, 27} {
			side := float64(1 - 2*(i%2))
			p := stem[at]
			reach := 150 - 24*float64(i)
			c.fill(green, petalOutline(p, point{p.x + side*reach, p.y - 0.55*reach}, 50-5*float64(i)))
			c.fill(ivory, strokeOutline(2, point{p.x + side*reach*0.12, p.y - 0.066*reach},
				point{p.x + side*reach*0.8, p.y - 0.44*reach}))
		}
		for layer, col := range []color.RGBA{f.petals, f.inner} {
			n := 10 - 2*layer
			r := f.size * (1 - 0.36*float64(layer))
			for i := range n {
				sin, cos := math.Sincos(2*math.Pi*float64(i)/float64(n) + 0.3*float64(layer))
				c.fill(col, petalOutline(f.head, point{f.head.x + r*cos, f.head.y + r*sin}, r*0.52))
			}
		}
		c.fill(gold, circleOutline(f.head.x, f.head.y, f.size*0.2))
		for i := range 9 {
			sin, cos := math.Sincos(2 * math.Pi * float64(i) / 9)
			c.fill(deep, circleOutline(f.head.x+f.size*0.12*cos, f.head.y+f.size*0.12*sin, f.size*0.022))
		}
	}
	return letteringStyle{title: wine, author: deep, rule: gold, top: 120}
}

// drawSea draws a pale moon over waves and the tail of a whale.
func (c *canvas) drawSea() letteringStyle {
	moon, foam := rgb(0xf3ead2), rgb(0xe8f1ee)
	c.fillSky(rgb(0x0d2233), rgb(0x2a6178))
	for i := range 4 {
		c.fill(withOpacity(moon, 0.05), circleOutline(640, 690, 150+44*float64(4-i)))
	}
	c.fill(moon, circleOutline(640, 690, 150))
	for _, s := range []point{{110, 80}, {230, 560}, {70, 640}, {330, 700}, {180, 790}, {450, 590}, {820, 60},
		{840, 420}} {
		c.fill(withOpacity(foam, 0.8), circleOutline(s.x, s.y, 2.6))
	}
	wave := func(y, height, length, phase float64) func(float64) float64 {
		return func(x float64) float64 {
			return y + height*math.Sin(x/length+phase) + height*0.4*math.Sin(2.3*x/length+phase)
		}
	}
	c.fill(rgb(0x2f7186), areaBelow(wave(880, 12, 95, 0.4)))
	// The tail stands in the moon's path, between the waves.
	c.drawTail(420, 900, rgb(0x0d1c28))
	for i, w := range []struct {
		y, h, l, p float64
		col        uint32
	}{
		{940, 18, 80, 1.9, 0x23606f}, {1000, 20, 95, 0.3, 0x1b4f62}, {1066, 22, 88, 2.6, 0x154154}, {1140, 24, 105, 1.1,
			0x0f3345}, {1222, 22, 92, 3.2, 0x0b2636},
	} {
		f := wave(w.y, w.h, w.l, w.p)
		c.fill(rgb(w.col), areaBelow(f))
		var crest []point
		for x := -10.0; x <= pageW+10; x += 6 {
			crest = append(crest, point{x, f(x) + 5})
		}
		c.fill(withOpacity(foam, 0.55-0.08*float64(i)), strokeOutline(3.5, crest...))
	}
	return letteringStyle{title: moon, author: rgb(0xd9e6e4), rule: rgb(0xd08c4a), top: 110}
}

// drawTail draws the tail of a whale that rises at (x, y).
func (c *canvas) drawTail(x, y float64, col color.RGBA) {
	half := func(side float64) []point {
		at := func(dx, dy float64) point { return point{x + side*dx, y + dy} }
		var out []point
		bend := func(a, b, ctl point) {
			for i := range 20 {
				t := float64(i) / 20
				out = append(out, point{
					(1-t)*(1-t)*a.x + 2*t*(1-t)*ctl.x + t*t*b.x,
					(1-t)*(1-t)*a.y + 2*t*(1-t)*ctl.y + t*t*b.y,
				})
			}
		}
		foot, waist, tip, notch := at(80, 130), at(20, -84), at(206, -206), at(0, -132)
		bend(foot, waist, at(34, 20))
		bend(waist, tip, at(92, -84))
		bend(tip, notch, at(96, -206))
		out = append(out, notch, at(0, 130))
		return out
	}
	c.fill(col, half(1))
	c.fill(col, half(-1))
}

// drawHills draws a lamp on the nearest of five hills at dusk.
func (c *canvas) drawHills() letteringStyle {
	glow, ink := rgb(0xffd27a), rgb(0x1b1430)
	c.fillSky(rgb(0x3b2a5c), rgb(0xe8875f))
	for _, s := range []point{{90, 90}, {800, 110}, {840, 560}, {700, 610}, {60, 330}, {850, 330}, {610, 540}, {560, 700},
		{95, 480}} {
		c.fill(withOpacity(rgb(0xfff3d6), 0.85), circleOutline(s.x, s.y, 2.8))
	}
	for i, h := range []struct {
		y, h, l, p float64
		col        uint32
	}{
		{860, 40, 150, 0.2, 0xc06a63}, {930, 46, 190, 1.7, 0x964e63}, {1010, 44, 160, 3.0, 0x6c3a5e}, {1090, 50, 210, 0.9,
			0x472a52},
	} {
		c.fill(rgb(h.col), areaBelow(func(x float64) float64 {
			return h.y + h.h*math.Sin(x/h.l+h.p) + 12*math.Sin(x/47+h.p*float64(i+1))
		}))
	}
	// Windows on the far slopes: single lights.
	for _, w := range []point{{120, 1010}, {141, 1016}, {540, 1052}, {700, 960}, {716, 966}} {
		c.fill(glow, rectOutline(w.x, w.y, 8, 10))
	}
	c.fill(rgb(0x2a1c40), areaBelow(func(x float64) float64 { return 1150 + 60*math.Sin(x/230+2.2) }))
	// The lamp: rings of light, then post and lantern.
	lamp := point{250, 800}
	for i := range 6 {
		c.fill(withOpacity(glow, 0.07), circleOutline(lamp.x, lamp.y, 60+38*float64(6-i)))
	}
	c.fill(ink, rectOutline(lamp.x-5, lamp.y+40, 10, 420), rectOutline(lamp.x-36, lamp.y+92, 72, 8))
	c.fill(ink, []point{{lamp.x - 26, lamp.y + 44}, {lamp.x - 38, lamp.y - 40}, {lamp.x + 38, lamp.y - 40},
		{lamp.x + 26, lamp.y + 44}})
	c.fill(glow, []point{{lamp.x - 19, lamp.y + 36}, {lamp.x - 29, lamp.y - 32}, {lamp.x + 29, lamp.y - 32},
		{lamp.x + 19, lamp.y + 36}})
	c.fill(rgb(0xfff6df), petalOutline(point{lamp.x, lamp.y + 30}, point{lamp.x, lamp.y - 24}, 22))
	c.fill(ink, []point{{lamp.x - 48, lamp.y - 40}, {lamp.x, lamp.y - 82}, {lamp.x + 48, lamp.y - 40}},
		circleOutline(lamp.x, lamp.y-86, 7))
	c.fill(ink, areaBelow(func(x float64) float64 { return 1235 + 40*math.Sin(x/260+4.4) }))
	return letteringStyle{title: rgb(0xfff0cf), author: rgb(0xffe1a8), rule: glow, top: 110}
}
