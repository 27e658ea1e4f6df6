package agent

import (
	"bytes"
	"encoding/binary"
	"image"
	"image/gif"
	"image/jpeg"
	"image/png"

	"github.com/carrel-go/carrel/tools"
)

// imageSize returns the width and height of an image in pixels, as its header has them; zeros if that cannot be read.
func imageSize(m *tools.Media) (width, height int) {
	var c image.Config
	var err error
	r := bytes.NewReader(m.Bytes)
	switch m.Format {
	case "png":
		c, err = png.DecodeConfig(r)
	case "jpeg":
		c, err = jpeg.DecodeConfig(r)
	case "gif":
		c, err = gif.DecodeConfig(r)
	case "webp":
		return webpSize(m.Bytes)
	}
	if err != nil {
		return 0, 0
	}
	return c.Width, c.Height
}

// webpSize reads the size of a WebP image, of any of its three kinds.
// Source: https://developers.google.com/speed/webp/docs/riff_container
func webpSize(b []byte) (width, height int) {
	if len(b) < 30 || string(b[:4]) != "RIFF" || string(b[8:12]) != "WEBP" {
		return 0, 0
	}
	switch string(b[12:16]) {
	case "VP8X":
		u24 := func(at int) int { return int(b[at]) | int(b[at+1])<<8 | int(b[at+2])<<16 }
		return u24(24) + 1, u24(27) + 1
	case "VP8L":
		bits := binary.LittleEndian.Uint32(b[21:])
		return int(bits&0x3fff) + 1, int(bits>>14&0x3fff) + 1
	case "VP8 ":
		return int(binary.LittleEndian.Uint16(b[26:]) & 0x3fff), int(binary.LittleEndian.Uint16(b[28:]) & 0x3fff)
	}
	return 0, 0
}
