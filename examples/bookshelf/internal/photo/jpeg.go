package photo

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

const jpegSignature = "\xff\xd8\xff"

// The markers that this package reads: ITU T.81, table B.1.
const (
	markerSOF0, markerSOF1, markerSOF2 = 0xc0, 0xc1, 0xc2 // frames that image/jpeg supports; SOF2 is progressive
	markerRST0, markerRST7             = 0xd0, 0xd7       // without a length
	markerSOI, markerEOI, markerSOS    = 0xd8, 0xd9, 0xda
	markerAPP0, markerAPP14            = 0xe0, 0xee // JFIF and Adobe, which determine the colours
	markerAPP1                         = 0xe1       // EXIF
)

// Limits of the scans of a JPEG. A scan of a few bytes can make the decoder process all samples of its components. The
// samples of all scans are therefore counted. Decoding 400 million samples takes a second or two. A progressive image
// within [MaxMemory] has at most 54 million samples, and the usual ten scans process each sample five times.
const (
	maxScans = 100
	maxWork  = 400_000_000
)

// frame contains the properties of a JPEG that determine which image the package image/jpeg allocates.
type frame struct {
	progressive   bool
	width, height int
	id            [4]byte
	h, v          [4]int // sampling factors
	components    int
	work          int64 // samples of the scans so far
	jfif          bool
	adobe         bool // the file has an Adobe segment
	transform     byte // the colour transform in the Adobe segment; 0 means RGB or CMYK
}

// readJPEG reads the segments before the first scan and, if whole is set, those after it.
func readJPEG(r *bufio.Reader, whole bool) (header, error) {
	if _, err := r.Discard(2); err != nil {
		return header{}, err
	}
	var f frame
	scans := 0
	for {
		marker, err := nextMarker(r, scans > 0)
		if err != nil {
			return header{}, err
		}
		if marker == markerEOI {
			break
		}
		body, err := readSegment(r)
		if err != nil {
			return header{}, err
		}
		if marker == markerSOS {
			scans++
		}
		if err := f.applySegment(marker, body, scans); err != nil {
			return header{}, err
		}
		if scans > 0 && !whole {
			break
		}
	}
	if scans == 0 {
		return header{}, errors.New("no scan")
	}
	return header{width: f.width, height: f.height, memory: f.estimateMemory()}, nil
}

// nextMarker returns the next marker. If data is set, it skips the data of a scan.
func nextMarker(r *bufio.Reader, data bool) (byte, error) {
	for {
		b, err := r.ReadByte()
		if err != nil {
			return 0, err
		}
		if b != 0xff {
			if data {
				continue
			}
			return 0, errors.New("bytes between segments")
		}
		for b == 0xff { // any number of fill bytes
			if b, err = r.ReadByte(); err != nil {
				return 0, err
			}
		}
		switch {
		case data && (b == 0 || markerRST0 <= b && b <= markerRST7):
			continue
		case b < markerSOF0 || b == markerSOI || markerRST0 <= b && b <= markerRST7:
			return 0, fmt.Errorf("unexpected marker %#x", b)
		}
		return b, nil
	}
}

// readSegment returns the content of a segment, at most 64 KiB.
func readSegment(r *bufio.Reader) ([]byte, error) {
	var length [2]byte
	if _, err := io.ReadFull(r, length[:]); err != nil {
		return nil, err
	}
	n := int(binary.BigEndian.Uint16(length[:])) - 2
	if n < 0 {
		return nil, errors.New("short segment")
	}
	body := make([]byte, n)
	_, err := io.ReadFull(r, body)
	return body, err
}

