package photo

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// The start of a WebP file, apart from its length, and the flags of its chunk VP8X: RFC 9649, section 2.
const (
	riffSignature = "RIFF"
	webpSignature = "WEBP"

	webpAlpha, webpAnimation = 1 << 4, 1 << 1
)

// Upper bounds of what golang.org/x/image/webp allocates beside the pixels. A lossless image has at most 2600 groups of
// five Huffman trees. A group has up to 56 kB, and takes 28 kB more while it is read.
const (
	webpGroups = 2600 * 84_000
	webpBeside = 1 << 20 // the first partition of a lossy image, and tables
)

func isWebP(start []byte) bool {
	return len(start) >= 12 && string(start[:4]) == riffSignature && string(start[8:12]) == webpSignature
}

// readWebP reads the chunks up to the image data. A lossy image may have a lossless plane of transparency before it.
func readWebP(r *bufio.Reader) (header, error) {
	if _, err := r.Discard(len(riffSignature) + 4 + len(webpSignature)); err != nil {
		return header{}, err
	}
	var canvas header
	var alpha int64
	for {
		id, size, err := readRIFFChunk(r)
		if err != nil {
			return header{}, err
		}
		var body [10]byte
		used := 0
		switch id {
		case "VP8X", "VP8 ":
			used = 10
		case "VP8L":
			used = 5
		case "ALPH":
			used = 1
		case "ANIM", "ANMF":
			return header{}, fmt.Errorf("%w: animated", errVariant)
		}
		if size < int64(used) {
			return header{}, fmt.Errorf("short chunk %q", id)
		}
		if _, err := io.ReadFull(r, body[:used]); err != nil {
			return header{}, err
		}
		switch id {
		case "VP8 ":
			h, err := lossyWebP(body[:], size)
			h.memory += alpha
			return h, err
		case "VP8L":
			return losslessWebP(body[:])
		case "VP8X":
			if canvas, err = webpCanvas(body[:]); err != nil {
				return canvas, err
			}
			if canvas.width > MaxPixels/canvas.height {
				return canvas, nil // too large, whatever follows
			}
		case "ALPH":
			alpha = alphaMemory(canvas)
		}
		if _, err := io.CopyN(io.Discard, r, size-int64(used)+size%2); err != nil {
			return header{}, err
		}
	}
}

// readRIFFChunk returns the name and the size of the next chunk. A byte follows the content if the size is odd.
func readRIFFChunk(r io.Reader) (id string, size int64, err error) {
	var chunk [8]byte
	_, err = io.ReadFull(r, chunk[:])
	return string(chunk[:4]), int64(binary.LittleEndian.Uint32(chunk[4:])), err
}

// webpCanvas returns the size in a chunk VP8X. The decoder rejects an image of another size.
func webpCanvas(b []byte) (header, error) {
	if b[0]&webpAnimation != 0 {
		return header{}, fmt.Errorf("%w: animated", errVariant)
	}
	uint24 := func(b []byte) int { return int(b[0]) | int(b[1])<<8 | int(b[2])<<16 }
	return header{width: uint24(b[4:]) + 1, height: uint24(b[7:]) + 1}, nil
}

// lossyWebP returns the header of a VP8 frame of that many bytes: RFC 6386, section 9.1. The decoder reads the frame
// whole, and allocates planes in units of 16 pixels, with 4 bytes for each unit and 6 for each column of them.
func lossyWebP(b []byte, size int64) (header, error) {
	if b[0]&1 != 0 || string(b[3:6]) != "\x9d\x01\x2a" {
		return header{}, errors.New("not a key frame")
	}
	const mask = 1<<14 - 1 // the other bits are for scaling
	h := header{
		width: int(binary.LittleEndian.Uint16(b[6:])) & mask, height: int(binary.LittleEndian.Uint16(b[8:])) & mask,
	}
	switch {
	case h.width == 0 || h.height == 0:
		return h, errors.New("no pixels")
	case size > MaxBytes:
		return h, errors.New("the frame is longer than a file may be")
	}
	columns, rows := int64(h.width+15)/16, int64(h.height+15)/16
	h.memory = columns*rows*(256*3/2+4) + 6*columns + size + webpBeside
	return h, nil
}

// losslessWebP returns the header of a VP8L stream: RFC 9649, section 3.
func losslessWebP(b []byte) (header, error) {
	bits := binary.LittleEndian.Uint32(b[1:])
	if b[0] != 0x2f || bits>>29 != 0 {
		return header{}, errors.New("not a lossless stream of version 0")
	}
	h := header{width: int(bits&(1<<14-1)) + 1, height: int(bits>>14&(1<<14-1)) + 1}
	h.memory = losslessMemory(h)
	return h, nil
}

// losslessMemory returns the memory of a lossless image: the pixels before and after their colours are looked up, four
// images of a sixteenth of the size, of which the decoder rejects one, and the Huffman trees.
func losslessMemory(h header) int64 {
	tiles := int64(h.width+3) / 4 * (int64(h.height+3) / 4)
	return 8*int64(h.width)*int64(h.height) + 4*4*tiles + webpGroups + webpBeside
}

// alphaMemory returns the memory of a plane of transparency, which is compressed as a lossless image.
func alphaMemory(h header) int64 {
	return losslessMemory(h) + int64(h.width)*int64(h.height)
}
