package photo

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
)

const pngSignature = "\x89PNG\r\n\x1a\n"

// readPNG reads the chunks before the image data.
func readPNG(r *bufio.Reader) (header, error) {
	if _, err := r.Discard(len(pngSignature)); err != nil {
		return header{}, err
	}
	var head [8 + 13]byte // the length, the type and the content of IHDR
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return header{}, err
	}
	if binary.BigEndian.Uint32(head[:]) != 13 || string(head[4:8]) != "IHDR" {
		return header{}, errors.New("the first chunk is not IHDR")
	}
	width, height := binary.BigEndian.Uint32(head[8:]), binary.BigEndian.Uint32(head[12:])
	depth, colour, interlace := head[16], head[17], head[20]
	if width == 0 || height == 0 || width > 1<<31-1 || height > 1<<31-1 || interlace > 1 {
		return header{}, fmt.Errorf("invalid IHDR: %d × %d pixels, interlace method %d", width, height, interlace)
	}
	h := header{width: int(width), height: int(height)}
	if int64(width) > math.MaxInt64/8/int64(height) {
		return h, fmt.Errorf("%w: %d × %d pixels", errVariant, width, height)
	}
	var err error
	if h.memory, err = pngMemory(h, depth, colour, interlace, false); err != nil {
		return h, err
	}
	if h.width > MaxPixels/h.height || h.memory > MaxMemory {
		return h, nil // too large, with or without transparency
	}
	if _, err := r.Discard(4); err != nil { // the checksum, which the decoder verifies
		return h, err
	}
	transparent, err := hasTransparency(r)
	if err == nil && transparent {
		h.memory, err = pngMemory(h, depth, colour, interlace, true)
	}
	return h, err
}

// pngMemory returns the number of bytes that image/png allocates: the image and two rows of the file. The seven passes
// of an interlaced image take the same number of bytes as the image again.
func pngMemory(h header, depth, colour, interlace byte, transparent bool) (int64, error) {
	bits, pixel, err := pngPixel(depth, colour, transparent)
	image := pixel * int64(h.width) * int64(h.height)
	row := 1 + (bits*int64(h.width)+7)/8
	return image*int64(1+interlace) + 2*row, err
}

// hasTransparency reads the chunks up to the image data and reports whether a tRNS chunk is among them.
func hasTransparency(r *bufio.Reader) (bool, error) {
	for found := false; ; {
		var chunk [8]byte
		if _, err := io.ReadFull(r, chunk[:]); err != nil {
			return false, err
		}
		switch string(chunk[4:]) {
		case "IDAT":
			return found, nil
		case "tRNS":
			found = true
		}
		n := binary.BigEndian.Uint32(chunk[:])
		if n > 1<<31-1 {
			return false, fmt.Errorf("invalid chunk length %d", n)
		}
		if _, err := io.CopyN(io.Discard, r, int64(n)+4); err != nil {
			return false, err
		}
	}
}

// pngPixel returns the bits of a pixel in the file, and its bytes in the image that image/png allocates.
func pngPixel(depth, colour byte, transparent bool) (bits, pixel int64, err error) {
	const gray, rgb, palette, grayAlpha, rgba = 0, 2, 3, 4, 6
	channels := map[byte]int64{gray: 1, rgb: 3, palette: 1, grayAlpha: 2, rgba: 4}[colour]
	small := depth == 1 || depth == 2 || depth == 4
	switch {
	case channels == 0,
		small && colour != gray && colour != palette,
		depth == 16 && colour == palette,
		!small && depth != 8 && depth != 16:
		return 0, 0, fmt.Errorf("%w: %d bits of colour type %d", errVariant, depth, colour)
	}
	pixel = 4
	if colour == palette || colour == gray && !transparent {
		pixel = 1
	}
	if depth == 16 {
		pixel *= 2
	}
	return channels * int64(depth), pixel, nil
}
