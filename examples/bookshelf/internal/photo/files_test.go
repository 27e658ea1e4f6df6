package photo

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"hash/crc32"
	"io"
)

// sampling is the sampling factors of a JPEG's components, high and low half of a byte.
type sampling []byte

var (
	gray8 = sampling{0x11}
	s444  = sampling{0x11, 0x11, 0x11}
	s420  = sampling{0x22, 0x11, 0x11}
	cmyk  = sampling{0x11, 0x11, 0x11, 0x11}
	cmyk2 = sampling{0x22, 0x11, 0x11, 0x22}
)

// noAdobe leaves the Adobe segment out of a jpegFile.
const noAdobe = -1

// jpegFile makes a valid JPEG of one colour, in as few bytes as the format allows: a bit for each block if it is
// progressive, of which the only scan says that no coefficient differs from the one before, and two if it is not.
func jpegFile(width, height int, components sampling, progressive bool, adobe int) []byte {
	var b bytes.Buffer
	segment := func(marker byte, body ...byte) {
		b.Write([]byte{0xff, marker})
		b.Write(binary.BigEndian.AppendUint16(nil, uint16(len(body)+2)))
		b.Write(body)
	}
	b.Write([]byte{0xff, markerSOI})
	if adobe != noAdobe {
		segment(markerAPP14, append([]byte("Adobe\x00\x64\x00\x00\x00\x00"), byte(adobe))...)
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
	marker := byte(markerSOF0)
	if progressive {
		marker, last, bits = markerSOF2, 0, 1
	}
	segment(marker, frame...)
	table := append([]byte{0, 1}, make([]byte, 16)...) // one code, "0", for the value 0
	segment(0xc4, table...)
	if !progressive {
		segment(0xc4, append([]byte{0x10}, table[1:]...)...)
	}
	segment(markerSOS, append(scan, 0, last, 0)...)
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
	b.Write([]byte{0xff, markerEOI})
	return b.Bytes()
}

// pngFile makes a valid PNG whose bytes are all zero.
func pngFile(width, height int, depth, colour byte, interlaced, transparent bool) []byte {
	var b bytes.Buffer
	chunk := func(kind string, body []byte) {
		b.Write(binary.BigEndian.AppendUint32(nil, uint32(len(body))))
		typed := append([]byte(kind), body...)
		b.Write(typed)
		b.Write(binary.BigEndian.AppendUint32(nil, crc32.ChecksumIEEE(typed)))
	}
	b.WriteString(pngSignature)
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

// plain is a reader of b that has no other methods.
func plain(b []byte) io.Reader { return io.LimitReader(bytes.NewReader(b), int64(len(b))) }
