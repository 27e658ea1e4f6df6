package agent

import (
	"bytes"
	"encoding/binary"
	"errors"
	"image"
	"image/gif"
	"image/jpeg"
	"image/png"

	"github.com/carrel-go/carrel/tools"
)

// imageSize returns the width and height of an image in pixels from its header. isValid reports whether the bytes may
// be such an image. The size is zero if the image uses a feature that the standard library does not support.
func imageSize(m *tools.Media) (width, height int, isValid bool) {
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
		width, height = webpSize(m.Bytes)
		return width, height, width > 0 && height > 0
	default:
		return 0, 0, true
	}
	_, isRareJPEG := errors.AsType[jpeg.UnsupportedError](err)
	_, isRarePNG := errors.AsType[png.UnsupportedError](err)
	if isRareJPEG || isRarePNG {
		return 0, 0, true
	}
	return c.Width, c.Height, err == nil && c.Width > 0 && c.Height > 0
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

// isPlausible reports whether the bytes of m may have its format. It checks the beginnings of images, PDF files and
// Office files. Other formats, and objects, are plausible.
func isPlausible(m *tools.Media) bool {
	if len(m.Bytes) == 0 {
		return true
	}
	switch m.Format {
	case "pdf": // readers accept other bytes before it: ISO 32000-1, annex H, implementation note 13
		return bytes.Contains(m.Bytes[:min(len(m.Bytes), 1024)], []byte("%PDF-"))
	case "docx", "xlsx":
		return bytes.HasPrefix(m.Bytes, []byte("PK"))
	}
	_, _, ok := imageSize(m)
	return ok
}
