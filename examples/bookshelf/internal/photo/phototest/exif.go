package phototest

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"image"
)

// Exif returns an EXIF with two tags, of which the second is the orientation.
func Exif(orientation int, order binary.AppendByteOrder) []byte {
	b := []byte("II*\x00")
	if order.String() == binary.BigEndian.String() {
		b = []byte("MM\x00*")
	}
	b = order.AppendUint32(b, 8) // the offset of the directory
	b = order.AppendUint16(b, 2)
	for _, tag := range [][2]int{{0x0100, 17}, {0x0112, orientation}} {
		b = order.AppendUint16(b, uint16(tag[0]))
		b = order.AppendUint16(b, 3) // a short
		b = order.AppendUint32(b, 1)
		b = order.AppendUint16(b, uint16(tag[1]))
		b = order.AppendUint16(b, 0)
	}
	return order.AppendUint32(b, 0) // no other directory
}

// WithExif returns a JPEG, PNG or WebP with the EXIF in it.
func WithExif(file, exif []byte) []byte {
	var b bytes.Buffer
	switch {
	case bytes.HasPrefix(file, []byte("\xff\xd8")):
		b.WriteString("\xff\xd8\xff\xe1")
		b.Write(binary.BigEndian.AppendUint16(nil, uint16(2+6+len(exif))))
		b.WriteString("Exif\x00\x00")
		b.Write(exif)
		b.Write(file[2:])
	case bytes.HasPrefix(file, []byte("\x89PNG")):
		const head = 8 + 25 // the signature and IHDR
		b.Write(file[:head])
		writePNGChunk(&b, "eXIf", exif)
		b.Write(file[head:])
	case bytes.HasPrefix(file, []byte("RIFF")):
		b.WriteString("RIFF\x00\x00\x00\x00WEBP")
		chunks := file[12:]
		if !bytes.HasPrefix(chunks, []byte("VP8X")) {
			w, h := webpSize(chunks)
			w, h = w-1, h-1
			writeRIFFChunk(&b, "VP8X", []byte{8, 0, 0, 0, byte(w), byte(w >> 8), 0, byte(h), byte(h >> 8), 0})
		}
		b.Write(chunks)
		writeRIFFChunk(&b, "EXIF", exif)
		binary.LittleEndian.PutUint32(b.Bytes()[4:], uint32(b.Len()-8))
	default:
		panic("phototest: WithExif: must be a JPEG, PNG or WebP")
	}
	return b.Bytes()
}

func webpSize(chunks []byte) (w, h int) {
	if bytes.HasPrefix(chunks, []byte("VP8L")) {
		bits := binary.LittleEndian.Uint32(chunks[9:])
		return int(bits&0x3fff) + 1, int(bits>>14&0x3fff) + 1
	}
	return int(binary.LittleEndian.Uint16(chunks[14:])), int(binary.LittleEndian.Uint16(chunks[16:]))
}

func writeRIFFChunk(b *bytes.Buffer, id string, body []byte) {
	b.WriteString(id)
	b.Write(binary.LittleEndian.AppendUint32(nil, uint32(len(body))))
	b.Write(body)
	b.Write(make([]byte, len(body)%2))
}

func writePNGChunk(b *bytes.Buffer, kind string, body []byte) {
	b.Write(binary.BigEndian.AppendUint32(nil, uint32(len(body))))
	typed := append([]byte(kind), body...)
	b.Write(typed)
	b.Write(binary.BigEndian.AppendUint32(nil, crc32.ChecksumIEEE(typed)))
}

// Stored returns the pixels that a camera stores for an image with that orientation of EXIF, 1 to 8. A program that
// follows the orientation shows the image upright again.
func Stored(upright image.Image, orientation int) *image.RGBA {
	r := upright.Bounds()
	w, h := r.Dx(), r.Dy()
	size := image.Rect(0, 0, w, h)
	if orientation >= 5 {
		size = image.Rect(0, 0, h, w)
	}
	out := image.NewRGBA(size)
	for y := range h {
		for x := range w {
			// The orientation says where row 0 and column 0 of the stored image are shown.
			at := [...]image.Point{
				1: {x, y}, 2: {w - 1 - x, y}, 3: {w - 1 - x, h - 1 - y}, 4: {x, h - 1 - y}, // row 0 at the top, top, bottom, bottom
				5: {y, x}, 6: {y, w - 1 - x}, 7: {h - 1 - y, w - 1 - x}, 8: {h - 1 - y, x}, // at the left, right, right, left
			}[orientation]
			out.Set(at.X, at.Y, upright.At(r.Min.X+x, r.Min.Y+y))
		}
	}
	return out
}