// applySegment processes the content of a segment. scan is the number of scans so far.
func (f *frame) applySegment(marker byte, body []byte, scan int) error {
	switch marker {
	case markerSOS:
		switch {
		case f.components == 0:
			return errors.New("a scan precedes the frame")
		case scan > maxScans:
			return fmt.Errorf("%w: more than %d scans", errVariant, maxScans)
		}
		return f.addScan(body)
	case markerSOF0, markerSOF1, markerSOF2:
		if f.components > 0 {
			return errors.New("more than one frame")
		}
		f.progressive = marker == markerSOF2
		return f.readFrame(body)
	case markerAPP0, markerAPP14:
		if scan > 0 {
			return fmt.Errorf("%w: segment %#x after the first scan", errVariant, marker)
		}
		f.readApplication(marker, body)
	default:
		// DHT, JPG and DAC have markers in the range of the frames.
		if marker > markerSOF2 && marker < markerRST0 && marker != 0xc4 {
			return fmt.Errorf("%w: frame marker %#x", errVariant, marker)
		}
	}
	return nil
}

// addScan adds the number of samples of a scan to f.work: T.81, section B.2.3.
func (f *frame) addScan(header []byte) error {
	if len(header) < 1 || len(header) < 1+2*int(header[0]) {
		return errors.New("short scan header")
	}
	for n := range int(header[0]) {
		for i := range f.components {
			if f.id[i] == header[1+2*n] {
				f.work += f.countSamples(i)
			}
		}
	}
	if f.work > maxWork {
		return fmt.Errorf("%w: the scans have more than %d samples", errVariant, int64(maxWork))
	}
	return nil
}

// countSamples returns the number of samples of a component, rounded up to whole units.
func (f *frame) countSamples(component int) int64 {
	unitsX := (f.width + 8*f.h[0] - 1) / (8 * f.h[0])
	unitsY := (f.height + 8*f.v[0] - 1) / (8 * f.v[0])
	return 64 * int64(unitsX) * int64(unitsY) * int64(f.h[component]) * int64(f.v[component])
}

// readApplication processes the JFIF or the Adobe segment.
func (f *frame) readApplication(marker byte, body []byte) {
	switch marker {
	case markerAPP0:
		if len(body) >= 5 {
			f.jfif = string(body[:5]) == "JFIF\x00"
		}
	case markerAPP14:
		if len(body) >= 12 && string(body[:5]) == "Adobe" {
			f.adobe, f.transform = true, body[11]
		}
	}
}

// readFrame reads a frame header: T.81, section B.2.2.
func (f *frame) readFrame(b []byte) error {
	if len(b) < 6 {
		return errors.New("short frame header")
	}
	n := int(b[5])
	if b[0] != 8 || n != 1 && n != 3 && n != 4 {
		return fmt.Errorf("%w: %d bits, %d components", errVariant, b[0], n)
	}
	if len(b) != 6+3*n {
		return errors.New("invalid length of the frame header")
	}
	f.height, f.width = int(binary.BigEndian.Uint16(b[1:])), int(binary.BigEndian.Uint16(b[3:]))
	if f.height == 0 || f.width == 0 {
		return errors.New("no pixels")
	}
	for i := range n {
		c := b[6+3*i:]
		f.id[i], f.h[i], f.v[i] = c[0], int(c[1]>>4), int(c[1]&15)
		if f.h[i] < 1 || f.h[i] > 4 || f.v[i] < 1 || f.v[i] > 4 {
			return errors.New("invalid sampling factor")
		}
	}
	if n == 1 {
		f.h[0], f.v[0] = 1, 1 // data of one component is never interleaved
	}
	f.components = n
	return nil
}

// estimateMemory returns the number of bytes that image/jpeg allocates. It allocates a plane for each component, in
// whole units, and four bytes for each coefficient of a progressive image. It allocates the pixels as well if it
// combines them from the planes.
func (f *frame) estimateMemory() int64 {
	var samples int64
	for i := range f.components {
		samples += f.countSamples(i)
	}
	total := samples
	if f.progressive {
		total += 4 * samples
	}
	if f.components == 4 || f.components == 3 && f.isRGB() {
		total += 4 * int64(f.width) * int64(f.height)
	}
	return total
}

func (f *frame) isRGB() bool {
	if f.jfif {
		return false
	}
	return f.adobe && f.transform == 0 || string(f.id[:3]) == "RGB"
}
