// Package phototest makes image files for tests of programs that decode uploads: small ones whose decoding takes much
// memory, and photos as cameras and other programs store them.
package phototest

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"image"
	"image/png"
	"math/rand/v2"
)

// Sampling contains the sampling factors of the components of a JPEG. The upper half of each byte is the horizontal
// factor, the lower half the vertical one.
type Sampling []byte

// Usual samplings.
var (
	Gray  = Sampling{0x11}
	S444  = Sampling{0x11, 0x11, 0x11}
	S420  = Sampling{0x22, 0x11, 0x11}
	CMYK  = Sampling{0x11, 0x11, 0x11, 0x11}
	CMYK2 = Sampling{0x22, 0x11, 0x11, 0x22}
)

// NoAdobe leaves the Adobe segment out of a [JPEG].
const NoAdobe = -1

// JPEG returns a valid JPEG of one colour in as few bytes as possible. A progressive image has one bit for each block,
// another image two bits. adobe is the transform of the Adobe segment, or [NoAdobe].
func JPEG(width, height int, components Sampling, progressive bool, adobe int) []byte {
	var b bytes.Buffer
	segment := func(marker byte, body ...byte) {
		b.Write([]byte{0xff, marker})
		b.Write(binary.BigEndian.AppendUint16(nil, uint16(len(body)+2)))
		b.Write(body)
	}
	b.Write([]byte{0xff, 0xd8}) // SOI
	if adobe != NoAdobe {
		segment(0xee, append([]byte("Adobe\x00\x64\x00\x00\x00\x00"), byte(adobe))...)
	}
	segment(0xdb, append([]byte{0}, bytes.Repeat([]byte{1}, 64)...)...) // a quantization table of ones
	n := byte(len(components))
	frame := []byte{8, byte(height >> 8), byte(height), byte(width >> 8), byte(width), n}
	scan := []byte{n}
	for i, hv := range components {
		frame = append(frame, byte(i+1), hv, 0)
		scan = append(scan, byte(i+1), 0)
	}
	last, bits := byte(63), 2
	marker := byte(0xc0) // SOF0
	if progressive {
		marker, last, bits = 0xc2, 0, 1 // SOF2
	}
	segment(marker, frame...)
	table := append([]byte{0, 1}, make([]byte, 16)...) // one code, "0", for the value 0
	segment(0xc4, table...)
	if !progressive {
		segment(0xc4, append([]byte{0x10}, table[1:]...)...)
	}
	segment(0xda, append(scan, 0, last, 0)...)
	h, v := int(components[0]>>4), int(components[0]&15)
	units := (width + 8*h - 1) / (8 * h) * ((height + 8*v - 1) / (8 * v))
	blocks := 0
	for _, hv := range components {
		blocks += units * int(hv>>4) * int(hv&15)
	}
	if n == 1 {
		blocks = (width + 7) / 8 * ((height + 7) / 8)
	}
	b.Write(make([]byte, (blocks*bits+7)/8))
	b.Write([]byte{0xff, 0xd9}) // EOI
	return b.Bytes()
}

// PNG returns a valid PNG whose pixels are all zero.
func PNG(width, height int, depth, colour byte, interlaced, transparent bool) []byte {
	var b bytes.Buffer
	chunk := func(kind string, body []byte) { writePNGChunk(&b, kind, body) }
	b.WriteString("\x89PNG\r\n\x1a\n")
	head := binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(nil, uint32(width)), uint32(height))
	passes := [][4]int{{0, 0, 1, 1}}
	if head = append(head, depth, colour, 0, 0, 0); interlaced {
		head[12] = 1
		passes = [][4]int{{0, 0, 8, 8}, {4, 0, 8, 8}, {0, 4, 4, 8}, {2, 0, 4, 4}, {0, 2, 2, 4}, {1, 0, 2, 2}, {0, 1, 1, 2}}
	}
	chunk("IHDR", head)
	channels := map[byte]int{0: 1, 2: 3, 3: 1, 4: 2, 6: 4}[colour]
	if colour == 3 {
		chunk("PLTE", make([]byte, 3))
	}
	if transparent {
		chunk("tRNS", make([]byte, map[byte]int{0: 2, 2: 6, 3: 1}[colour]))
	}
	var data bytes.Buffer
	z, _ := zlib.NewWriterLevel(&data, zlib.BestSpeed)
	for _, p := range passes {
		w, h := (width-p[0]+p[2]-1)/p[2], (height-p[1]+p[3]-1)/p[3]
		if w == 0 {
			continue
		}
		row := make([]byte, 1+(w*channels*int(depth)+7)/8)
		for range h {
			_, _ = z.Write(row)
		}
	}
	_ = z.Close()
	for body := data.Bytes(); len(body) > 0; {
		n := min(len(body), 1<<20)
		chunk("IDAT", body[:n])
		body = body[n:]
	}
	chunk("IEND", nil)
	return b.Bytes()
}

// Noise returns a gray PNG of random pixels, which are the same for a seed. It takes about one byte for each pixel, and
// a search for text or barcodes takes the longest time on it.
func Noise(width, height int, seed uint64) []byte {
	img := image.NewGray(image.Rect(0, 0, width, height))
	var key [32]byte
	binary.LittleEndian.PutUint64(key[:], seed)
	_, _ = rand.NewChaCha8(key).Read(img.Pix) // never fails
	var b bytes.Buffer
	_ = (&png.Encoder{CompressionLevel: png.NoCompression}).Encode(&b, img) // a Buffer never fails
	return b.Bytes()
}
