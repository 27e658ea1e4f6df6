package photo

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

const jpegSignature = "\xff\xd8\xff"

// The markers that are read here: ITU T.81, table B.1.
const (
	markerSOF0, markerSOF1, markerSOF2 = 0xc0, 0xc1, 0xc2 // frames that image/jpeg reads; the last is progressive
	markerRST0, markerRST7             = 0xd0, 0xd7       // without a length
	markerSOI, markerEOI, markerSOS    = 0xd8, 0xd9, 0xda
	markerAPP0, markerAPP14            = 0xe0, 0xee // JFIF's and Adobe's, which determine the colours
)

// Limits of the scans of a JPEG. A scan of a few bytes can make the decoder process all samples of its components, so
// the samples of all scans are counted: 400 million take a second or two. The usual ten scans process each sample five
// times, and a progressive image within [MaxMemory] has at most 54 million samples.
const (
	maxScans = 100
	maxWork  = 400_000_000
)

// frame contains the parts of a JPEG's frame header that determine the image that image/jpeg makes.
type frame struct {
	progressive   bool
	width, height int
	id            [4]byte
	h, v          [4]int // sampling factors
	components    int
	work          int64 // samples of the scans so far
	jfif          bool
	adobe         bool // the file has an Adobe segment
	transform     byte // from that segment; 0 means RGB or CMYK
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
		if err := f.segment(marker, body, scans); err != nil {
			return header{}, err
		}
		if scans > 0 && !whole {
			break
		}
	}
	if scans == 0 {
		return header{}, errors.New("no scan")
	}
	return header{width: f.width, height: f.height, memory: f.memory()}, nil
}

// nextMarker returns the next marker. After a scan's header it skips the scan's data.
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
			return 0, fmt.Errorf("marker %#x", b)
		}
		return b, nil
	}
}

// readSegment returns the content of a segment, of at most 64 KiB.
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

// segment processes a segment, which is the header of the scan of that number or follows it.
func (f *frame) segment(marker byte, body []byte, scan int) error {
	switch marker {
	case markerSOS:
		switch {
		case f.components == 0:
			return errors.New("a scan before the frame")
		case scan > maxScans:
			return fmt.Errorf("%w: more than %d scans", errVariant, maxScans)
		}
		return f.addScan(body)
	case markerSOF0, markerSOF1, markerSOF2:
		if f.components > 0 {
			return errors.New("two frames")
		}
		f.progressive = marker == markerSOF2
		return f.read(body)
	case markerAPP0, markerAPP14:
		if scan > 0 {
			return fmt.Errorf("%w: segment %#x after the first scan", errVariant, marker)
		}
		f.application(marker, body)
	default:
		// DHT, JPG and DAC are in the range of the frames' markers.
		if marker > markerSOF2 && marker < markerRST0 && marker != 0xc4 {
			return fmt.Errorf("%w: frame %#x", errVariant, marker)
		}
	}
	return nil
}

// addScan adds the work of a scan: T.81, section B.2.3.
func (f *frame) addScan(header []byte) error {
	if len(header) < 1 || len(header) < 1+2*int(header[0]) {
		return errors.New("short scan header")
	}
	for n := range int(header[0]) {
		for i := range f.components {
			if f.id[i] == header[1+2*n] {
				f.work += f.samples(i)
			}
		}
	}
	if f.work > maxWork {
		return fmt.Errorf("%w: the scans have more than %d samples", errVariant, int64(maxWork))
	}
	return nil
}

// samples returns the number of samples of a component, padded to whole units.
func (f *frame) samples(component int) int64 {
	unitsX := (f.width + 8*f.h[0] - 1) / (8 * f.h[0])
	unitsY := (f.height + 8*f.v[0] - 1) / (8 * f.v[0])
	return 64 * int64(unitsX) * int64(unitsY) * int64(f.h[component]) * int64(f.v[component])
}

// application processes JFIF's or Adobe's segment.
func (f *frame) application(marker byte, body []byte) {
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

// read reads a frame header: T.81, section B.2.2.
func (f *frame) read(b []byte) error {
	if len(b) < 6 {
		return errors.New("short frame header")
	}
	n := int(b[5])
	if b[0] != 8 || n != 1 && n != 3 && n != 4 {
		return fmt.Errorf("%w: %d bits, %d components", errVariant, b[0], n)
	}
	if len(b) != 6+3*n {
		return errors.New("frame header of the wrong length")
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

// memory returns the number of bytes that image/jpeg allocates: the components' planes, padded to whole units; for a
// progressive image also their coefficients, four bytes each; and the pixels, if they are combined from the planes.
func (f *frame) memory() int64 {
	var samples int64
	for i := range f.components {
		samples += f.samples(i)
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
