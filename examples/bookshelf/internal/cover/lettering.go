package cover

import (
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"strings"

	"golang.org/x/image/font"
	"golang.org/x/image/font/gofont/gobold"
	"golang.org/x/image/font/gofont/gomedium"
	"golang.org/x/image/font/gofont/gomono"
	"golang.org/x/image/font/opentype"
	"golang.org/x/image/math/fixed"
)

// fonts contains the parsed fonts of a page.
type fonts struct{ bold, medium, mono *opentype.Font }

func newFonts() (fonts, error) {
	var f fonts
	for _, p := range []struct {
		to  **opentype.Font
		ttf []byte
	}{{&f.bold, gobold.TTF}, {&f.medium, gomedium.TTF}, {&f.mono, gomono.TTF}} {
		parsed, err := opentype.Parse(p.ttf)
		if err != nil {
			return fonts{}, fmt.Errorf("cover: font: %w", err)
		}
		*p.to = parsed
	}
	return f, nil
}

// drawLettering draws the title, a rule and the author. The title is in capitals, as large as fits in at most four
// lines.
func (c *canvas) drawLettering(title, author string, l letteringStyle) error {
	const margin = 84
	title, author = strings.ToUpper(title), strings.ToUpper(author)
	fields := strings.Fields(title)
	var lines []string
	size := 132.0
	for ; ; size -= 6 {
		if size < 40 {
			return fmt.Errorf("cover: draw: the title %.40q does not fit the page", title)
		}
		face, err := c.newFace(c.fonts.bold, size)
		if err != nil {
			return err
		}
		lines = wrapWords(face, fields, size*0.04*c.unit, (pageW-2*margin)*c.unit)
		if lines != nil && float64(len(lines))*size < 460 {
			break
		}
	}
	// A short title is placed lower, to use the plain part of the page.
	y := l.top + 22*float64(3-min(3, len(lines))) + size*0.74
	for _, line := range lines {
		if err := c.drawLine(c.fonts.bold, size, size*0.04, line, y, pageW, l.title); err != nil {
			return err
		}
		y += size * 1.08
	}
	y += 14 - size*0.42
	c.fill(l.rule, rectOutline(pageW/2-60, y, 120, 6))
	y += 78
	const authorSize = 46
	if err := c.drawLine(c.fonts.medium, authorSize, 5, author, y, pageW-2*margin, l.author); err != nil {
		return err
	}
	return nil
}

// wrapWords breaks words into at most four evenly filled lines of at most width pixels. It returns nil if they do not
// fit.
func wrapWords(face font.Face, words []string, spacing, width float64) []string {
	measure := func(w []string) float64 { return measureWidth(face, strings.Join(w, " "), spacing) }
	for n := 1; n <= min(4, len(words)); n++ {
		// Fill lines evenly, so that a short title does not end in a single word.
		share := measure(words) / float64(n)
		var lines []string
		rest := words
		for i := range n {
			k := 1
			for k < len(rest)-(n-1-i) && (i == n-1 || measure(rest[:k+1]) <= share*1.12) {
				k++
			}
			if measure(rest[:k]) > width {
				break
			}
			lines = append(lines, strings.Join(rest[:k], " "))
			rest = rest[k:]
		}
		if len(lines) == n && len(rest) == 0 {
			return lines
		}
	}
	return nil
}

// drawLine draws one centred line on the baseline y, with extra space between the letters. All lengths are in units.
func (c *canvas) drawLine(f *opentype.Font, size, spacing float64, s string, y, room float64, col color.RGBA) error {
	face, err := c.newFace(f, size)
	if err != nil {
		return err
	}
	w := measureWidth(face, s, spacing*c.unit)
	if w > room*c.unit {
		return fmt.Errorf("cover: draw: the line %.40q does not fit the page", s)
	}
	c.drawString(face, s, (pageW*c.unit-w)/2, y*c.unit, spacing*c.unit, col, c.img)
	return nil
}

// drawString draws s from x on the baseline y. All lengths are in pixels.
func (c *canvas) drawString(face font.Face, s string, x, y, spacing float64, col color.Color, dst draw.Image) {
	dot := fixed.Point26_6{X: fixed.Int26_6(x * 64), Y: fixed.Int26_6(y * 64)}
	d := font.Drawer{Dst: dst, Src: image.NewUniform(col), Face: face, Dot: dot}
	for _, r := range s {
		d.DrawString(string(r))
		d.Dot.X += fixed.Int26_6(spacing * 64)
	}
}

// measureWidth returns the width of s in pixels, without the space after its last letter.
func measureWidth(face font.Face, s string, spacing float64) float64 {
	var w float64
	for _, r := range s {
		w += float64(font.MeasureString(face, string(r)))/64 + spacing
	}
	return max(0, w-spacing)
}

// newFace returns a face of a font. The size is in units.
func (c *canvas) newFace(f *opentype.Font, size float64) (font.Face, error) {
	face, err := opentype.NewFace(f, &opentype.FaceOptions{Size: size * c.unit, DPI: 72, Hinting: font.HintingNone})
	if err != nil {
		return nil, fmt.Errorf("cover: font: %w", err)
	}
	return face, nil
}

// drawBarcode draws the EAN-13 of an ISBN in a white box in the lower right corner, with the ISBN above the bars and
// the digits below.
func (c *canvas) drawBarcode(isbn string) error {
	bars, err := EAN13(isbn)
	if err != nil {
		return err
	}
	module := max(2, int(3*c.unit)) // whole pixels, so that the bars are sharp
	m := float64(module)
	px := func(units float64) int { return int(units * c.unit) }
	wide := (QuietLeft + Modules + QuietRight) * module
	tall := 54 * module
	pad, head, foot := px(10), int(13*m), int(11*m)
	right, bottom := c.img.Bounds().Dx()-px(66), c.img.Bounds().Dy()-px(66)
	box := image.Rect(right-wide-2*pad, bottom-tall-head-foot, right, bottom)
	draw.Draw(c.img, box, image.White, image.Point{}, draw.Src)

	x0, y0 := box.Min.X+pad+QuietLeft*module, box.Min.Y+head
	for i, bar := range bars {
		if !bar {
			continue
		}
		h := tall
		if isGuard(i) {
			h += 5 * module
		}
		draw.Draw(c.img, image.Rect(x0+i*module, y0, x0+(i+1)*module, y0+h), image.Black, image.Point{}, draw.Src)
	}
	face, err := c.newFace(c.fonts.mono, 10.4*m/c.unit)
	if err != nil {
		return err
	}
	base := float64(y0+tall) + 9*m
	spread := func(s string, from, to float64) { // modules
		step := (to - from) * m / float64(len(s))
		for i := range len(s) {
			w := measureWidth(face, s[i:i+1], 0)
			c.drawString(face, s[i:i+1], float64(x0)+from*m+step*(float64(i)+0.5)-w/2, base, 0, color.Black, c.img)
		}
	}
	spread(isbn[:1], -9.5, -2.5)
	spread(isbn[1:7], 3.5, 45)
	spread(isbn[7:], 50, 91.5)

	small, err := c.newFace(c.fonts.mono, 8.6*m/c.unit)
	if err != nil {
		return err
	}
	label := "ISBN " + isbn[:3] + "-" + isbn[3:]
	w := measureWidth(small, label, 0)
	c.drawString(small, label, float64(box.Min.X+box.Max.X)/2-w/2, float64(y0)-4.2*m, 0, color.Black, c.img)
	return nil
}
